"""The walls of a box, each put up by the process itself with the kernel's own calls."""
