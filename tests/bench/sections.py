"""The sections of the benchmark by name, in the order in which they are measured."""

import subprocess
from dataclasses import dataclass, replace

import httpx

from tests.bench import inline, isolated
from tests.bench.attacks import measure_attacks
from tests.bench.batch import measure_batch
from tests.bench.console import measure_console
from tests.bench.goals import unmeasured
from tests.bench.history import measure_history
from tests.bench.inline import measure_load
from tests.bench.isolated import measure_peers
from tests.bench.limits import measure_limits
from tests.bench.many import measure_many
from tests.bench.memory import measure_memory
from tests.bench.mqtt import measure_mqtt
from tests.bench.part import Measure, Part, Run, UnmeasuredError
from tests.bench.rules import measure_rules
from tests.bench.sharing import measure_sharing
from tests.bench.spike import measure_spike
from tests.bench.starts import measure_starts
from tests.bench.telling import measure_telling
from tests.bench.venvs import Wanted


@dataclass(frozen=True)
class Section:
    """What it is about, how it is measured, and the peers that it needs."""

    title: str
    measure: Measure
    peers: tuple[Wanted, ...] = ()


SECTIONS = {
    "memory": Section("an idle host, and one more instance", measure_memory),
    "starts": Section("deploys, and starts from cold and from warm", measure_starts),
    "sharing": Section("functions in subinterpreters", measure_sharing),
    "spike": Section("a spike from warm", measure_spike),
    "history": Section("what the history costs", measure_history),
    "rules": Section("large configs", measure_rules),
    "limits": Section("limits of the machine", measure_limits),
    "load": Section("HTTP beside those that run the function inline", measure_load, (inline.WANTED,)),
    "peers": Section("HTTP beside those that isolate the function", measure_peers, isolated.WANTED),
    "mqtt": Section("MQTT beside an echo inside paho's loop", measure_mqtt),
    "batch": Section("batches of a scikit-learn forest", measure_batch),
    "telling": Section("metrics, history, and the command line", measure_telling),
    "console": Section("what the console costs, and how soon it is seen", measure_console),
    "attacks": Section("a neighbour of functions that do their worst", measure_attacks),
    "many": Section("1 to 1,000 functions on one host", measure_many),
}
QUICK = tuple(name for name in SECTIONS if name not in ("peers", "batch"))
"""Without those that install much."""


def measure_section(name: str, run: Run) -> Part:
    """Measure it below a folder of its own; one that cannot be measured says why, and the run goes on."""
    section = SECTIONS[name]
    run.say(f"{name}: {section.title}")
    own = replace(run, folder=run.folder / name)
    own.folder.mkdir()
    try:
        return section.measure(own)
    except UnmeasuredError as error:
        why = str(error)
    except (AssertionError, LookupError, OSError, httpx.HTTPError, subprocess.SubprocessError) as error:
        why = f"{type(error).__name__}: {' '.join(str(error).split())[-300:]}"
    run.say(f"  not measured: {why}")
    return Part(name, (unmeasured(section.title, why),))
