"""Durations and sizes as people read them, in the largest unit that fits."""

from conf.units import SECONDS

WORDS = {"ms": "millisecond", "s": "second", "m": "minute", "h": "hour", "d": "day"}
STEPS = ("KiB", "MiB", "GiB", "TiB")


def write_duration(seconds: float) -> str:
    """As one writes it in a config: `100ms`, `36h`, `30d`."""
    number, unit = _in_units(seconds)
    return f"{number:g}{unit}"


def say_duration(seconds: float) -> str:
    """As one says it in a sentence: `1 day`, `90 seconds`."""
    number, unit = _in_units(seconds)
    return f"{number:g} {WORDS[unit]}" + ("" if number == 1 else "s")


def say_size(count: float) -> str:
    """So many bytes, rounded to a tenth of their unit: `1 MiB`, `819.2 KiB`, `12 bytes`."""
    if count < 1024:
        return f"{count:.0f} byte" + ("" if round(count) == 1 else "s")
    # What would be rounded to 1024 of a unit is one of the next.
    step = next((each for each in range(1, len(STEPS)) if count < 1023.95 * 1024**each), len(STEPS))
    return f"{count / 1024**step:.1f}".removesuffix(".0") + f" {STEPS[step - 1]}"


def say_count(number: int, word: str) -> str:
    """`1 moment`, `100,000 moments`."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _in_units(seconds: float) -> tuple[float, str]:
    """The number and the largest unit of which `seconds` is a multiple."""
    milliseconds = round(seconds * 1000)
    if milliseconds == 0 or abs(milliseconds - seconds * 1000) > 1e-6:
        return seconds, "s"
    sizes = {unit: round(size * 1000) for unit, size in SECONDS.items()}
    unit = max((each for each in sizes if milliseconds % sizes[each] == 0), key=sizes.__getitem__)
    return milliseconds // sizes[unit], unit
