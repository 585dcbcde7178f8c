"""How long the middle, and the slow, of some events took, as near as buckets tell."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

QUANTILES = (0.5, 0.95, 0.99)
NONE = (float("nan"),) * len(QUANTILES)


def estimate_quantiles(counts: Sequence[float], bounds: Sequence[float]) -> tuple[float, ...]:
    """The quantiles of times counted into buckets that end at `bounds` (seconds); NaN where there is none.

    Within a bucket they are taken to lie evenly, as Prometheus's histogram_quantile does; what is longer
    than the last bound counts as that.
    """
    sums = list(accumulate(counts))
    total = sums[-1]
    if not total:
        return NONE
    found = []
    for share in QUANTILES:
        rank = share * total
        place = bisect_left(sums, rank)
        lower, upper = bounds[place - 1] if place else 0.0, bounds[min(place, len(bounds) - 1)]
        below = sums[place - 1] if place else 0
        found.append(lower + (upper - lower) * (rank - below) / counts[place])
    return tuple(found)
