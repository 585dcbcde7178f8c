"""Tests of the project itself: its shape, its commands, its documents and what it ships."""
