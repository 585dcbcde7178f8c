"""Commands that heed signals as those of a person's shell do, however the tests were started."""

import signal


def heed_signals() -> None:
    """For `preexec_fn`: what runs in the background, or under nohup, hands on that these two are ignored."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
