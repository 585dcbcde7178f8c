"""Bytes to events and results to bytes, by the rules of the ABI (`docs/abi.md`)."""

import functools
import json
import json.encoder
import json.scanner
from collections.abc import Callable
from typing import Any, NoReturn

from .json_depth import is_deeper

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"
BYTES_TYPE = "application/octet-stream"
BYTE_ORDER_MARK = "\ufeff"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class InputError(Exception):
    """The function does not accept this input."""

    __module__ = "fnhost"


class ResultError(Exception):
    """A result cannot travel; the message names its type and the path to it."""

    __module__ = "fnhost"


class Response:
    """A result with everything said: body, status, headers and content type."""

    def __init__(
        self,
        body: object = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
        content_type: str | None = None,
    ) -> None:
        self.body = body
        self.status = int(status)
        self.headers = {str(name): str(value) for name, value in (headers or {}).items()}
        self.content_type = None if content_type is None else str(content_type)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
_scan = json.scanner.make_scanner(_decoder)  # type: ignore[arg-type]  # typeshed: its own kind
_read_json = _decoder.decode
_RAW = (bytes, bytearray, memoryview)


def decode_event(body: bytes, content_type: str | None, wanted: tuple[str, int]) -> object:
    """The event as the function takes it: `json`, `text` or `bytes`, and how deep JSON may be nested.

    Raises InputError when the body is not what its content type or the function wants.
    """
    return _reader_of(content_type, wanted)(body)


@functools.lru_cache(256)
def _reader_of(content_type: str | None, wanted: tuple[str, int]) -> Callable[[bytes], object]:
    accepts, depth = wanted
    if accepts == "bytes":
        return bytes
    kind = (content_type or "").split(";")[0].strip().lower()
    is_json = kind.endswith(("/json", "+json"))
    if accepts == "text":
        return functools.partial(_decode_json_text, depth) if is_json else _decode_text
    if not kind or is_json or kind in FORM_TYPES:
        return functools.partial(_decode_json, depth)

    def refuse(body: bytes) -> NoReturn:
        raise InputError(f"this function accepts JSON, not {kind}: send application/json")

    return refuse


def _decode_text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        where = f"byte {error.start}"
        raise InputError(f"the body is not UTF-8 text ({where}); this function accepts text") from None


def _decode_json_text(depth: int, body: bytes) -> str:
    _decode_json(depth, body)
    return _decode_text(body)


def _decode_json(depth: int, body: bytes) -> object:
    if not body:
        raise InputError("the body is empty, which is no JSON")
    if is_deeper(body, depth):
        raise InputError(f"the body is JSON nested more than {depth} deep (`limits.json_depth`)")
    try:
        text = body.decode()
        if text[0] in "{[":
            # Without the two regular expressions that look for white space around.
            event, end = _scan(text, 0)
            if end == len(text):
                return event
        return _read_json(text.removeprefix(BYTE_ORDER_MARK))
    except StopIteration as error:
        # It ends too soon, or goes on with no value; the bare scanner says only where.
        told = json.JSONDecodeError("Expecting value", text, error.value)
        raise InputError(f"the body is not JSON: {told}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"the body is not JSON: byte {error.start} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}") from None


def encode_result(result: object) -> tuple[bytes, str]:
    """The body and content type of a result that is neither None nor a Response; raises ResultError."""
    if isinstance(result, _RAW):
        return bytes(result), BYTES_TYPE
    return encode_json(result), JSON_TYPE


def encode_response(response: Response) -> tuple[bytes, str]:
    """A Response's body as told: text stays text, unless its content type says JSON."""
    told = response.content_type
    if response.body is None:
        return b"", told or TEXT_TYPE
    if isinstance(response.body, str) and not (told or "").startswith(JSON_TYPE):
        return encode_text(response.body), told or TEXT_TYPE
    body, kind = encode_result(response.body)
    return body, told or kind


def encode_text(text: str) -> bytes:
    """Text as UTF-8; raises ResultError."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ResultError(f"the text has half a character (a lone surrogate) at {error.start}") from None


def encode_json(result: object) -> bytes:
    """JSON with Python's own separators and escapes, as the older program published it."""
    try:
        return _write_json(result).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(_explain(result) or f"the result cannot be written as JSON: {error}") from None


def is_numpy(value: object) -> bool:
    """Whether this is an array or a scalar of numpy, which need not be installed."""
    return type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist")


def _numpy_value(value: Any) -> object:
    if is_numpy(value):
        plain = value.tolist()
        if type(plain) is not type(value):
            return plain
        import numbers

        # What is more precise than Python's float stays itself in tolist().
        if isinstance(plain, numbers.Real):
            return float(plain)
    raise TypeError(f"{type(value).__qualname__} cannot be written as JSON")


def _make_writer() -> Callable[[object], str]:
    # What JSONEncoder.encode makes anew for each call, which takes four times as long as a small result does.
    # Without its look at what holds itself: the depth ends that, and _explain says so.
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(default=_numpy_value, allow_nan=False, check_circular=False).encode
    quote = json.encoder.encode_basestring_ascii
    chunks = make(None, _numpy_value, quote, None, ": ", ", ", False, False, False)
    return lambda value: "".join(chunks(value, 0))


_write_json = _make_writer()


def _explain(value: Any, path: str = "result", depth: int = 0) -> str | None:
    """Where in a result the first thing stands that JSON cannot say."""
    if depth > 100:
        return f"{path[:80]}… is nested deeper than 100 levels"
    if isinstance(value, dict):
        return _explain_dict(value, path, depth)
    if isinstance(value, list | tuple):
        faults = (_explain(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value))
        return next(filter(None, faults), None)
    if is_numpy(value) and type(plain := value.tolist()) is not type(value):
        return _explain(plain, path, depth + 1)
    return _explain_leaf(value, path)


def _explain_dict(value: dict[Any, Any], path: str, depth: int) -> str | None:
    for key, item in value.items():
        if not isinstance(key, str | int | float | bool | None):
            return f"{path} has a key of type {_type_name(key)}; JSON keys are text"
        fault = _explain(item, f"{path}[{key!r}]", depth + 1)
        if fault:
            return fault
    return None


def _explain_leaf(value: Any, path: str) -> str | None:
    try:
        _write_json(value)
    except ValueError:
        return f"{path} is {value!r:.80}, which JSON cannot say"
    except TypeError:
        return f"{path} is of type {_type_name(value)}, which JSON cannot say; {_advice(value)}"
    return None


def _advice(value: object) -> str:
    import inspect

    if inspect.isawaitable(value):
        return "await it in an `async def`"
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        return "a generator can only be the whole result"
    if isinstance(value, bytes | bytearray):
        return "bytes can only be the whole result"
    return "return dict, list, text, numbers or bytes"


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
