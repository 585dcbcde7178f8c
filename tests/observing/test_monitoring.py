"""What is said and drawn of metrics is true of the page: the table, the dashboard, and the alerts."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.observing.pages import Families
from tests.observing.scraped import Scraped, scraped
from tests.project.tree import ROOT

__all__ = ["scraped"]

GUIDE = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| *([\w, ]*?) *\|.*\|$", re.MULTILINE)
NAME = re.compile(r"\b(?:fnhost|process)_\w+")
TARGET = {"instance", "job"}
"""Labels that Prometheus adds to each series of a host."""
WORDS = {"up", "le"}


@pytest.fixture(scope="module")
def page(scraped: Scraped) -> Families:
    """The page of a host that has had some of everything."""
    return scraped.page()


def told_name(name: str, kind: str) -> str:
    """As people know it, and queries."""
    return f"{name}_total" if kind == "counter" else name


def labels_of(families: Families) -> dict[str, set[str]]:
    """The labels of each sample's name."""
    return {sample.name: set(sample.labels) for family in families.values() for sample in family.samples}


def test_the_table_has_every_metric_with_its_type_and_labels(page: Families) -> None:
    told = {name: (kind, set(labels.split(", ")) - {""}) for name, kind, labels in ROW.findall(GUIDE)}
    there = {told_name(each.name, each.type): each for each in page.values()}
    assert set(told) == set(there)
    for name, (kind, labels) in told.items():
        assert kind == there[name].type, name
        for sample in there[name].samples:
            assert set(sample.labels) - {"le"} == labels, name


def check_query(query: str, labels: dict[str, set[str]]) -> None:
    """Fail for a metric or label that no host has."""
    names = NAME.findall(query)
    assert names or "up{" in query, query
    allowed = set(TARGET)
    for name in names:
        assert name in labels, f"{name} in {query}"
        allowed |= labels[name]
    used = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query)
    for group in re.findall(r"\bby \(([^)]*)\)", query):
        used += [each.strip() for each in group.split(",")]
    assert set(used) <= allowed, (query, set(used) - allowed)
    assert query.count("(") == query.count(")") and query.count("{") == query.count("}"), query


def rules() -> list[dict[str, Any]]:
    """All alerts."""
    text = (ROOT / "docs/alerts/fnhost.rules.yml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def labels(page: Families) -> dict[str, set[str]]:
    """What a query may say, by the names of samples; of a family without samples by the table."""
    known = labels_of(page)
    for name, kind, told in ROW.findall(GUIDE):
        known.setdefault(name, set(told.split(", ")) - {""})
        if kind == "summary":
            known[f"{name}_sum"] = known[f"{name}_count"] = known[name]
    return known


def test_each_alert_asks_for_what_there_is_and_says_what_to_do(labels: dict[str, set[str]]) -> None:
    alerts = rules()
    assert len({each["alert"] for each in alerts}) == len(alerts) >= 12
    for each in alerts:
        check_query(each["expr"], labels)
        assert each["labels"]["severity"] in ("warning", "critical")
        assert re.fullmatch(r"\d+[smh]", each.get("for", "0s"))
        place, _, anchor = each["annotations"]["runbook_url"].partition("#")
        assert (ROOT / place).is_file()
        assert anchor == each["alert"].lower()
        told = re.search(rf"^### {each['alert']}\n\n(\S.+?)\n\n", GUIDE + "\n", re.MULTILINE | re.DOTALL)
        assert told is not None and len(told[1]) > 80, each["alert"]


def test_each_alert_tells_labels_that_it_has(labels: dict[str, set[str]]) -> None:
    for each in rules():
        grouped = re.findall(r"\bby \(([^)]*)\)", each["expr"])
        kept = {name.strip() for name in grouped[0].split(",")} if grouped else set(TARGET)
        if not grouped:
            kept |= set[str]().union(*(labels[name] for name in NAME.findall(each["expr"])))
        said = set(re.findall(r"\$labels\.(\w+)", each["annotations"]["summary"]))
        assert said <= kept, each["alert"]


def test_every_paragraph_belongs_to_an_alert() -> None:
    headings = re.findall(r"^### (Fnhost\w+)$", GUIDE, re.MULTILINE)
    assert headings == [each["alert"] for each in rules()]


def queries() -> Iterator[str]:
    """Those of the dashboard."""
    board = json.loads((ROOT / "docs/grafana/fnhost.json").read_text(encoding="utf-8"))
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"]


def test_the_dashboard_draws_what_there_is(labels: dict[str, set[str]]) -> None:
    asked = list(queries())
    assert len(asked) > 25
    for query in asked:
        check_query(query, labels)
