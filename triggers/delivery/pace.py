"""How many events of one lane are out at a time, learned from how their answers come back."""

CEILING = 1000
WAIT = 0.5


class Pace:
    """A limit that grows by one per prompt answer and is halved when answers had to wait (TCP's AIMD).

    A function's deadline covers its queueing, so a burst that is put into the pool's queue as a whole would
    fail there by age. What is above the limit waits in the lane, where no clock runs. `WAIT` seconds of
    queueing are enough to keep a pool busy and for its autoscaler to see the load.
    """

    def __init__(self) -> None:
        self.limit = 1
        self._cut = -1

    def answered(self, seq: int, waited: float, sent: int) -> None:
        """Event number `seq` queued for `waited` seconds; `sent` is the number of the newest event sent."""
        if waited <= WAIT:
            self.limit = min(self.limit + 1, CEILING)
        elif seq > self._cut:
            # Once per round trip: what was sent before the cut says nothing about its effect.
            self.limit = max(self.limit // 2, 1)
            self._cut = sent

    def full(self, out: int) -> None:
        """The pool's queue is full with `out` events of this lane in it or running."""
        self.limit = max(out, 1)

    def unavailable(self) -> None:
        """The pool does not run: a single event finds out when it does again."""
        self.limit = 1
