"""Looks at the config: whether it can be read, what was assumed, and what it promises less than it seems."""

from conf.advice import advise
from conf.faults import Fault
from host.deployment.package_check import package_faults
from host.doctor.findings import Case, Finding, Section, conclude

WHY = "the host does not start with a config that it cannot read"


def check_config(case: Case) -> Section:
    """Every fault of a config that is refused, else every note."""
    settings = case.settings
    if case.refused is not None:
        source = case.refused.source or "settings"
        return conclude("config", [_fault(source, fault) for fault in case.refused.faults])
    if settings.config_path is None:
        return conclude("config", [], "none is named, and none is needed: --config FILE, or FNHOST_CONFIG")
    findings = [Finding(str(settings.config_path), "ok", "can be read")]
    findings += [Finding("note", "lack", note, "it was assumed to read the file") for note in settings.notes]
    advice = [*package_faults(settings.config, case.env), *advise(settings.config)]
    findings += [Finding(each.path, "lack", each.message, "", each.hint or "") for each in advice]
    return conclude("config", findings)


def _fault(source: str, fault: Fault) -> Finding:
    line = f", line {fault.line}" if fault.line is not None else ""
    return Finding(f"{source}{line}", "fault", f"{fault.path} {fault.message}".strip(), WHY, fault.hint or "")
