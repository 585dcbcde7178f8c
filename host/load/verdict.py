"""What a load has shown, in one sentence."""

from host.load.run import Findings
from host.load.search import Judged, knee_of
from host.load.step import Step


def verdict(name: str, findings: Findings, seconds: float) -> str:
    """How much the function `name` holds, and how it fails at the next higher rate that was tried."""
    if not findings.steps:
        return f"{name}: nothing was measured"
    held, failed = knee_of(findings.steps)
    parts = []
    if held is not None:
        parts.append(f"holds {tell_rate(held)} {_with(_find(findings, held).step)}")
    if failed is not None:
        parts.append(_fall(_find(findings, failed), seconds))
    else:
        parts.append("no higher rate was tried")
    if held is None:
        parts.insert(0, "holds none of the rates tried")
    return f"{name} {'; '.join(parts)}"


def _find(findings: Findings, rate: float) -> Judged:
    return next(each for each in findings.steps if each.step.offered == rate)


def _with(step: Step) -> str:
    instances = (
        "" if step.instances is None else f" on {step.instances} instance{'s' * (step.instances != 1)}"
    )
    return f"with p99 {tell_time(step.p99)}{instances}"


def _fall(judged: Judged, seconds: float) -> str:
    step, where = judged.step, f"at {tell_rate(judged.step.offered)}"
    if judged.trouble == "errors":
        return f"{where} {step.failed} of {step.events} events failed ({tell_errors(step.errors)})"
    waited = f"{step.backlog} waited after {seconds:g} s and " if judged.trouble == "behind" else ""
    return f"{where} {waited}p99 was {tell_time(step.p99)}"


def tell_errors(errors: dict[str, int]) -> str:
    """`429: 12, no answer: 3`, the most frequent first."""
    ordered = sorted(errors.items(), key=lambda item: -item[1])
    return ", ".join(f"{wrong}: {count}" for wrong, count in ordered)


def tell_rate(rate: float) -> str:
    """`1,600 events/s`."""
    return f"{rate:,.10g} events/s"


def tell_time(seconds: float) -> str:
    """Three digits at most: `0.42 ms`, `12 ms`, `2.1 s`."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.2g} ms"
