"""Which files of tests begin first: those that take longest."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent

SLOW = (
    "torture/test_failpoints.py",
    "torture/test_torture.py",
    "bench/test_bench.py",
    "host/test_lifecycle.py",
    "console/test_all_pages.py",
    "project/test_quality.py",
    "project/test_demo.py",
    "host/test_walkthrough.py",
    "api/test_generated.py",
    "host/test_downloads.py",
    "host/test_reload.py",
    "host/test_invocations.py",
    "functions/test_samples.py",
    "delivery/test_inbox.py",
    "worker/test_entries.py",
    "host/test_mqtt_flow.py",
    "store/test_crashes.py",
    "host/test_timers.py",
    "host/test_deploys.py",
    "host/test_dead_letters.py",
    "access/test_hosts.py",
    "runtime/test_sharing.py",
    "project/test_wheel.py",
    "host/test_generations.py",
    "worker/test_siblings.py",
    "mqtt/test_keeping.py",
    "worker/test_old_models.py",
    "worker/test_hooks.py",
    "mqtt/test_backlog.py",
    "attacks/test_resources.py",
    "cli/test_bench.py",
    "host/test_subinterpreters.py",
    "attacks/test_clients.py",
    "worker/test_packages.py",
    "console/test_restart.py",
    "mqtt/test_reset.py",
    "mqtt/test_delivery.py",
)
"""More than ten seconds each, the slowest first; all others follow in the order of their names."""


def in_order(item: pytest.Item) -> int:
    """The place of a test's file among the slow ones, or behind them."""
    file = item.path.relative_to(ROOT).as_posix()
    return SLOW.index(file) if file in SLOW else len(SLOW)
