"""A small plant to look at: a broker, a host with rules and functions, and machines that send."""
