"""Looks at whether the host's ports can be had, and who has those that cannot."""

import errno
import os
import socket

from conf.address import Address
from conf.settings import default_state_dir
from host.access.local_token import LOOPBACK, find_local_token
from host.doctor.findings import Case, Finding, Section, conclude
from host.doctor.processes import is_host, listener, lock_holder, name_of
from host.web.server import bind, http_port

WHY = "callers reach functions and the API there"
ANOTHER = "choose another with --listen HOST:PORT"
ANY = ("0.0.0.0", "::")


def check_port(case: Case) -> Section:
    """The web port, and those that `expose` opens as well."""
    settings = case.settings
    ports = [port for each in settings.config.expose if (port := http_port(each)) is not None]
    findings = [_port(case, Address(settings.listen_host, settings.listen_port)), *map(_exposed, ports)]
    return conclude("port", findings)


def _port(case: Case, address: Address) -> Finding:
    error = refusal(address)
    if error is None:
        return Finding(str(address), "ok", "free" if address.port else "any that is free")
    if error.errno == errno.EADDRINUSE:
        return _taken(case, address)
    told = f"cannot be had: {error.strerror or error}"
    return Finding(str(address), "fault", told, WHY, _remedy(error))


def refusal(address: Address) -> OSError | None:
    """Why the host could not listen there; None when it could."""
    try:
        bind(address.host, address.port).close()
    except OSError as error:
        return error
    return None


def _remedy(error: OSError) -> str:
    if error.errno == errno.EACCES:
        return f"a port below 1024 needs root or CAP_NET_BIND_SERVICE; {ANOTHER}"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"`ip -brief address` lists the addresses of this machine; {ANOTHER}"
    return ANOTHER


def _taken(case: Case, address: Address) -> Finding:
    pid = listener(address.port)
    who = "a process that this user cannot see" if pid is None else f"{name_of(pid)}, process {pid}"
    if pid is not None and pid == lock_holder(case.settings.state_dir):
        return Finding(str(address), "ok", f"the host that uses the state folder listens here ({who})")
    if _is_our_host(case, address, pid):
        told = f"a host of this user listens here already ({who}), with another state folder"
        alone = case.settings.state_dir == default_state_dir(case.env)
        remedy = f"talk to that one (`fnhost list`), or {ANOTHER}"
        return Finding(str(address), "ok" if alone else "fault", told, WHY, remedy)
    stop = f"`sudo ss -ltnp 'sport = :{address.port}'` names it" if pid is None else f"`kill {pid}` stops it"
    return Finding(str(address), "fault", f"taken by {who}", WHY, f"{stop}; or {ANOTHER}")


def _is_our_host(case: Case, address: Address, pid: int | None) -> bool:
    host = LOOPBACK if address.host in ANY else address.host
    own = find_local_token(f"http://{Address(host, address.port)}", case.env)
    return own is not None and (pid is None or is_host(pid))


def _exposed(port: int) -> Finding:
    """The host does without one that it cannot have."""
    error = refusal(Address(LOOPBACK, port))
    if error is None:
        return Finding(f"expose {port}", "ok", "free")
    told = f"cannot be had: {os.strerror(error.errno or 0)}"
    pid = listener(port)
    remedy = f"stop what has it{f' (`kill {pid}`)' if pid else ''}, or take the entry out of `expose`"
    return Finding(f"expose {port}", "lack", told, "who calls this port gets no answer", remedy)
