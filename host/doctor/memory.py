"""Looks at how much memory there is, and how much of it functions may take."""

import psutil

from conf.quantities import say_size
from host.doctor.findings import Case, Finding, Section, conclude
from runtime.scaling.memory import LOWEST_AVAILABLE, allowed_memory, default_budget

WHY_LOW = "no instances are started while less than a twentieth of the memory is available"


def check_memory(case: Case) -> Section:
    """What is available, what this process's control group may use, and what functions may."""
    memory = psutil.virtual_memory()
    told = f"{say_size(memory.available)} of {say_size(memory.total)} are available"
    if memory.available < LOWEST_AVAILABLE * memory.total:
        findings = [
            Finding("memory", "lack", told, WHY_LOW, "end what takes it: `ps aux --sort -rss | head`")
        ]
    else:
        findings = [Finding("memory", "ok", told)]
    allowed = allowed_memory()
    if allowed < memory.total:
        findings.append(Finding("control group", "ok", f"{say_size(allowed)} for the host and all functions"))
    findings.append(_budget(case.settings.config.limits.memory or default_budget(), allowed))
    return conclude("memory", findings)


def _budget(budget: int, allowed: int) -> Finding:
    told = f"all functions together may take {say_size(budget)}"
    if budget <= allowed:
        return Finding("limits.memory", "ok", told)
    why = f"there are only {say_size(allowed)}: the kernel would end processes first"
    return Finding("limits.memory", "lack", told, why, "write a smaller `limits: {memory: …}`")
