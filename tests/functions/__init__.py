"""Tests of packages, revisions and environments."""
