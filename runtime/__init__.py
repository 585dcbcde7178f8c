"""The pools that run revisions, and the dispatcher that hands them events."""
