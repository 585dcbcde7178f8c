"""Pictures of the console under demo load: `python -m tests.screenshots`."""
