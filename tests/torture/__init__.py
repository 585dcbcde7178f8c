"""Crashes the host in every way there is, under traffic, and judges whether anything was lost."""
