"""The operations on the host's config: shown, checked, changed, applied."""

from host.web.openapi.operation import (
    COUNT,
    FLAG,
    JSON,
    TEXT,
    Operation,
    Schema,
    in_header,
    listed,
    maybe,
    shape,
    told,
)

ANOTHER: Schema = shape({}, {"path": maybe({"type": "string", "pattern": r"^/[^\u0000]*$"})})
DOCUMENT: Schema = {"type": "object"}
ONLY: Schema = {"additionalProperties": False}
DRAFT: Schema = {"oneOf": [shape({"document": DOCUMENT}) | ONLY, shape({"text": TEXT}) | ONLY]}
BODY: Schema = {"required": True, "content": {JSON: {"schema": DRAFT, "example": {"document": {}}}}}
IF_MATCH: Schema = {
    **in_header("If-Match", "The ETag of `GET /api/config` that this is made from.", TEXT),
    "required": True,
}
FAULT: Schema = shape({"path": TEXT, "message": TEXT, "hint": maybe(TEXT), "line": maybe(COUNT)})
SHEET: Schema = shape(
    {
        "file": TEXT,
        "exists": FLAG,
        "digest": TEXT,
        "generation": TEXT,
        "text": maybe(TEXT),
        "document": maybe(DOCUMENT),
        "lock": {"enum": ["", "generation", "file"]},
        "obstacle": TEXT,
        "reason": TEXT,
        "faults": listed(FAULT),
        "notes": listed(TEXT),
        "is_applied": FLAG,
        "restart": listed(TEXT),
        "overridden": listed(TEXT),
    }
)
SECTION: Schema = shape(
    {"section": TEXT, **dict.fromkeys(("added", "changed", "removed"), listed(TEXT))},
)
CHECKED: Schema = shape(
    {
        "faults": listed(FAULT),
        "text": TEXT,
        "document": maybe(DOCUMENT),
        "keeps_comments": FLAG,
        "diff": TEXT,
        "changes": listed(SECTION),
        "keys": listed(TEXT),
        "restart": listed(TEXT),
    }
)
WRITTEN: Schema = shape(
    {"changes": listed(TEXT), "restart": listed(TEXT), "digest": TEXT, "backup": maybe(TEXT)}
)

OPERATIONS = (
    Operation(
        "POST",
        "/api/config",
        "applyConfig",
        "Go over to another config file of the host's machine, or, with `{}`, to its own as it is now.",
        "admin",
        told(shape({"changes": listed(TEXT)})),
        (400, 409, 413, 422),
        body={"required": True, "content": {JSON: {"schema": ANOTHER, "example": {}}}},
    ),
    Operation(
        "GET",
        "/api/config",
        "showConfig",
        "The host's config file, with `${kept:1}` and so on for secrets that stand in it in plain text.",
        "admin",
        told(SHEET),
    ),
    Operation(
        "PUT",
        "/api/config",
        "writeConfig",
        "Change the config file, and go over to what it says then; if that fails, the file is as it was.",
        "admin",
        told(WRITTEN),
        (400, 409, 413, 422, 507),
        (IF_MATCH,),
        BODY,
    ),
    Operation(
        "POST",
        "/api/config/check",
        "checkConfig",
        "What a change of the config file would be, or all that is wrong with it.",
        "admin",
        told(CHECKED),
        (400, 409, 413),
        (IF_MATCH,),
        BODY,
    ),
    Operation(
        "GET", "/api/config/schema", "configSchema", "The JSON Schema of the config.", "admin", told(DOCUMENT)
    ),
)
