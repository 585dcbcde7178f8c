"""Tests of the whole host: real processes, real HTTP."""
