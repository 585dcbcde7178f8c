"""Readers of the older program's config files: one file per generation, each a translator to native form."""
