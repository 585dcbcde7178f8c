"""Looks at what else the host stands on: the clock, descriptors, and what can be installed besides."""

import resource
import sys
import time
from importlib.util import find_spec

from host.doctor.findings import Case, Finding, Section, conclude

BUILT = 1_735_689_600
"""2025-01-01T00:00:00Z: no clock that is right shows an earlier date."""
LEAST_FILES = 4096
"""Descriptors for the connections and instances of a few busy functions."""
EXTRAS = (
    ("demo", "amqtt", "`fnhost demo` cannot run: it is its broker"),
    ("otel", "opentelemetry.sdk", "`traces` of the config cannot send spans"),
)


def check_surroundings(case: Case) -> Section:
    """Clock, descriptors, extras, and what sees that a file was saved."""
    extras = [_extra(*each) for each in EXTRAS]
    return conclude("surroundings", [_clock(case), _files(), _watcher(), *extras])


def _clock(case: Case) -> Finding:
    now = case.clock()
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now >= BUILT:
        return Finding("clock", "ok", told)
    why = "certificates are not believed, and tokens, logs and dead letters get wrong dates"
    remedy = "`sudo timedatectl set-ntp true`, or `sudo date -s 'YYYY-MM-DD hh:mm'`"
    return Finding("clock", "lack", f"it shows {told}, which is past", why, remedy)


def _files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= LEAST_FILES:
        told = "unlimited" if hard == resource.RLIM_INFINITY else f"{hard}"
        return Finding("open files", "ok", told)
    why = "each connection and each instance takes some: further ones are refused"
    remedy = (
        f"systemd: `LimitNOFILE={LEAST_FILES * 16}`; a shell: `ulimit -Hn` as root, /etc/security/limits.conf"
    )
    return Finding("open files", "lack", f"at most {hard}", why, remedy)


def _watcher() -> Finding:
    if _is_there("watchfiles"):
        return Finding("watchfiles", "ok", "installed")
    why = "`fnhost dev` cannot see that a file was saved"
    return Finding("watchfiles", "lack", "not installed", why, f"{sys.executable} -m pip install watchfiles")


def _extra(name: str, module: str, why: str) -> Finding:
    if _is_there(module):
        return Finding(f"fnhost[{name}]", "ok", "installed")
    remedy = f"{sys.executable} -m pip install 'fnhost[{name}]'"
    return Finding(f"fnhost[{name}]", "lack", "not installed", why, remedy)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False
