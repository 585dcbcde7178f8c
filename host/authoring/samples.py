"""Reads the samples of a package: `samples/*.json`, each an event and perhaps its expected answer."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.authoring.faults import AuthoringError

FOLDER = "samples"
KEYS = {"event", "expect", "content_type", "approx"}
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Sample:
    """One file: its event, and what is known of the answer.

    `document` is the file's JSON. It is a description where it is an object with `event` and no other keys
    than `expect`, `content_type` and `approx`; everything else is the event itself.
    """

    path: Path
    document: Any

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem

    @property
    def event(self) -> Any:
        """The event, as JSON says it."""
        return self.document["event"] if self.is_described else self.document

    @property
    def says_answer(self) -> bool:
        """Whether the answer is known; else the function must only not fail."""
        return self.is_described and "expect" in self.document

    @property
    def expected(self) -> Any:
        """The answer: what its JSON says, text where it is not JSON, None for nothing."""
        return self.document["expect"]

    @property
    def approx(self) -> float:
        """How far numbers may be off, as a share of the expected one, or as such below 1."""
        return self.document.get("approx", 0.0) if self.is_described else 0.0

    @property
    def content_type(self) -> str:
        """What the event is sent as."""
        told = self.document.get("content_type") if self.is_described else None
        return told or JSON_TYPE

    @property
    def body(self) -> bytes:
        """The event as it travels: text as it is where its content type is not JSON, else JSON."""
        if isinstance(self.event, str) and not _is_json(self.content_type):
            return self.event.encode()
        return json.dumps(self.event, ensure_ascii=False).encode()

    def with_answer(self, answer: Any) -> str:
        """The text of the file that has this answer as the expected one."""
        document = self.document if self.is_described else {"event": self.document}
        return json.dumps({**document, "expect": answer}, ensure_ascii=False, indent=2) + "\n"

    @property
    def is_described(self) -> bool:
        """Whether the event stands under `event` in the file, and is not all of it."""
        document = self.document
        return isinstance(document, dict) and "event" in document and document.keys() <= KEYS


def read_sample(path: Path) -> Sample:
    """One sample; raises AuthoringError that names the line."""
    try:
        sample = Sample(path, json.loads(path.read_text("utf-8-sig")))
        check_writable(sample.document)
    except OSError as error:
        raise AuthoringError(f"{path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise AuthoringError(f"{path} is not text in UTF-8; save it as such") from None
    except json.JSONDecodeError as error:
        raise AuthoringError(f"{path}:{error.lineno}: it is not JSON ({error.msg}); correct it") from None
    except (ValueError, RecursionError) as error:
        raise AuthoringError(f"{path}: it {why_unwritable(error)}; write another one") from None
    _check(sample)
    return sample


def check_writable(value: Any) -> None:
    """Raise ValueError or RecursionError for what `json.loads` has read and no file of samples can say."""
    json.dumps(value, ensure_ascii=False, indent=2).encode()


def why_unwritable(error: ValueError | RecursionError) -> str:
    """What of JSON was more than can be read or written, as a sentence's verb and object."""
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if isinstance(error, UnicodeEncodeError):
        return f"has {error.object[error.start]!r}, half of a character, which is no text"
    return f"has more digits in a number than Python reads ({sys.get_int_max_str_digits()})"


def read_samples(package: Path) -> list[Sample]:
    """Those of an unpacked package, by name; raises AuthoringError."""
    return [read_sample(path) for path in find_samples(package)]


def find_samples(package: Path) -> Iterator[Path]:
    """Their files."""
    yield from sorted((package / FOLDER).glob("*.json"))


def _check(sample: Sample) -> None:
    approx, content_type = sample.approx, sample.content_type
    if not isinstance(approx, int | float) or isinstance(approx, bool) or approx < 0:
        raise AuthoringError(f"{sample.path}: `approx` must be a number from 0 on, such as 0.001")
    if not isinstance(content_type, str) or not content_type.isascii() or not content_type.isprintable():
        raise AuthoringError(f"{sample.path}: `content_type` must be text such as text/plain")


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == JSON_TYPE or kind.endswith("+json")
