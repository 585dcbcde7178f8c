"""What is on disk: events, results, dead letters and invocations, and how they get there and back."""
