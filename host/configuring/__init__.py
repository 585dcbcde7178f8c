"""Shows and changes the config file of a running host, with marks for its secrets."""
