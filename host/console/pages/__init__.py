"""The pages of the console, a file for each: what it shows, and what keeps it live."""
