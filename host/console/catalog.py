"""All that the console says, in both languages: read from `strings/`, where the two stand side by side."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "strings"
SHARED = "console"
"""The namespace that every page has."""
LANGUAGES = {"en": "English", "zh-CN": "中文"}
USUAL = "en"
PLACEHOLDER = re.compile(r"\{(\w+)\}")

Strings = dict[str, str]


class StringsError(Exception):
    """A file of strings is not as it must be; the message names file and key."""


class Catalog:
    """The strings of each language by key: `overview.title` is `title` in `strings/overview.yaml`."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._strings: dict[str, Strings] = {language: {} for language in LANGUAGES}
        for file in sorted(folder.glob("*.yaml")):
            told = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
            for key, both in _leaves(file.stem, told or {}):
                for language, text in _check(key, both).items():
                    self._strings[language][key] = text

    def say(self, language: str, key: str, **values: object) -> str:
        """One string, with `{name}` replaced by the value of that name; raises KeyError."""
        return fill(self._strings[language][key], values)

    def has(self, key: str) -> bool:
        """Whether there is such a string."""
        return key in self._strings[USUAL]

    def keys(self) -> set[str]:
        """Of all strings."""
        return set(self._strings[USUAL])

    def namespaces(self, language: str, names: tuple[str, ...]) -> Strings:
        """All strings of these files, for a page's script."""
        heads = tuple(f"{name}." for name in (SHARED, *names))
        return {key: text for key, text in self._strings[language].items() if key.startswith(heads)}


def fill(text: str, values: Mapping[str, object]) -> str:
    """The text with `{name}` replaced; what has no value stays as it is."""
    return PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)


def _leaves(path: str, told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in told.items():
        place = f"{path}.{key}"
        if not isinstance(key, str):
            raise StringsError(f"{place}: write this key with quotes: YAML takes it for {type(key).__name__}")
        if isinstance(value, dict) and set(value) != set(LANGUAGES):
            yield from _leaves(place, value)
        else:
            yield place, value


def _check(key: str, both: Any) -> Strings:
    if not isinstance(both, dict) or not all(isinstance(text, str) and text for text in both.values()):
        raise StringsError(f"{key}: say it in {' and '.join(LANGUAGES)}, each as a text")
    if len({frozenset(PLACEHOLDER.findall(text)) for text in both.values()}) > 1:
        raise StringsError(f"{key}: both languages need the same placeholders")
    return both
