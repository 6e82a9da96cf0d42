"""4 Train: the next run, the runs so far, and the live one."""
