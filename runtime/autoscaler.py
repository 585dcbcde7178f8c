"""From a measurement of a pool to a decision: how many instances, and how warm; a pure function.

Wanted are (λ·S + Q·S / 100 ms) / (concurrency × target) instances, rounded up, with λ the arrival rate, S the
time that one event takes and Q the events that wait; at most as many as what runs and waits can fill. That is
Little's law, plus what works off the backlog in 100 ms. The two windows are those of the Knative autoscaler
(stable 60 s, panic a tenth of it): up at once, down to the greatest need of the stable window.
"""

from dataclasses import dataclass, replace
from math import ceil, inf

from runtime.decisions import Decision, Measurement, Need, Temperature, Why
from runtime.spec import PoolSpec, ScaleRule

STABLE_WINDOW = 60.0
BURST_WINDOW = 6.0
SPIKE_WINDOW = 1.0
BACKLOG_TIME = 0.1
"""Seconds in which what waits shall be worked off."""
SAMPLE_EVERY = 0.1
TICK = 0.1
ROUNDING = 1e-9
LIMITS = ("max", "fixed", "memory", "failing")


@dataclass(frozen=True, slots=True)
class State:
    """What one decision leaves to the next; as it is made, it knows nothing.

    `arrivals` are (time, events arrived) of the last burst window and one before it; `peaks` are (start,
    greatest need) of each burst window of the last stable window; `progress` is (time, events ended) when the
    last event ended.
    """

    wanted: int | None = None
    temperature: Temperature = "cold"
    why: Why = "min"
    arrivals: tuple[tuple[float, int], ...] = ()
    peaks: tuple[tuple[float, int], ...] = ()
    progress: tuple[float, int] = (-inf, 0)
    warm_since: float | None = None


def decide(spec: PoolSpec, state: State, seen: Measurement) -> tuple[State, Decision]:
    """What a pool shall be from now on, and what to remember for the next time."""
    if state.wanted is None:
        state = replace(state, wanted=seen.instances, temperature=seen.temperature)
    before = state.wanted or 0
    state = _remember(state, seen)
    need = measure_need(spec, state, seen)
    wanted, why = _choose(spec.scale, state, seen, need)
    wanted, why = _limit(wanted, why, seen)
    peaks = _note_peak(
        state.peaks, seen.now, max(wanted if wanted > before else 0, _in_use(spec, seen, need))
    )
    return _conclude(
        replace(state, peaks=peaks),
        Decision(wanted, "hot", why, before, state.temperature, spec.scale, seen, need),
    )


def cool(spec: PoolSpec, state: State, seen: Measurement) -> tuple[State, Decision]:
    """Take an idle pool one step down because of memory: from hot to warm, from warm to cold."""
    to: Temperature = "warm" if seen.temperature == "hot" and spec.scale.keep_warm > 0 else "cold"
    before = seen.instances if state.wanted is None else state.wanted
    since = seen.now if to == "warm" else -inf
    decision = Decision(0, to, "memory", before, seen.temperature, spec.scale, seen, Need(0, "memory"))
    return State(0, to, "memory", progress=state.progress, warm_since=since), decision


def next_look(state: State, decision: Decision) -> float:
    """Monotonic time at which time alone may change the decision; infinite when only an event can."""
    seen, rule = decision.seen, decision.rule
    if not seen.idle or seen.now - seen.last_used < BURST_WINDOW:
        return seen.now + TICK
    if decision.changes or (decision.wanted, decision.temperature) != (seen.instances, seen.temperature):
        return seen.now + SPIKE_WINDOW
    if decision.wanted == 0:
        return inf if decision.temperature == "cold" else (state.warm_since or 0.0) + rule.keep_warm
    if decision.wanted > max(1, rule.min) and seen.fixed is None:
        return min(seen.now + BURST_WINDOW, seen.last_used + rule.idle)
    return seen.last_used + rule.idle if rule.min == 0 and seen.fixed is None else inf


def measure_need(spec: PoolSpec, state: State, seen: Measurement) -> Need:
    """The instances that the load alone asks for, and which part of it decides."""
    held = min(float(seen.busy), seen.running / spec.concurrency)
    per_instance = spec.concurrency * (spec.batch.max_size if spec.batch else 1)
    most = ceil(held + seen.waiting / per_instance - ROUNDING)
    if seen.service_time is None:
        return Need(most, "waiting")
    time = max(seen.service_time, _stalled(state, seen))
    burst, spike = _rate(state, seen, BURST_WINDOW), _rate(state, seen, SPIKE_WINDOW)
    rate = max(burst, spike)
    backlog = seen.waiting * time / BACKLOG_TIME
    load = (rate * time + backlog) / (spec.concurrency * spec.scale.target)
    why: Why = "waiting" if backlog > rate * time else "burst" if spike > 2 * burst else "load"
    return Need(min(most, ceil(load - ROUNDING)), why, rate, load)


def _remember(state: State, seen: Measurement) -> State:
    ended = seen.arrived - seen.waiting - seen.running
    if ended != state.progress[1] or not seen.running:
        state = replace(state, progress=(seen.now, ended))
    if state.arrivals and seen.now - state.arrivals[-1][0] < SAMPLE_EVERY:
        return state
    recent = [sample for sample in state.arrivals if sample[0] > seen.now - BURST_WINDOW]
    older = state.arrivals[len(state.arrivals) - len(recent) - 1 :][:1] if state.arrivals else ()
    kept = recent if len(recent) == len(state.arrivals) else [*older, *recent]
    return replace(state, arrivals=(*kept, (seen.now, seen.arrived)))


def _rate(state: State, seen: Measurement, window: float) -> float:
    """Events per second over the window, or over the longer time for which nobody looked."""
    since, arrived = seen.now - window, 0
    for at, count in reversed(state.arrivals):
        if at <= since:
            return (seen.arrived - count) / (seen.now - at)
        arrived = count
    return (seen.arrived - arrived) / window


def _stalled(state: State, seen: Measurement) -> float:
    # While no event ends, those that run take at least so long, whatever the ones before them took.
    return seen.now - state.progress[0] if seen.running else 0.0


def _in_use(spec: PoolSpec, seen: Measurement, need: Need) -> int:
    # An instance that was taken away though it was in use would be wanted back at once. Of short events many
    # find place in 100 ms, so that their instances count by the share of it that they take.
    share = min(1.0, (seen.service_time or BACKLOG_TIME) / BACKLOG_TIME)
    busy = min(seen.busy, seen.running / spec.concurrency) * share
    return ceil(max(need.instances, need.load, busy) - ROUNDING)


def _note_peak(peaks: tuple[tuple[float, int], ...], now: float, need: int) -> tuple[tuple[float, int], ...]:
    if not peaks or now - peaks[-1][0] >= BURST_WINDOW:
        return (*(peak for peak in peaks if now - peak[0] <= STABLE_WINDOW), (now, need))
    if need <= peaks[-1][1]:
        return peaks
    return (*peaks[:-1], (peaks[-1][0], need))


def _choose(rule: ScaleRule, state: State, seen: Measurement, need: Need) -> tuple[int, Why]:
    before = state.wanted or 0
    if seen.fixed is not None:
        return max(seen.fixed, 0 if seen.idle else 1), "fixed"
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

    Random arrivals now and then need more than they did for a minute. Following every swing of them down
    would only start the same instances again.
    """
    recent = [need for at, need in state.peaks if seen.now - at <= STABLE_WINDOW + BURST_WINDOW]
    greatest = max(recent, default=0)
    before = state.wanted or 0
    swing = greatest - min(recent, default=0)
    return before if greatest + 2 * swing >= before else max(wanted, greatest)


def _limit(wanted: int, why: Why, seen: Measurement) -> tuple[int, Why]:
    if seen.failing and wanted > 1:
        wanted, why = 1, "failing"
    if seen.room is not None and wanted > seen.instances + seen.room.instances:
        wanted, why = seen.instances + seen.room.instances, "memory"
    return wanted, why


def _conclude(state: State, draft: Decision) -> tuple[State, Decision]:
    seen, why, since = draft.seen, draft.why, state.warm_since
    temperature: Temperature = "hot"
    if draft.wanted:
        since = None
    else:
        since = seen.now if since is None else since
        over = seen.now - since >= draft.rule.keep_warm
        temperature = "cold" if over or seen.temperature == "cold" else "warm"
        if temperature == "cold" and draft.was == "warm":
            why = "keep_warm"
    decision = replace(draft, temperature=temperature, why=why)
    if not decision.changes and why not in LIMITS:
        # What holds a count is what brought it; else the reason would change at every look.
        decision = replace(decision, why=state.why)
    kept = replace(state, wanted=draft.wanted, temperature=temperature, why=decision.why, warm_since=since)
    return kept, decision
