"""How authoring fails."""


class AuthoringError(Exception):
    """What was asked for cannot be done; the message is a sentence with the place and the remedy."""


class RefusedPackageError(AuthoringError):
    """The package is at fault: a host would not take it either."""
