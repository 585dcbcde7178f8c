"""Where the results of a timer's events go."""

from runtime.events import Answer, InvocationError
from triggers.delivery.work import Work
from triggers.mqtt.messages import Outgoing
from triggers.mqtt.publisher import Publisher
from triggers.mqtt.publishers import Publishers
from triggers.timers.plan import TimerPlan


class NoTargetError(InvocationError):
    """The function publishes, and its timer has no connection for that."""


class TimerSink:
    """Publishes results to the timer's target, if it has one."""

    def __init__(self, plan: TimerPlan, publishers: Publishers) -> None:
        self._plan = plan
        self._publishers = publishers

    @property
    def topic(self) -> str:
        """Of the timer's target."""
        return self._plan.target.topic if self._plan.target is not None else ""

    def results(self, function: str, work: Work, answer: Answer) -> list[tuple[Publisher, Outgoing]]:
        """Of one that was answered: without a target its result is let go, but no publication is."""
        plan = self._plan
        if plan.target is not None:
            # Looked up each time: the connection changes with the config.
            outlet = self._publishers.outlet_to(plan.target, plan.name, plan.timeout)
            return outlet.results(function, work, answer)
        if answer.publications:
            raise NoTargetError(
                f"{function} publishes to {answer.publications[0].topic!r}, and the timer {plan.name} has no"
                " `pub` that says through which broker"
            )
        return []

    def error(self, function: str, work: Work, error: BaseException) -> None:
        """Timers have no error topic."""
