"""Devices: what each of them last said, when, how often, and what functions made of it."""
