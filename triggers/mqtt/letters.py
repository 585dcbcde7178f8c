"""The dead letter of an event that has failed for good."""

import time

from runtime.events import FunctionRaisedError
from triggers.delivery.work import Work, head_of
from triggers.store.rows import Letter

Whose = tuple[str, str, str]
"""The lane's name, the rule's, the function's."""
MOST_STACK = 50


def letter_of(work: Work, whose: Whose, seq: int, error: BaseException) -> Letter:
    """The event with why it failed."""
    lane, rule, function = whose
    raised = error if isinstance(error, FunctionRaisedError) else None
    return Letter(
        seq=seq,
        kind="event",
        lane=lane,
        rule=rule,
        function=function,
        event_id=work.event.id,
        head=head_of(work),
        body=work.event.body,
        attempts=max(work.attempts, 1),
        error_type=raised.error_type if raised else type(error).__name__.removesuffix("Error"),
        message=raised.message if raised else str(error),
        first=work.event.received,
        died=time.time(),
        key=work.key,
        stack=tuple(raised.stack[-MOST_STACK:]) if raised else (),
        source=work.origin.source if work.origin is not None else None,
    )
