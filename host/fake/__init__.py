"""A source of fake records over HTTP, for trying out bridges and rules without a factory."""
