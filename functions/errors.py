"""The ways in which a package is refused."""


class PackageError(Exception):
    """A package that cannot become a function; the message names what is wrong, where, and the remedy.

    `entry` is the zip entry or the file inside the package that is at fault, None when it is the whole.
    """

    def __init__(self, message: str, entry: str | None = None) -> None:
        super().__init__(message)
        self.entry = entry


class BuildError(PackageError):
    """An environment that cannot be built; the message is one sentence naming the requirement."""
