"""The flow of events through the host as a picture: what there is, how much passes, and what is stuck."""
