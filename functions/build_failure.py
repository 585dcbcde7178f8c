"""Says in one sentence why uv could not build an environment."""

import re

LONGEST = 1000
ERROR, CAUSE = "error: ", "cause: "
UNSOLVED = "No solution found when resolving dependencies"
UNREADABLE = "Couldn't parse requirement"
UNFETCHED = "Failed to fetch"
END = re.compile(
    r"you require ((?:(?!you require).)*), we can conclude that your requirements are unsatisfiable\.?$"
)
JOINT = re.compile(r"\s*(,? and|\. And because|Because)\s*$")
CONCLUSION = re.compile(r", we can conclude that [^.]*$")
MARKER = re.compile(r"\{[^}]*\}")
REMEDIES = (
    ("provided package locations", "add its wheel to wheels/"),
    ("no usable wheels", "`build: true` in function.yaml allows building it from source"),
    ("in the package registry", "check its name"),
    (UNFETCHED, "check the network, or add the package's wheels as wheels/"),
)


def failure_sentence(lines: list[str], code: int) -> str:
    """The reason in uv's output with the requirement and the remedy, in one sentence without uv's layout.

    `code` is uv's exit code, which is told when there is no reason.
    """
    error, causes = _error_parts(lines)
    if error is None:
        return f"uv ended with exit code {code}; its last words were: {lines[-1] if lines else '(none)'}"
    sentence = _sentence(error, causes)
    remedy = next((f"; {remedy}" for sign, remedy in REMEDIES if sign in sentence), "")
    return sentence[:LONGEST] + remedy


def _sentence(error: str, causes: list[str]) -> str:
    if error == UNSOLVED and causes:
        return _resolution(MARKER.sub("", causes[0]))
    if error.startswith(UNREADABLE) and causes:
        return f"a requirement cannot be read: {causes[0].rstrip('^ ')}"
    fetch = next((cause for cause in causes if cause.startswith(UNFETCHED)), error)
    return f"{fetch}: {causes[-1]}" if causes and causes[-1] != fetch else fetch


def _error_parts(lines: list[str]) -> tuple[str | None, list[str]]:
    """The last `error:` and its causes, each with its continuation lines joined."""
    parts: list[str] = []
    for raw in lines:
        line = raw.strip()
        if line.startswith(ERROR):
            parts = [line.removeprefix(ERROR)]
        elif parts and line.startswith(CAUSE):
            parts.append(line.removeprefix(CAUSE))
        elif parts and not line:
            break
        elif parts:
            parts[-1] += " " + line
    return (parts[0], parts[1:]) if parts else (None, [])


def _resolution(cause: str) -> str:
    """`Because A and you require B, we can conclude ...` becomes `the requirement B cannot be had: A`."""
    end = END.search(cause)
    if end is None:
        return f"the requirements cannot be had: {cause.removeprefix('Because ').rstrip('.')}"
    reason = CONCLUSION.sub("", JOINT.sub("", cause[: end.start()])).removeprefix("Because ")
    if not reason:
        return f"the requirements {end[1]} exclude each other"
    reason = reason.replace(". And because ", ", and since ").replace(", we can conclude that ", ", so ")
    return f"the requirement {end[1]} cannot be had: {reason}"
