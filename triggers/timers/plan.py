"""What the timer trigger is to do, decided before it starts."""

from dataclasses import dataclass, field

from triggers.delivery.retry import RetryPolicy
from triggers.mqtt.plan import Target


@dataclass(frozen=True)
class TimerPlan:
    """When to call `functions`, with what, and where results go (`target` None: nowhere).

    One of `every` (seconds) and `cron` (five fields, moments of `timezone`) is not None. `payload` None means
    an object with the timer's name and the moment, made at each firing. `content_type` None means that it is
    JSON if it parses, else text. `timeout` holds for the confirmation of a result, in seconds. `retries` has,
    for each of the functions, when it is tried again. With `catch_up`, moments missed while the host was down
    are made up for by one event.
    """

    name: str
    functions: tuple[str, ...]
    every: float | None
    cron: str | None
    timezone: str
    payload: bytes | None = field(repr=False)
    content_type: str | None
    target: Target | None
    timeout: float
    retries: tuple[RetryPolicy, ...]
    catch_up: bool
