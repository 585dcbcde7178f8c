"""Records of invocations: all that failed and a sample of the rest, to be looked at, replayed, debugged."""
