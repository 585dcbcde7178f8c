"""What is the matter with a machine, as far as the host can tell without running: sections of findings."""
