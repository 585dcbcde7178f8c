"""What is to be fetched and where to, and how that can fail."""

from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True)
class FetchOrder:
    """A zip to be put at `target`. `md5` is base64, `sha256` hexadecimal; `time_limit` is in seconds."""

    url: str
    target: Path
    md5: str | None = None
    sha256: str | None = None
    max_bytes: int = 512 * MIB
    time_limit: float = 600.0

    @property
    def shown_url(self) -> str:
        """The address as it may be told: without user, password and query, which may be secrets."""
        import httpx

        try:
            url = httpx.URL(self.url)
            return str(url.copy_with(userinfo=b"", query=None, fragment=None))
        except httpx.InvalidURL:
            return "what stands there"


class FetchError(Exception):
    """A zip that cannot be had; one sentence with address and remedy.

    `retryable` says that the same order may succeed soon; else the order or what the server has must change.
    """

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable
