"""The program itself: composition, lifecycle, HTTP API and command line."""
