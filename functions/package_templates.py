"""Locates the templates that new packages are made of; their name stands as NAME in them."""

from pathlib import Path

TEMPLATES = ("plain", "sklearn", "batch", "async")


def template_path(name: str) -> Path:
    """The folder of a template. Raises LookupError for another name."""
    if name not in TEMPLATES:
        raise LookupError(f"there is no template {name!r}; there are {', '.join(TEMPLATES)}")
    return Path(__file__).parent / "templates" / name
