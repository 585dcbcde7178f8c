"""From a measurement of a pool to a decision: how many instances, and how warm; a pure function.

Wanted are (λ·S + Q·S / 100 ms) / (concurrency × target) instances, rounded up, with λ the arrival rate, S the
time that one event takes and Q the events that wait; at most as many as what runs and waits can fill. That is
Little's law, plus what works off the backlog in 100 ms. The two windows are those of the Knative autoscaler
(stable 60 s, panic a tenth of it): up at once, down to the greatest need of the stable window.
"""

from dataclasses import dataclass
from math import ceil, inf

from runtime.scaling.decisions import LIMITS, Decision, Measurement, Need, Temperature, Why
from runtime.spec import PoolSpec, ScaleRule

STABLE_WINDOW = 60.0
BURST_WINDOW = 6.0
SPIKE_WINDOW = 1.0
REGRET_WINDOW = 120.0
CAREFUL_TIME = 600.0
BACKLOG_TIME = 0.1
"""Seconds in which what waits shall be worked off."""
SAMPLE_EVERY = 0.1
TICK = 0.1
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class State:
    """What one decision leaves to the next; as it is made, it knows nothing.

    `arrivals` are (time, events arrived) of the last burst window and one before it; `peaks` are (start,
    greatest need) of each burst window of the last stable window; `progress` is (time, events ended) when the
    last event ended; the count last went down when it `fell`, and does not before `careful`.
    """

    wanted: int
    temperature: Temperature
    why: Why = "min"
    arrivals: tuple[tuple[float, int], ...] = ()
    peaks: tuple[tuple[float, int], ...] = ()
    progress: tuple[float, int] = (-inf, 0)
    warm_since: float | None = None
    fell: float = -inf
    careful: float = -inf


def decide(spec: PoolSpec, state: State | None, seen: Measurement) -> tuple[State, Decision]:
    """What a pool shall be from now on, and what to remember for the next time; None at the first time."""
    state = state or State(seen.instances, seen.temperature)
    progress = _note_progress(state, seen)
    need = measure_need(spec, state, seen, seen.now - progress[0])
    wanted, why = _limit(*_choose(spec.scale, state, seen, need), seen)
    temperature, since = _find_temperature(spec.scale, state, seen, wanted)
    changes = (wanted, temperature) != (state.wanted, state.temperature)
    if temperature == "cold" and state.temperature == "warm":
        why = "keep_warm"
    elif not changes and why not in LIMITS:
        # What holds a count is what brought it; else the reason would change at every look.
        why = state.why
    decision = Decision(wanted, temperature, why, state.wanted, state.temperature, spec.scale, seen, need)
    fell, careful = _note_fall(state, decision)
    arrivals, peaks = _note_arrivals(state, seen), _note_peak(spec, state, decision)
    return State(wanted, temperature, why, arrivals, peaks, progress, since, fell, careful), decision


def cool(spec: PoolSpec, state: State | None, seen: Measurement) -> tuple[State, Decision]:
    """Take an idle pool one step down because of memory: from hot to warm, from warm to cold."""
    to: Temperature = "warm" if seen.temperature == "hot" and spec.scale.keep_warm > 0 else "cold"
    before = state.wanted if state else seen.instances
    since = seen.now if to == "warm" else -inf
    decision = Decision(0, to, "memory", before, seen.temperature, spec.scale, seen, Need(0, "memory"))
    return State(0, to, "memory", warm_since=since), decision


def next_look(state: State, decision: Decision) -> float:
    """Monotonic time of the next look; infinite for a cold pool, which only an event can change."""
    seen, rule = decision.seen, decision.rule
    if not seen.idle or seen.now - seen.last_used < BURST_WINDOW:
        return seen.now + TICK
    if decision.changes or (decision.wanted, decision.temperature) != (seen.instances, seen.temperature):
        return seen.now + SPIKE_WINDOW
    if decision.temperature == "cold":
        return inf
    if decision.temperature == "warm":
        return max(seen.now + TICK, (state.warm_since or 0.0) + rule.keep_warm)
    idle_at = seen.last_used + rule.idle
    return min(idle_at, seen.now + BURST_WINDOW) if idle_at > seen.now else seen.now + BURST_WINDOW


def measure_need(spec: PoolSpec, state: State, seen: Measurement, stalled: float) -> Need:
    """The instances that the load alone asks for; for `stalled` seconds no event has ended."""
    batch = spec.batch.max_size if spec.batch else 1
    waiting = seen.waiting / (spec.places * batch)
    most = ceil(min(seen.busy, seen.running / spec.places) + waiting - ROUNDING)
    if seen.service_time is None:
        return Need(most, "waiting")
    # While no event ends, those that run take at least so long, whatever the ones before them took.
    time = max(seen.service_time, stalled / batch)
    burst, spike = _rate(state, seen, BURST_WINDOW), _rate(state, seen, SPIKE_WINDOW)
    rate = max(burst, spike)
    backlog = seen.waiting * time / BACKLOG_TIME
    load = (rate * time + backlog) / (spec.places * spec.scale.target)
    why: Why = "waiting" if backlog > rate * time else "burst" if spike > 2 * burst else "load"
    return Need(min(most, ceil(load - ROUNDING)), why, rate, load)


def _rate(state: State, seen: Measurement, window: float) -> float:
    """Events per second over the window, or over the longer time for which nobody looked."""
    since, arrived = seen.now - window, 0
    for at, count in reversed(state.arrivals):
        if at <= since:
            return (seen.arrived - count) / (seen.now - at)
        arrived = count
    return (seen.arrived - arrived) / window


def _note_progress(state: State, seen: Measurement) -> tuple[float, int]:
    ended = seen.arrived - seen.waiting - seen.running
    is_news = ended != state.progress[1] or not seen.running or state.progress[0] == -inf
    return (seen.now, ended) if is_news else state.progress


def _note_arrivals(state: State, seen: Measurement) -> tuple[tuple[float, int], ...]:
    samples, new = state.arrivals, (seen.now, seen.arrived)
    if not samples or seen.now - samples[-1][0] >= SAMPLE_EVERY:
        # One that is older than the window is needed: the window begins there.
        start = 0
        while start + 1 < len(samples) and samples[start + 1][0] <= seen.now - BURST_WINDOW:
            start += 1
        return (*samples[start:], new)
    return samples


def _note_peak(spec: PoolSpec, state: State, decision: Decision) -> tuple[tuple[float, int], ...]:
    now, wanted, peaks = decision.seen.now, decision.wanted, state.peaks
    need = wanted if wanted > state.wanted else min(state.wanted, _in_use(spec, decision))
    if not peaks or now - peaks[-1][0] >= BURST_WINDOW:
        return (*(peak for peak in peaks if now - peak[0] <= STABLE_WINDOW), (now, need))
    return peaks if need <= peaks[-1][1] else (*peaks[:-1], (peaks[-1][0], need))


def _in_use(spec: PoolSpec, decision: Decision) -> int:
    # An instance that was taken away though it was in use would be wanted back at once. Of short events many
    # find place in 100 ms, so that their instances count by the share of it that they take.
    seen, need = decision.seen, decision.need
    share = min(1.0, (seen.service_time or BACKLOG_TIME) / BACKLOG_TIME)
    busy = min(seen.busy, seen.running / spec.places) * share
    return ceil(max(need.instances, need.load, busy) - ROUNDING)


def _note_fall(state: State, decision: Decision) -> tuple[float, float]:
    now, before = decision.seen.now, state.wanted
    if decision.changes and decision.why == "stable window":
        return now, state.careful
    regretted = decision.wanted > before > 0 and now - state.fell < REGRET_WINDOW
    return state.fell, now + CAREFUL_TIME if regretted else state.careful


def _choose(rule: ScaleRule, state: State, seen: Measurement, need: Need) -> tuple[int, Why]:
    before = state.wanted
    if seen.fixed is not None:
        return (1, "first event") if seen.fixed == 0 and not seen.idle else (seen.fixed, "fixed")
    if seen.idle and (before == 0 or seen.now - seen.last_used >= rule.idle):
        return rule.min, "min" if rule.min else "idle"
    wanted, why = max(1, need.instances), need.why
    if wanted < before:
        wanted, why = _keep(state, seen, wanted), "stable window"
    elif before == 0 and wanted == 1:
        why = "first event"
    if wanted > rule.max:
        return rule.max, "max"
    return (rule.min, "min") if wanted < rule.min else (wanted, why)


def _keep(state: State, seen: Measurement, wanted: int) -> int:
    """The greatest need of the stable window; the count as it is when the need swings about it.

    Random arrivals now and then need more than they did for a minute; following every swing down would only
    start the same instances again. Where that has happened within two minutes, the count stays for ten.
    """
    before = state.wanted
    if seen.now < state.careful:
        return before
    recent = [need for at, need in state.peaks if seen.now - at <= STABLE_WINDOW + BURST_WINDOW]
    greatest = max(recent, default=0)
    swing = greatest - min(recent, default=0)
    return before if greatest + 2 * swing >= before else max(wanted, greatest)


def _limit(wanted: int, why: Why, seen: Measurement) -> tuple[int, Why]:
    if seen.failing and wanted > seen.ready + 1:
        # One more is a trial, behind the pauses between failed starts; those that run are no worse for it.
        wanted, why = seen.ready + 1, "failing"
    if seen.room is not None and wanted > seen.instances + seen.room.instances:
        wanted, why = seen.instances + seen.room.instances, "memory"
    return wanted, why


def _find_temperature(
    rule: ScaleRule, state: State, seen: Measurement, wanted: int
) -> tuple[Temperature, float | None]:
    """The temperature, and since when no instance has been wanted."""
    if wanted:
        return "hot", None
    since = seen.now if state.warm_since is None else state.warm_since
    over = seen.now - since >= rule.keep_warm
    return "cold" if over or seen.temperature == "cold" else "warm", since
