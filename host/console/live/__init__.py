"""The live feed: what open pages are told while they are open, as server-sent events."""
