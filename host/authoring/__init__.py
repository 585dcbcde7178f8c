"""What people who write functions need before there is a gateway: templates, checks, a private host."""
