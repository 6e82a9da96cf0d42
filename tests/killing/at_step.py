"""``python -m tests.killing.at_step N ARGUMENTS``: mynah, which kills itself at its Nth step.

A step is a change of what lies on the disk: a file opened to write, renamed, made or removed.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

_ALWAYS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"}


def main() -> None:
    left = int(sys.argv[1])
    home = os.environ["MYNAH_HOME"].rpartition("/")[0]
    sys.argv = ["mynah", *sys.argv[2:]]

    def count(event: str, given: tuple[Any, ...]) -> None:
        nonlocal left
        if event == "open":
            path, mode, flags = given
            writes = flags & (os.O_WRONLY | os.O_RDWR) if isinstance(flags, int) else False
            if not writes and not (isinstance(mode, str) and set(mode) & set("wax+")):
                return
        elif event in _ALWAYS:
            path = given[0]
        else:
            return
        if isinstance(path, (str, bytes, os.PathLike)) and os.fsdecode(path).startswith(home):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    from tui.__main__ import main as mynah

    sys.addaudithook(count)
    mynah()


if __name__ == "__main__":
    main()
