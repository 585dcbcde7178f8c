"""The tests; `tests/<layer>` tests that layer."""
