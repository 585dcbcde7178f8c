"""Scores events, several in one call: what a vectorised model is fastest at."""

WEIGHTS = {"t": 2.0, "h": 1.0}


def index_batch(events, context):
    """One result for each event, in their order: `{"score": 510.0}` for `{"t": 188, "h": 134}`."""
    return [{"score": score(event)} for event in events]


def score(event):
    """Stands for the model, which would take all events as one matrix."""
    return sum(weight * event[name] for name, weight in WEIGHTS.items())
