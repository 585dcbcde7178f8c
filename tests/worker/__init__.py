"""Tests of the ABI: what runs inside a function's interpreter."""
