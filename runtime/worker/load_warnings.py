"""Notes what Python warns of while a package and its models are loaded, for those who deploy it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .masks import Mask

MOST = 20
LONGEST = 300
INCONSISTENT = ("original_sklearn_version", "current_sklearn_version")
"""What scikit-learn's InconsistentVersionWarning tells, from 1.3 on."""

Note = dict[str, str]


class LoadWarnings:
    """The warnings of one process, each text once; they are shown in its log all the same."""

    def __init__(self, mask: Mask = str) -> None:
        self._mask = mask
        self.notes: dict[str, Note] = {}

    @contextmanager
    def noted(self) -> Iterator[None]:
        """While the package is loaded."""
        show = warnings.showwarning

        def note(message: Any, category: Any, *rest: Any, **named: Any) -> None:
            self._add(message, category)
            show(message, category, *rest, **named)

        warnings.showwarning = note
        try:
            yield
        finally:
            if warnings.showwarning is note:  # else the package has its own by now
                warnings.showwarning = show

    def _add(self, message: Any, category: Any) -> None:
        made, installed = (str(getattr(message, name, ""))[:LONGEST] for name in INCONSISTENT)
        text = self._mask(f"{getattr(category, '__name__', category)}: {message}")[:LONGEST]
        if len(self.notes) < MOST:
            self.notes.setdefault(text, {"text": text, "made": made, "installed": installed})
