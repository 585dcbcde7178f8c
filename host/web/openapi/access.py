"""The operations on access: tokens, the audit log, sessions of browsers."""

from host.web.openapi.operation import (
    COUNT,
    JSON,
    NUMBER,
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

SESSION = "/api/session"
ID: Schema = in_path("id", "The token's id.", {"type": "string", "minLength": 1})
TAIL: Schema = in_query(
    "tail", "So many of the newest, at most 2,000.", {"type": "integer", "minimum": 0, "default": 100}
)
SCOPE: Schema = {
    "type": "string",
    "pattern": r"^(read|admin|(invoke|deploy):[A-Za-z0-9_*][A-Za-z0-9_.*-]{0,99})$",
}
LIFETIME: Schema = maybe({"type": "string", "pattern": r"^[1-9][0-9]{0,3}(s|m|h|d)$", "examples": ["30d"]})
NAME: Schema = {"type": "string", "pattern": r"^[ -~]{0,100}$"}
ORDER: Schema = shape(
    {"scopes": {"type": "array", "items": SCOPE, "minItems": 1, "maxItems": 100}},
    {"expires": LIFETIME, "name": NAME},
)
FOR_A_DEVICE = {"scopes": ["invoke:industry"], "expires": "30d", "name": "line 1"}
TOKEN: Schema = shape({"token": TEXT})
WHO: Schema = shape({"who": TEXT, "scopes": listed(TEXT)}, {"csrf": TEXT, "expires": NUMBER})

OPERATIONS = (
    Operation(
        "GET",
        "/api/tokens",
        "listTokens",
        "All tokens, without what opens anything.",
        "admin",
        told(shape({"tokens": listed(ref("Token"))})),
    ),
    Operation(
        "POST",
        "/api/tokens",
        "createToken",
        "Make a token; this answer is the only place where it is told.",
        "admin",
        {"201": Answer("The token.", {JSON: ref("NewToken")}, {"cache-control": "It is not to be kept."})},
        (400, 409, 413, 507),
        (),
        {"required": True, "content": {JSON: {"schema": ORDER, "example": FOR_A_DEVICE}}},
    ),
    Operation(
        "DELETE",
        "/api/tokens/{id}",
        "revokeToken",
        "Have a token open nothing from now on.",
        "admin",
        told(ref("Token")),
        (404, 507),
        (ID,),
    ),
    Operation(
        "GET",
        "/api/audit",
        "listRecords",
        "The newest records of the audit log, the oldest of them first.",
        "admin",
        told(shape({"records": listed(ref("Record"))})),
        (400,),
        (TAIL,),
    ),
    Operation(
        "GET",
        "/api/audit/chain",
        "checkChain",
        "Whether every record of the audit log is as it was written.",
        "admin",
        told(shape({"records": COUNT, "first": COUNT, "head": TEXT, "faults": listed(TEXT)})),
    ),
    Operation("GET", SESSION, "showSession", "Who the caller is, and what it may do.", None, told(WHO)),
    Operation(
        "POST",
        SESSION,
        "signIn",
        "Make a session of a token: the cookie opens what the token does.",
        None,
        {"200": Answer("Who that is.", {JSON: WHO}, {"set-cookie": "The session's cookie."})},
        (400, 401, 413, 429),
        (),
        {"required": True, "content": {JSON: {"schema": TOKEN, "example": {"token": "fnh_…"}}}},
    ),
    Operation(
        "DELETE",
        SESSION,
        "signOut",
        "End the session of the request's cookie.",
        None,
        {"200": Answer("Nobody.", {JSON: shape({"who": TEXT})}, {"set-cookie": "An empty one."})},
    ),
    Operation(
        "POST",
        f"{SESSION}/code",
        "makeSignInCode",
        "Make a code that signs a browser in as the caller, once, within five minutes.",
        "read",
        {"201": Answer("The code, and the page that takes it.", {JSON: shape({"code": TEXT, "page": TEXT})})},
        (401, 403),
    ),
)
