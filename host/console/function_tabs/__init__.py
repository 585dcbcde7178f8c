"""The tabs of a function's page, a file for each: what it shows, and what keeps it live."""
