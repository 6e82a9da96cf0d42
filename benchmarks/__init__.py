"""Side-by-side measurements that print ratios; nothing here is asserted."""
