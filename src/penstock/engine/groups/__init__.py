"""Which ways of arranging tasks are there? One file each, found by the type of the node."""
