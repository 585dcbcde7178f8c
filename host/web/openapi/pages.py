"""The operations that browsers use: the console, the page to try the API, and the files they are made of."""

from host.web.openapi.operation import BYTES, TEXT, Answer, Operation, Schema, in_path, in_query, listed

NAME: Schema = in_path("name", "The file's name.", {"type": "string", "minLength": 1, "examples": ["api.js"]})
UNCHANGED = Answer("What the browser has is current (`If-None-Match`).")

FOLDER: Schema = in_path(
    "folder", "`js`, `css` or `vendor`.", {"type": "string", "minLength": 1, "examples": ["js"]}
)
PAGE: Schema = in_path(
    "page", "The page's name.", {"type": "string", "minLength": 1, "examples": ["functions"]}
)
ITEM: Schema = in_path("item", "Of what, such as a function.", {"type": "string", "minLength": 1})
PIECE: Schema = in_query("part", "A piece of the page instead of all of it.", TEXT)
CHANNEL: Schema = in_query(
    "channel", "What to tell, such as `metrics:industry`; may stand more than once.", listed(TEXT)
)
FILE = Answer(
    "The file.",
    dict.fromkeys(("text/css", "text/javascript", "image/svg+xml"), BYTES),
    {"etag": "Of this version."},
)
HTML = {"text/html": BYTES}
SHOWN = {
    "200": Answer("The page.", HTML),
    "303": Answer("To the page to sign in."),
    "403": Answer("A page that says that the token may not see this one.", HTML),
    "404": Answer("A page that says that there is no such one.", HTML),
}

OPERATIONS = (
    Operation(
        "GET",
        "/console/",
        "consoleHome",
        "Where the overview is.",
        None,
        {"303": Answer("To the overview, at `/`.")},
    ),
    Operation(
        "GET",
        "/console/{page}",
        "consolePage",
        "A page of the console, for browsers. The overview is at `/`.",
        None,
        SHOWN,
        (),
        (PAGE, PIECE),
    ),
    Operation(
        "GET",
        "/console/{page}/{item}",
        "consoleItem",
        "A page of the console about one thing.",
        None,
        SHOWN,
        (),
        (PAGE, ITEM, PIECE),
    ),
    Operation(
        "GET",
        "/console/live",
        "liveFeed",
        "What pages of the console are told while they are open, as server-sent events.",
        "read",
        {"200": Answer("Events, until the caller hangs up.", {"text/event-stream": TEXT})},
        (400, 404, 503),
        (CHANNEL,),
    ),
    Operation(
        "GET",
        "/static/{folder}/{name}",
        "consoleFile",
        "A file that the console is made of.",
        None,
        {"200": FILE, "304": UNCHANGED},
        (404,),
        (FOLDER, NAME),
    ),
    Operation(
        "GET",
        "/api",
        "apiPage",
        "The page to try the API, for browsers.",
        None,
        {"200": Answer("The page.", {"text/html": BYTES}, {"etag": "Of this version."}), "304": UNCHANGED},
    ),
    Operation(
        "GET",
        "/static/{name}",
        "staticFile",
        "A file that pages of the host are made of.",
        None,
        {
            "200": FILE,
            "304": UNCHANGED,
        },
        (404,),
        (NAME,),
    ),
)
