"""Tests of the console, most of them as a real browser has it."""
