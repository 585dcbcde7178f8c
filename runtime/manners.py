"""What an instance may say how often: others have turns of the loop as well."""

from runtime.worker.frames import FrameError

FRAMES_PER_TURN = 256
"""Frames that are taken in before everybody else has a turn of the loop: a few milliseconds."""
MOST_UNASKED = 1000
"""Frames that an instance may send in its life of which nobody has any use."""


class Manners:
    """Those of one instance."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._unasked = 0

    def say(self, word: str) -> None:
        """Note a word about itself, of which each is said once; raises FrameError the second time."""
        if word in self._said:
            raise FrameError("it says again what is said once")
        self._said.add(word)

    def are_lost(self) -> bool:
        """Note a frame that nobody asked for; whether there have been too many by now."""
        self._unasked += 1
        return self._unasked == MOST_UNASKED
