"""Packages, revisions and their environments: from the zip a user hands over to a folder that can run."""
