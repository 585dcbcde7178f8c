"""What a function was told about its instances, in the words that `fnhost describe` uses."""

from typing import Any

from host.cli.output import shown

Json = dict[str, Any]

PRELOAD = {
    True: "yes, unless a fork would not be safe",
    False: "no",
    "always": "yes, whether or not a fork is safe",
}


def told_rules(function: Json) -> dict[str, str | None]:
    """Each rule by its name; none for a function of which nothing runs."""
    from conf.quantities import say_size

    if function.get("scale") is None:
        return {}
    memory = function.get("memory")
    return {
        "scale": _scale(function["scale"]),
        "fixed": _fixed(function),
        "concurrency": shown(function.get("concurrency")),
        "threads": f"{shown(function.get('threads'))} (OMP_NUM_THREADS and others)",
        "batch": _batch(function["batch"]) if function.get("batch") else None,
        "preload": PRELOAD.get(function.get("preload", True)),
        "memory": say_size(memory) if memory else None,
    }


def _scale(scale: Json) -> str:
    from conf.quantities import write_duration

    idle, warm = write_duration(scale["idle"]), write_duration(scale["keep_warm"])
    return f"{scale['min']} to {scale['max']} instances, target {scale['target']:g}, idle {idle}, warm {warm}"


def _fixed(function: Json) -> str | None:
    if (number := function.get("fixed")) is None:
        return None
    return f"{number} (`fnhost scale {function['name']} auto` ends that)"


def _batch(batch: Json) -> str:
    from conf.quantities import write_duration

    return f"up to {batch['max_size']} events, the first waits {write_duration(batch['max_wait'])} at most"
