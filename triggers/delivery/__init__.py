"""Lanes that work off what is kept: in order, again when it fails, in the end to the dead letters."""
