"""How many instances a pool has, and why: from measurements to decisions, within a memory budget."""
