"""The boxes that confine pools: what this machine has for them, and what each pool gets of it."""
