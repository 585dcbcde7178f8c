"""Tracebacks as an author sees them."""

from host.authoring.frames import own_frames

STORED = f"/tmp/x/state/packages/{'ab' * 32}"
STACK = [
    "Traceback (most recent call last):\n",
    f'  File "{STORED}/index.py", line 5, in index\n',
    "    return parse(event)",
    "           ^^^^^^^^^^^^",
    '  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads',
    "    return _default_decoder.decode(s)",
    "  [Previous line repeated 3 more times]",
    "json.decoder.JSONDecodeError: odd",
]


def test_frames_outside_of_the_package_are_left_out() -> None:
    shown = [
        "Traceback (most recent call last):",
        '  File "trend/index.py", line 5, in index',
        "    return parse(event)",
        "           ^^^^^^^^^^^^",
        "json.decoder.JSONDecodeError: odd",
    ]
    assert own_frames(STACK, "trend/") == shown
    assert own_frames(STACK, "")[1] == '  File "index.py", line 5, in index'


def test_those_of_an_exception_group_are_too() -> None:
    group = ["  | Traceback (most recent call last):", *(f"    | {line}".rstrip() for line in STACK[1:])]
    shown = own_frames(group, "")
    assert [line for line in shown if "File" in line] == ['    |   File "index.py", line 5, in index']
    assert "_default_decoder" not in "".join(shown) and shown[-1] == "    | json.decoder.JSONDecodeError: odd"


def test_a_traceback_without_any_of_the_package_stays_whole() -> None:
    assert own_frames(STACK[4:], "") == STACK[4:]
