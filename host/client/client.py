"""A connection to a host, and what can be asked of it."""

import json
import os
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from conf.address import Address
from host.access.local_token import find_local_token
from host.client.errors import ClientError, Json, RefusedError, UnreachableError, UrlError
from host.client.upload import Upload

Tell = Callable[[int, int], None]

FUNCTIONS, DEAD_LETTERS, TOKENS = "/api/functions", "/api/dead-letters", "/api/tokens"
PROBLEM = "application/problem+json"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0  # for requests that the host answers by itself; functions and builds have none


@dataclass(frozen=True)
class Reply:
    """A function's own answer, whatever its status."""

    status: int
    content_type: str
    body: bytes


class Client:
    """Speaks to one host; use it as a context manager. Every method raises ClientError.

    Without a `token`, a host of this user on loopback is sent the one that it has left for them. `named` is
    what errors say of where the URL comes from.
    """

    def __init__(self, url: str, token: str | None = None, named: str = "") -> None:
        is_near = Address(_host_of(url), 0).is_loopback
        if token is None and is_near and (found := find_local_token(url, os.environ)) is not None:
            url, token = found.url, found.token
        self.url, self._named = url.rstrip("/"), named
        self.authorization = f"Bearer {token}" if token else None
        self._http = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            # A proxy of the environment cannot know what listens on this machine's own loopback.
            trust_env=not is_near,
            verify=_trusted(os.environ) if url.startswith("https:") else False,
            headers={"authorization": self.authorization} if self.authorization else {},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def functions(self) -> list[Json]:
        """Every function with its state."""
        found = self._ask("GET", FUNCTIONS).get("functions")
        if not isinstance(found, list):
            raise self._stranger()
        return found

    def function(self, name: str) -> Json:
        """One function with its revisions, aliases and instances."""
        return self._ask("GET", _path(name))

    def remove(self, name: str) -> Json:
        """Removes the function with all its revisions."""
        return self._ask("DELETE", _path(name))

    def scale(self, name: str, instances: int | None) -> Json:
        """Fixes the number of instances; None leaves it to the load again."""
        return self._ask("POST", f"{_path(name)}/scale", json={"instances": instances})

    def why(self, name: str) -> Json:
        """The last `decisions` about the function's instances, each with a `sentence`, newest last."""
        return self._ask("GET", f"{_path(name)}/why")

    def usage(self, by: str, seconds: float | None) -> Json:
        """What each caller or function had in the last so many seconds; None: in all time."""
        return self._ask("GET", "/api/usage", params={"by": by} | ({"seconds": seconds} if seconds else {}))

    def dead_letters(self, query: Json) -> Json:
        """The newest dead letters; `query` may have `function`, `rule`, `limit` and `before`."""
        asked = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", DEAD_LETTERS, params=asked)

    def dead_letter(self, seq: int) -> Json:
        """One dead letter with its body."""
        return self._ask("GET", f"{DEAD_LETTERS}/{seq}")

    def replay_letter(self, seq: int) -> Json:
        """Has one dead letter tried again."""
        return self._ask("POST", f"{DEAD_LETTERS}/{seq}/replay")

    def replay_letters(self, query: dict[str, str]) -> Json:
        """Has those of a `function` or `rule` tried again, or with `all` all of them."""
        return self._ask("POST", f"{DEAD_LETTERS}/replay", params=query, timeout=_patient())

    def drop_letter(self, seq: int) -> Json:
        """Throws one dead letter away."""
        return self._ask("DELETE", f"{DEAD_LETTERS}/{seq}")

    def drop_letters(self, query: dict[str, str]) -> Json:
        """Throws those of a `function` or `rule` away, or with `all` all of them."""
        return self._ask("DELETE", DEAD_LETTERS, params=query, timeout=_patient())

    def apply_config(self, path: Path) -> Json:
        """Has the host go over to a config file of its machine; `changes` says what became of it."""
        return self._ask("POST", "/api/config", json={"path": str(path)}, timeout=_patient())

    def tokens(self) -> list[Json]:
        """Every token, without what opens anything."""
        return _listed(self._ask("GET", TOKENS), "tokens")

    def create_token(self, scopes: Sequence[str], expires: str | None, name: str) -> Json:
        """Makes one; its `token` is told here and nowhere else."""
        return self._ask("POST", TOKENS, json={"scopes": list(scopes), "expires": expires, "name": name})

    def revoke_token(self, token_id: str) -> Json:
        """Has one open nothing from now on."""
        return self._ask("DELETE", f"{TOKENS}/{quote(token_id, safe='')}")

    def audit(self, tail: int) -> list[Json]:
        """The newest records of the audit log, the oldest of them first."""
        return _listed(self._ask("GET", "/api/audit", params={"tail": tail}), "records")

    def audit_chain(self) -> Json:
        """Whether the audit log is whole."""
        return self._ask("GET", "/api/audit/chain", timeout=_patient())

    def deploy(self, package: Path, names: dict[str, str], tell: Tell = lambda *_: None) -> Iterator[Json]:
        """Sends a zip and yields the host's progress, `done` or `error` last.

        `names` has `name`, or `default_name` for a package whose manifest names none. `tell` hears how many
        bytes are gone, and of how many.
        """
        told: Json = {"params": names, "headers": {"content-type": "application/zip"}, "timeout": _patient()}
        with package.open("rb") as file, self._explained():
            request = self._http.build_request("POST", FUNCTIONS, content=Upload(file, tell), **told)
            for message in self._lines(request):
                yield message
                if message.get("type") in ("done", "error"):
                    return
        raise UnreachableError(f"{self.url} broke off in the middle of the deploy; see the host's own log")

    def logs(self, name: str, query: Mapping[str, str | int]) -> Iterator[Json]:
        """Yields the lines of the function's log that the API's `query` wants."""
        with self._explained():
            request = self._http.build_request("GET", f"{_path(name)}/logs", params=query, timeout=_patient())
            yield from self._lines(request)

    def invoke(self, target: str, body: bytes, content_type: str | None) -> Reply:
        """Runs the function on one event; RefusedError when it is the host that answers for it."""
        headers = {"content-type": content_type} if content_type else {}
        path = f"/invoke/{quote(target, safe='@')}"
        with self._explained():
            response = self._http.post(path, content=body, headers=headers, timeout=_patient())
        if _is_problem(response):
            raise _refusal(response)
        return Reply(response.status_code, response.headers.get("content-type", ""), response.content)

    def invoke_async(self, target: str, body: bytes, content_type: str | None, callback: str | None) -> Json:
        """Has the function run on one event later; what the host says once it has the event on disk."""
        headers = {"x-invocation-type": "async"}
        headers |= {"content-type": content_type} if content_type else {}
        headers |= {"x-callback-url": callback} if callback else {}
        return self._ask("POST", f"/invoke/{quote(target, safe='@')}", content=body, headers=headers)

    def fetch(self, path: str, query: Mapping[str, str]) -> Iterator[bytes]:
        """The body of what GET answers, piece by piece, for the files beside this one."""
        with self._explained(), self._http.stream("GET", path, params=query) as response:
            if not response.is_success:
                response.read()
                raise _refusal(response)
            yield from response.iter_bytes()

    def _ask(self, method: str, path: str, **options: Any) -> Json:
        with self._explained():
            response = self._http.request(method, path, **options)
            return self._object(response)

    ask = _ask  # for what other files beside this one know of the API

    def _object(self, response: httpx.Response) -> Json:
        if response.is_error:
            raise _refusal(response)
        answer = response.json() if response.content else None
        if not response.is_success or not isinstance(answer, dict):
            raise self._stranger()
        return answer

    def _lines(self, request: httpx.Request) -> Iterator[Json]:
        response = self._http.send(request, stream=True)
        try:
            if not response.is_success:
                response.read()
                raise _refusal(response)
            for line in _split(response.iter_bytes()):
                if line:
                    yield json.loads(line)
        finally:
            response.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise UnreachableError(
                f"the host at {self.url} does not answer in time; see its own log"
            ) from None
        except httpx.ConnectError as error:
            raise UnreachableError(
                f"no host answers at {self.url}{self._named} ({_cause(error)}); start one with `fnhost"
                " serve`, or say where it is with --url or FNHOST_URL"
            ) from None
        except httpx.TransportError as error:
            raise UnreachableError(f"{self.url} hung up ({_cause(error)}); see the host's own log") from None
        except ValueError:
            raise self._stranger() from None

    def _stranger(self) -> ClientError:
        return UnreachableError(
            f"what answers at {self.url} is no fnhost; say where it is with --url or FNHOST_URL"
        )


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines end with a line feed only: within JSON stands what Unicode also has for the end of one."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return httpx.URL(url).host
    except (ValueError, httpx.InvalidURL):
        pass  # said below, like every other address that is none
    raise UrlError(f"{url!r} is not a host's address; write http://HOST:PORT")


def _trusted(env: Mapping[str, str]) -> ssl.SSLContext:
    """Whom to believe: FNHOST_CA, else the system's authorities; FNHOST_CERT has our certificate and key."""
    authorities, own = env.get("FNHOST_CA"), env.get("FNHOST_CERT")
    try:
        context = ssl.create_default_context(cafile=authorities)
        if own:
            context.load_cert_chain(own)
    except OSError as error:
        named = " and ".join(name for name in ("FNHOST_CA", "FNHOST_CERT") if env.get(name))
        raise UrlError(f"{named or 'the system'} names no file of certificates in PEM: {error}") from None
    return context


def _cause(error: httpx.TransportError) -> str:
    """`Connection refused`, without the number in front."""
    return str(error).partition("] ")[2] or str(error) or type(error).__name__


def _listed(answer: Json, name: str) -> list[Json]:
    found = answer.get(name)
    return found if isinstance(found, list) else []


def _path(name: str) -> str:
    return f"/api/functions/{quote(name, safe='')}"


def _patient() -> httpx.Timeout:
    return httpx.Timeout(None, connect=CONNECT_SECONDS)


def _is_problem(response: httpx.Response) -> bool:
    return bool(response.headers.get("content-type", "").startswith(PROBLEM))


def _refusal(response: httpx.Response) -> RefusedError:
    problem = response.json() if _is_problem(response) else {}
    return RefusedError(response.status_code, problem if isinstance(problem, dict) else {})
