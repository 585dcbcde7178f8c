"""The operations that browsers use: the page to try the API, and the files it is made of."""

from host.web.openapi.operation import BYTES, Answer, Operation, Schema, in_path

NAME: Schema = in_path("name", "The file's name.", {"type": "string", "minLength": 1, "examples": ["api.js"]})
UNCHANGED = Answer("What the browser has is current (`If-None-Match`).")

OPERATIONS = (
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
            "200": Answer(
                "The file.",
                dict.fromkeys(("text/css", "text/javascript", "image/svg+xml"), BYTES),
                {"etag": "Of this version."},
            ),
            "304": UNCHANGED,
        },
        (404,),
        (NAME,),
    ),
)
