"""Asynchronous invocations: taken in on disk, run when there is room, their results kept for a time."""
