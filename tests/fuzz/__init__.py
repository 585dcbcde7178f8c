"""Generated input for all that reads what it cannot trust: short in the suite, long with `make fuzz`."""
