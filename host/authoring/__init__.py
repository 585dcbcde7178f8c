"""What people who write functions need before there is a gateway: templates, a private host, checks, samples."""
