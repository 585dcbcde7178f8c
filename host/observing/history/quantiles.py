"""How long the middle, and the slow, of some events took, as near as buckets tell."""

from collections.abc import Sequence

QUANTILES = (0.5, 0.95, 0.99)
NONE = (float("nan"),) * len(QUANTILES)


def estimate_quantiles(counts: Sequence[float], bounds: Sequence[float]) -> tuple[float, ...]:
    """The quantiles of times counted into buckets that end at `bounds` (seconds); NaN where there is none.

    Within a bucket they are taken to lie evenly, as Prometheus's histogram_quantile does; what is longer
    than the last bound counts as that.
    """
    total = sum(counts)
    if not total:
        return NONE
    ranks = [share * total for share in QUANTILES]
    found: list[float] = []
    below, lower = 0.0, 0.0
    for count, upper in zip(counts, (*bounds, bounds[-1]), strict=True):
        while len(found) < len(ranks) and count and below + count >= ranks[len(found)]:
            found.append(lower + (upper - lower) * (ranks[len(found)] - below) / count)
        below, lower = below + count, upper
    return tuple(found)
