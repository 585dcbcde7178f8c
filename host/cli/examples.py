"""What a person types, for the end of each verb's help."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "serve": ("fnhost serve", "fnhost serve --config fnhost.yaml --listen 127.0.0.1:5889"),
    "demo": ("fnhost demo", "fnhost demo --once --port 0"),
    "doctor": ("fnhost doctor", "fnhost doctor --config fnhost.yaml -o json"),
    "config": ("fnhost config check fnhost.yaml", "fnhost config apply fnhost.yaml"),
    "bridge": ("fnhost bridge --config bridge.yaml",),
    "fake": ("fnhost fake serve --port 18080",),
    "init": ("fnhost init hello", "fnhost init model --template sklearn"),
    "dev": ("fnhost dev hello", "fnhost dev hello --event samples/hot.json --once"),
    "test": ("fnhost test hello", "fnhost test hello --update"),
    "check": ("fnhost check hello",),
    "package": ("fnhost package hello --with-wheels -o hello.zip",),
    "deploy": ("fnhost deploy ./hello", "fnhost deploy industry.zip --name industry"),
    "inspect": ("fnhost inspect industry.zip",),
    "invoke": ('fnhost invoke hello -d \'{"name": "Ada"}\'', "fnhost invoke industry@2 -d @event.json"),
    "scale": ("fnhost scale industry 3", "fnhost scale industry auto"),
    "remove": ("fnhost remove hello --yes",),
    "top": ("fnhost top", "fnhost top --once"),
    "list": ("fnhost list", "fnhost list --url http://gateway:5888 --token-file token"),
    "describe": ("fnhost describe industry",),
    "logs": ("fnhost logs industry --follow", "fnhost logs industry@2 --since 10m --level error"),
    "why": ("fnhost why industry",),
    "usage": ("fnhost usage --by function --since 6h",),
    "metrics": ("fnhost metrics export --function industry --since 1h --format csv",),
    "invocations": ("fnhost invocations --failed --function industry",),
    "replay": ("fnhost replay 0f3a91c2 --on industry@2",),
    "debug": ("fnhost debug 0f3a91c2",),
    "console": ("fnhost console", "fnhost console --url http://127.0.0.1:5888"),
    "status": ("fnhost status",),
    "completion": ("fnhost completion bash >> ~/.bashrc",),
    "bench": ("fnhost bench industry --file event.json --rates 10,20,50 --yes",),
    "dlq": ("fnhost dlq list --function industry", "fnhost dlq show 12", "fnhost dlq replay --all"),
    "token": (
        "fnhost token create --scope invoke:industry --expires 30d --name line-3",
        "fnhost token revoke 1a2b3c4d",
    ),
    "audit": ("fnhost audit --tail 20", "fnhost audit --verify"),
}


def epilog_of(verb: str) -> str:
    """The examples of a verb, as click wants to have them."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in EXAMPLES.get(verb, ()))])
