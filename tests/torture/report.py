"""A run's outcome as text: the figures, then what went wrong, each case with all that is known of it."""

from collections.abc import Iterator

from tests.torture.run import DRAIN_LIMIT, Outcome

SHOWN = 8
NEAR = 3.0


def make_report(outcome: Outcome) -> str:
    """Several lines."""
    return "\n".join([*_figures(outcome), *_wrong(outcome), "", _closing(outcome)]) + "\n"


def _figures(outcome: Outcome) -> Iterator[str]:
    ledger, verdict = outcome.ledger, outcome.verdict
    repeats = ", ".join(f"{count:,} {cause}" for cause, count in sorted(verdict.repeats.items()))
    yield ""
    yield f"seed         {outcome.wanted.seed}"
    yield f"faults       {len(outcome.faults)}"
    yield from (f"             {count:>5} {kind}" for kind, count in sorted(outcome.kinds.items()))
    yield from (f"skipped      {reason}" for reason in outcome.skipped)
    yield f"events       {ledger.counted:,} acknowledged by their broker"
    yield f"lost         {len(verdict.lost):,}"
    yield f"repeated     {verdict.repeats.total():,}{f' ({repeats})' if repeats else ''}"
    yield f"unexplained  {len(verdict.unexplained):,}"
    yield f"out of order {len(verdict.disorder):,}"
    yield f"dead letters {verdict.letters:,}"
    drained = "not" if outcome.drained is None else f"{outcome.drained:.1f} s after the last fault"
    yield f"drained      {drained} (at most {DRAIN_LIMIT:g} s)"
    yield f"not ready    {outcome.reds} times, by the quota"
    errors = [line for line in outcome.host_log if '"traceback": ' in line or '"level": "critical"' in line]
    yield f"host log     {len(errors)} tracebacks"


def _wrong(outcome: Outcome) -> Iterator[str]:
    yield from (f"\n{trouble}" for trouble in outcome.troubles)
    for name, numbers in outcome.verdict.wrong.items():
        yield f"\n{name}: {len(numbers)}, of which the first are"
        for number in numbers[:SHOWN]:
            yield from _case(outcome, number)
            overtaker = outcome.verdict.disorder.get(number)
            if overtaker is not None:
                yield "   overtaken by"
                yield from _case(outcome, overtaker)


def _case(outcome: Outcome, number: int) -> Iterator[str]:
    event = outcome.ledger.events[number]
    zero = event.sent
    results = outcome.ledger.results.get(number, [])
    arrived = " ".join(f"{result.at - zero:+.3f}" for result in results)
    cuts = " ".join(f"{cut.at - zero:+.3f}{' forgotten' if cut.forgotten else ''}" for cut in event.cuts)
    sends = " ".join(f"{send.at - zero:+.3f} ({send.began - zero:+.3f})" for send in event.sends)
    yield f"  event {number} ({event.what}, {event.rule} {event.device}), published {event.copies}x"
    acked = "never" if event.acked is None else f"{event.acked - zero:+.3f}"
    yield f"    acked {acked}; results at {arrived or 'never'}; cuts at {cuts or 'none'};"
    yield f"    sent (over a connection of) {sends or 'never'}; confirmations cut off {event.resends}"
    yield f"    request ids {' '.join(result.request_id for result in results)}"
    last = max((result.at for result in results), default=zero)
    for fault in outcome.faults:
        if fault.begin < last + NEAR and fault.end > zero - NEAR:
            times = f"{fault.begin - zero:+.3f} to {fault.end - zero:+.3f}"
            yield f"    {times}: fault {fault.number}, {fault.kind}"


def _closing(outcome: Outcome) -> str:
    return "passed" if outcome.passed else f"FAILED (again with --seed {outcome.wanted.seed})"
