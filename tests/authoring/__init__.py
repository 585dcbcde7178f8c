"""Tests of what people who write functions use: templates, dev, check, test, package."""
