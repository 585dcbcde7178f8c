"""The function that is measured, and the peers' wrapping of it."""
