"""What a request's head asks for: that its event is taken in at once and answered later, and where to."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from runtime.events import InvocationError
from triggers.invocations.destinations import ForbiddenPlaceError, check_literal, read_destination

LONGEST_URL = 2048


class CallbackRefusedError(InvocationError):
    """`X-Callback-Url` is no address that a result can be posted to."""

    status = 400


@dataclass(frozen=True, slots=True)
class Wish:
    """To be invoked asynchronously: `preferred` when by `Prefer` (RFC 7240); `callback` is a URL or empty."""

    preferred: bool
    callback: str


def read_wish(headers: tuple[tuple[bytes, bytes], ...]) -> Wish | None:
    """The wish in a request's headers (names in small letters); None: the caller waits for the answer."""
    told = {name: value.decode("latin-1").strip() for name, value in headers}
    preferences = ",".join(value.decode("latin-1") for name, value in headers if name == b"prefer")
    preferred = any(_token(each) == "respond-async" for each in preferences.split(","))
    if not preferred and told.get(b"x-invocation-type", "").lower() != "async":
        return None
    return Wish(preferred, told.get(b"x-callback-url", ""))


def _token(preference: str) -> str:
    return preference.partition(";")[0].strip().lower()


def check_callback(url: str, listed: frozenset[str] = frozenset()) -> None:
    """Raise CallbackRefusedError unless `url` is empty or an address that results may be posted to.

    `listed` is the config's `callback_hosts`; names are judged when they are looked up.
    """
    if not url:
        return
    if fault := _find_fault(url):
        raise CallbackRefusedError(f"X-Callback-Url {fault}; write http://HOST:PORT/PATH, or https")
    try:
        check_literal(read_destination(url), listed)
    except ForbiddenPlaceError as error:
        raise CallbackRefusedError(f"X-Callback-Url {error}") from None
    except ValueError:
        raise CallbackRefusedError("X-Callback-Url has a host that can be no host's name") from None


def _find_fault(url: str) -> str | None:
    if len(url) > LONGEST_URL:
        return f"is longer than {LONGEST_URL} characters"
    if not (url.isascii() and url.isprintable()) or " " in url:
        return "has characters that a URL spells as %XX"
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not named:
        return "is not an http or https address"
    return "holds a user or password, which would be kept with the event" if "@" in parts.netloc else None
