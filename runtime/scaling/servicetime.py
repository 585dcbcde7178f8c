"""How long one event takes a place of an instance, learned from the calls that were measured."""

SMOOTHING = 0.2
"""The weight of the newest call; TCP smooths its round-trip times in the same way (RFC 6298, with 1/8)."""


class ServiceTime:
    """Seconds per event; for a function that takes batches, an event's share of a batch of `largest` events.

    A batch of half the size rarely takes half as long. More instances make smaller batches, and their larger
    shares would ask for ever more instances: so the time of a call is fitted as a line over its size (least
    squares with exponential weights), and what counts is the share in a full batch.
    """

    def __init__(self, largest: int = 1) -> None:
        self.calls = 0
        self._largest = largest
        self._seconds = 0.0
        self._size = 1.0
        self._variance = 0.0
        self._covariance = 0.0

    @property
    def seconds(self) -> float | None:
        """The time of an event; None before the first call has ended."""
        if not self.calls:
            return None
        if self._largest == 1:
            return self._seconds
        slope = self._covariance / self._variance if self._variance > 0 else 0.0
        slope = min(max(slope, 0.0), self._seconds / self._size)
        return (self._seconds + slope * (self._largest - self._size)) / self._largest

    def note(self, seconds: float, size: int = 1) -> None:
        """A call with so many events took so long."""
        if not self.calls:
            self._seconds, self._size = seconds, float(size)
        self.calls += 1
        longer, larger = seconds - self._seconds, size - self._size
        self._seconds += longer * SMOOTHING
        if larger or self._variance:
            self._size += larger * SMOOTHING
            self._variance = (1 - SMOOTHING) * (self._variance + SMOOTHING * larger * larger)
            self._covariance = (1 - SMOOTHING) * (self._covariance + SMOOTHING * larger * longer)
