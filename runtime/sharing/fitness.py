"""What a function may not ask for when it shares its process."""

from runtime.spec import PoolSpec


def find_misfit(spec: PoolSpec) -> str | None:
    """Why this one needs a process of its own; None when it does not."""
    asked = {
        "memory": spec.memory,
        "cpu_max": spec.cpu_max,
        "processes": spec.processes,
        "reads": spec.reads,
        "writes": spec.writes,
    }
    names = [f"`{name}`" for name, value in asked.items() if value]
    if not names:
        return None
    return (
        f"{' and '.join(names)} cannot be had in a process that functions share; leave "
        f"{'them' if len(names) > 1 else 'it'} out, or say `isolation: process` in function.yaml"
    )
