"""The operations on functions: deploy, look, scale, remove, logs."""

from host.web.openapi.operation import (
    BYTES,
    LINES,
    TEXT,
    Answer,
    Operation,
    Schema,
    in_path,
    in_query,
    listed,
    maybe,
    ref,
    shape,
    told,
)
from host.web.openapi.schemas import REVISION

PATH = "/api/functions/{name}"
NAME: Schema = in_path(
    "name",
    "The function's name: letters, digits and `_` of any script, inside also `.` and `-`.",
    {"type": "string", "minLength": 1, "examples": ["industry"]},
)
NUMBER: Schema = in_path(
    "number", "The revision's number.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
)
TAIL: Schema = in_query(
    "tail", "So many of the newest lines, at most 2,000.", {"type": "integer", "minimum": 0, "default": 100}
)
FOLLOW: Schema = in_query(
    "follow", "1: go on with the lines that come.", {"type": "integer", "enum": [0, 1], "default": 0}
)
LOG: tuple[Schema, ...] = (
    in_query(
        "since", "Not before: `10m` ago, or a time in ISO 8601.", {"type": "string", "examples": ["10m"]}
    ),
    in_query("grep", "A regular expression of Python to be found.", {"type": "string", "maxLength": 200}),
    in_query("invocation", "The id of the invocation, or how it begins.", TEXT),
    in_query("level", "At least this.", {"enum": ["debug", "info", "warning", "error", "critical"]}),
    in_query("revision", "Of this revision.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}),
)
WANTED: Schema = in_query("name", "What the function is to be called, whatever its manifest says.", TEXT)
DEFAULT: Schema = in_query("default_name", "What it is to be called if nothing else names it.", TEXT)
INSTANCES: Schema = shape({"instances": maybe({"type": "integer", "minimum": 0})})

OPERATIONS = (
    Operation(
        "GET",
        "/api/functions",
        "listFunctions",
        "All functions, also those that the config names and that nobody has deployed.",
        "read",
        told(shape({"functions": listed(ref("Summary"))})),
    ),
    Operation(
        "POST",
        "/api/functions",
        "deploy",
        "Deploy a package. Its progress is told line by line; whether it "
        "was deployed is said by the last line, of the type `done` or `error`.",
        "deploy",
        {"200": Answer("The package is taken; one JSON object per line.", {LINES: TEXT})},
        problems=(400, 413, 422, 503, 507),
        parameters=(WANTED, DEFAULT),
        body={
            "required": True,
            "description": "The package's zip.",
            "content": {"application/octet-stream": {"schema": BYTES}},
        },
    ),
    Operation("GET", PATH, "describe", "One function.", "read", told(ref("Function")), (404,), (NAME,)),
    Operation(
        "DELETE",
        PATH,
        "remove",
        "Take a function away with all its revisions.",
        "deploy",
        told(shape({"removed": TEXT})),
        (404, 503),
        (NAME,),
    ),
    Operation(
        "POST",
        f"{PATH}/scale",
        "scale",
        "Fix the number of instances; null leaves it to the load again.",
        "deploy",
        told(INSTANCES),
        (400, 404, 409, 413, 503),
        (NAME,),
        {
            "required": True,
            "content": {"application/json": {"schema": INSTANCES, "example": {"instances": 2}}},
        },
    ),
    Operation(
        "GET",
        f"{PATH}/why",
        "listDecisions",
        "Why it has as many instances as it has, newest last.",
        "read",
        told(shape({"function": TEXT, "decisions": listed(ref("Decision"))})),
        (404,),
        (NAME,),
    ),
    Operation(
        "GET",
        f"{PATH}/logs",
        "readLogs",
        "The newest lines of its log, one JSON object per line.",
        "read",
        {"200": Answer("The lines, oldest first; each is a `LogLine`.", {LINES: TEXT})},
        (400, 404, 429, 503),
        (NAME, TAIL, FOLLOW, *LOG),
    ),
    Operation(
        "GET",
        f"{PATH}/revisions/{{number}}",
        "describeRevision",
        "A revision, with what stood in its package when it was deployed.",
        "read",
        told(shape({**REVISION, "inspection": maybe({"type": "object"})})),
        (404,),
        (NAME, NUMBER),
    ),
    Operation(
        "GET",
        f"{PATH}/revisions/{{number}}/environment",
        "describeEnvironment",
        "What a revision runs in: Python, the distributions installed, its manifest, the names of variables.",
        "read",
        told(
            shape(
                {
                    "python": maybe(TEXT),
                    "packages": listed(shape({"name": TEXT, "version": TEXT, "source": TEXT})),
                    "isolation": TEXT,
                    "variables": listed(TEXT),
                    "input": maybe({"type": "object"}),
                    "manifest": {"type": "object"},
                }
            )
        ),
        (404,),
        (NAME, NUMBER),
    ),
    Operation(
        "GET",
        f"{PATH}/revisions/{{number}}/setup",
        "showSetup",
        "What its processes are told at their start: paths on the host's machine, variables, secrets' names.",
        "admin",
        told(
            shape(
                {
                    "setup": {"type": "object"},
                    "environment": {"type": "object", "additionalProperties": TEXT},
                    "user": maybe({"type": "integer"}),
                    "program": TEXT,
                    "worker": TEXT,
                }
            )
        ),
        (404, 503),
        (NAME, NUMBER),
    ),
    Operation(
        "GET",
        f"{PATH}/revisions/{{number}}/build-log",
        "readBuildLog",
        "What the build of a revision's environment printed.",
        "read",
        {"200": Answer("The text.", {"text/plain": TEXT})},
        (404,),
        (NAME, NUMBER),
    ),
)
