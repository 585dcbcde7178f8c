"""Totals that grow: by how much in the last minute."""

from collections import deque

MINUTE = 60.0


class Growth:
    """What has come to totals in the last minute, as far as somebody looked."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def look(self, key: str, at: float, total: int) -> int:
        """Note the total of this key; returns by how much it is more than a minute ago."""
        seen = self._seen.setdefault(key, deque(maxlen=64))
        if seen and total < seen[-1][1]:
            seen.clear()
        seen.append((at, total))
        while seen[0][0] < at - MINUTE:
            seen.popleft()
        return total - seen[0][1]
