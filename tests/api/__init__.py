"""The HTTP API as a whole: its document, and what a generator of requests finds."""
