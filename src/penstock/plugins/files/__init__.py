"""Which task types work on stored files? Write, read, size, delete; concat, split, reverse; compress and archive."""
