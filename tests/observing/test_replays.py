"""What came of dead letters that were tried again."""

from dataclasses import replace

from host.observing.replays import Replays
from runtime.events import FunctionRaisedError, InvocationError, UnavailableError
from runtime.observations import Run
from tests.delivery.burying import LETTER
from tests.observing.told import ok, run_of, spec_of


def run_again(outcome: InvocationError | None = None) -> Run:
    """The end of the letter's event."""
    run = run_of(spec_of(LETTER.function), outcome or ok(), "mqtt")
    run.event.id = LETTER.event_id
    return run


def test_an_event_waits_until_its_function_has_answered_or_failed() -> None:
    replays = Replays()
    replays.note(replace(LETTER, seq=1))
    replays.ended(run_again(UnavailableError("not now")))
    assert replays.totals == {"waiting": 1, "answered": 0, "dead": 0, "sent": 0}
    replays.ended(run_again())
    assert replays.totals == {"waiting": 0, "answered": 1, "dead": 0, "sent": 0}
    replays.note(replace(LETTER, seq=2))
    replays.ended(run_again(FunctionRaisedError("ValueError", "no", [])))
    assert [(each.seq, each.state, each.why) for each in replays.recent] == [
        (1, "answered", ""),
        (2, "dead", "ValueError: no"),
    ]


def test_a_result_is_handed_to_its_broker_and_events_of_others_change_nothing() -> None:
    replays = Replays()
    replays.note(replace(LETTER, kind="result"))
    replays.ended(run_again())
    assert replays.totals == {"waiting": 0, "answered": 0, "dead": 0, "sent": 1}
    assert replays.version == 2
