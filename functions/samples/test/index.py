"""Model 2: tells from temperature `t` and humidity `h` whether something is amiss ("1") or not ("0")."""


def init(context):
    """Load the model once, where instances are forked from, so that they share its memory."""
    context.model()


def index(event, context):
    """`"1"` or `"0"` for `{"t": 188, "h": 134}`."""
    label = context.model().predict([[event["t"], event["h"]]])[0]
    return str(int(label))
