"""Environment variables of the program before this one that mean nothing here, and what to write instead."""

from collections.abc import Iterator, Mapping

from conf.faults import Fault

INSTEAD = {
    "MAX_EDGE_NUM": "events run in processes: write `scale` and, for functions that share one, `concurrency`",
    "LOGGER_HOME": "the log goes to stderr: `2>> FILE` puts it into a file, `fnhost logs` shows functions'",
    "PYBOOT_PROFILE": "there are no profiles: name the file with --config",
}


def old_variable_faults(env: Mapping[str, str]) -> Iterator[Fault]:
    """A fault for each that is set: its user counts on what it did."""
    for name, instead in INSTEAD.items():
        if env.get(name):
            yield Fault(name, "is not read; unset it", instead)
