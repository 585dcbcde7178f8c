"""What came of the dead letters that people had tried again."""

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from runtime.observations import Observer, Run
from triggers.delivery.letters import RESULT
from triggers.store.rows import Letter

State = Literal["waiting", "answered", "dead", "sent"]
STATES: tuple[State, ...] = ("waiting", "answered", "dead", "sent")
MOST_WAITING = 20_000
MOST_RECENT = 50
NOT_RUN = ("overload", "unavailable", "cancelled")
"""Results after which an event waits on, since its function was not there for it."""


@dataclass(slots=True)
class Replay:
    """One letter: a result for a broker is `sent`, an event waits until its function has answered or failed.

    Times are in seconds since the epoch; `why` says what it failed with.
    """

    seq: int
    event_id: str
    function: str
    begun: float
    state: State = "waiting"
    ended: float = 0.0
    why: str = ""


class Replays(Observer):
    """The newest of them; `version` grows with each change, and `totals` are those since the start."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.version = 0
        self.recent: deque[Replay] = deque(maxlen=MOST_RECENT)
        self._clock = clock
        self._waiting: OrderedDict[tuple[str, str], Replay] = OrderedDict()
        self._ended: Counter[State] = Counter()

    @property
    def totals(self) -> dict[State, int]:
        """How many there are in each state."""
        return {**{state: self._ended[state] for state in STATES}, "waiting": len(self._waiting)}

    def note(self, letter: Letter) -> None:
        """This one is tried again."""
        replay = Replay(letter.seq, letter.event_id, letter.function, self._clock())
        self.recent.append(replay)
        self.version += 1
        if letter.kind == RESULT:
            self._end(replay, "sent")
            return
        self._waiting[letter.event_id, letter.function] = replay
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)

    def ended(self, run: Run) -> None:
        """See whether it was one of them."""
        if not self._waiting or run.result in NOT_RUN:
            return
        replay = self._waiting.pop((run.event.id, run.spec.function), None)
        if replay is not None:
            replay.why = "" if run.result == "ok" else str(run.outcome)[:300]
            self._end(replay, "answered" if run.result == "ok" else "dead")

    def _end(self, replay: Replay, state: State) -> None:
        replay.state, replay.ended = state, self._clock()
        self._ended[state] += 1
        self.version += 1
