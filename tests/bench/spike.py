"""A spike: fifty callers at once at a function that is warm and takes its time."""

import json
import statistics
from dataclasses import dataclass

from tests.bench.caller import Volley, call_all
from tests.bench.goals import Goal, at_most, interval
from tests.bench.ours import cool, deploy, running_host
from tests.bench.part import Part, Run, figures

CALLERS, MOST = 50, 8
LONGEST_FIRST, LONGEST_ALL = 150.0, 300.0
NAME = "slow"
CODE = """
import os
import time

def index(event, context):
    begun = time.time()
    time.sleep(0.1)
    return {"pid": os.getpid(), "begun": begun}
"""


@dataclass(frozen=True)
class Spike:
    """One spike. `first` and `last` are the answers' times in ms; `all_busy` is None with fewer than `MOST`.

    `all_busy` is from the events to the moment at which the last of the instances has begun its first one.
    """

    errors: int
    first: float
    last: float
    instances: int
    all_busy: float | None


def measure_spike(run: Run) -> Part:
    """One spike after another, each from warm."""
    with running_host(run.folder / "host") as host:
        deploy(host, NAME, CODE, f"scale: {{min: 0, max: {MOST}}}\n")
        spikes = []
        for _ in range(run.plan.repeats.spikes):
            cool(host, NAME)
            spikes.append(_read(call_all(f"{host.url}/invoke/{NAME}", CALLERS)))
    rows = {
        "last answer": f"{interval([each.last for each in spikes])} ms",
        "instances": f"{statistics.median(each.instances for each in spikes):.0f}",
    }
    return Part("spike", tuple(goals(spikes)), (figures(f"{CALLERS} callers, max {MOST}", rows),), spikes)


def goals(spikes: list[Spike]) -> list[Goal]:
    """The promises about a spike."""
    text = f"spike of {CALLERS} from warm, max {MOST}"
    errors = sum(each.errors for each in spikes)
    busy = [each.all_busy for each in spikes if each.all_busy is not None]
    told = f"{len(spikes) - len(busy)} of {len(spikes)} spikes had fewer"
    return [
        Goal(f"{text}: all answered, no error", f"{errors} errors in {len(spikes)} spikes", not errors),
        at_most(f"{text}: first answer", interval([each.first for each in spikes]), LONGEST_FIRST, " ms"),
        at_most(f"{text}: {MOST} instances busy", interval(busy), LONGEST_ALL, " ms")
        if len(busy) == len(spikes)
        else Goal(f"{text}: {MOST} instances busy ≤ {LONGEST_ALL:g} ms", told, met=False),
    ]


def _read(volley: Volley) -> Spike:
    answers = volley.answers
    fine = [json.loads(each.body) for each in answers if each.status == 200]
    firsts: dict[int, float] = {}
    for each in fine:
        firsts[each["pid"]] = min(each["begun"], firsts.get(each["pid"], each["begun"]))
    times = [each.after for each in answers]
    busy = (max(firsts.values()) - volley.begun) * 1000 if len(firsts) >= MOST else None
    return Spike(len(answers) - len(fine), min(times), max(times), len(firsts), busy)
