"""Locates the sample packages that are shipped with the program."""

from pathlib import Path

SAMPLES = ("industry", "test")


def sample_path(name: str) -> Path:
    """The folder of a sample package, ready for `pack_folder`. Raises LookupError for another name."""
    if name not in SAMPLES:
        raise LookupError(f"there is no sample {name!r}; there are {' and '.join(SAMPLES)}")
    return Path(__file__).parent / "samples" / name
