"""How the demo fails."""


class DemoError(Exception):
    """The demo cannot go on; the message is a sentence, then what the process at fault last said."""
