"""The matcher: which functions of a rule take an event, and how many it has to ask."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conf.devices import Device
from conf.matching import Matcher

NAME = "== data_to_dict['deviceInfo']['deviceName']"
POINT = "in data_to_dict['telemetry']"


def device(name: str | None, *attributes: tuple[str, str]) -> Device:
    told = [{"attrValue": value, "attrExpression": expression} for value, expression in attributes]
    return Device.model_validate({"deviceName": name, "deviceAttr": told})


def event(name: str, *points: str) -> dict[str, Any]:
    return {"deviceInfo": {"deviceName": name}, "telemetry": dict.fromkeys(points, 1)}


def test_all_attributes_of_a_device_must_hold() -> None:
    matcher = Matcher([("f", [device("label", ("设备2", NAME), ("OPC温度", POINT))])])
    assert matcher.match(event("设备2", "OPC温度", "b")) == [(0, "label")]
    assert matcher.match(event("设备2", "b")) == []
    assert matcher.match(event("设备3", "OPC温度")) == []


def test_a_device_without_attributes_is_told_by_its_name() -> None:
    matcher = Matcher([("f", [device("设备2")])])
    assert matcher.match(event("设备2")) == [(0, "设备2")]
    assert matcher.match(event("label")) == []


def test_a_function_without_devices_takes_every_event() -> None:
    matcher = Matcher([("f", []), ("g", [device("d")]), ("h", [])])
    assert matcher.match(event("d")) == [(0, None), (1, "d"), (2, None)]
    assert matcher.match("text") == [(0, None), (2, None)]


def test_each_device_that_matches_is_an_entry_in_the_order_of_the_config() -> None:
    devices = [device("b", ("x", POINT)), device("d"), device("a", ("d", NAME)), device(None, ("d", NAME))]
    assert Matcher([("f", devices)]).match(event("d", "x")) == [(0, "b"), (0, "d"), (0, "a"), (0, None)]


def test_membership_follows_python_in_texts_lists_and_mappings() -> None:
    matcher = Matcher([("f", [device(point, (point, POINT)) for point in ("a", "ab", "c")])])
    for telemetry in ("xab", ["a", "ab", "ab", {}], {"a": 1, "ab": 2, "z": 3}):
        assert matcher.match({"telemetry": telemetry}) == [(0, "a"), (0, "ab")]
    for other in (None, 5, [["a"]]):
        assert matcher.match({"telemetry": other}) == []


def test_only_what_can_match_is_asked_of_a_thousand_functions() -> None:
    functions = [
        (f"f{n}", [device(f"d{n}", (f"d{n}", NAME), ("x", "!= data_to_dict['k']"))]) for n in range(1000)
    ]
    matcher = Matcher(functions)
    assert matcher.match({**event("d7"), "k": "y"}) == [(7, "d7")]
    assert matcher.evaluated == 1
    assert matcher.match(event("nobody")) == []
    assert matcher.evaluated == 1


def test_points_of_one_device_are_looked_up_as_well() -> None:
    functions = [(f"f{n}", [device("d", ("d", NAME), (f"p{n}", POINT))]) for n in range(1000)]
    matcher = Matcher(functions)
    assert matcher.match(event("d", "p3", "p999", "other")) == [(3, "d"), (999, "d")]
    assert matcher.evaluated == 2


TEXTS = st.sampled_from(["a", "b", "ab"])
PATHS = st.sampled_from(["['n']", "['m']", ".n", "['m']['n']"])
ATTRIBUTES = st.tuples(
    TEXTS, st.builds("{} data_to_dict{}".format, st.sampled_from(["==", "in", "!="]), PATHS)
)
DEVICES = st.lists(ATTRIBUTES, min_size=1, max_size=3).map(lambda attributes: device("d", *attributes))
VALUES = (
    TEXTS | st.lists(TEXTS, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "n"]), TEXTS, max_size=2)
)


@settings(deadline=None)
@given(
    st.lists(st.lists(DEVICES, max_size=3), max_size=4),
    st.dictionaries(st.sampled_from(["n", "m"]), VALUES, max_size=2),
)
def test_the_index_finds_what_asking_everybody_finds(
    functions: list[list[Device]], event: dict[str, Any]
) -> None:
    expected = [
        (index, each.device_name if each else None)
        for index, devices in enumerate(functions)
        for each in (devices or [None])  # type: ignore[list-item]
        if each is None or all(attribute.compile()(event) for attribute in each.device_attr)
    ]
    named = [(f"f{index}", devices) for index, devices in enumerate(functions)]
    assert Matcher(named).match(event) == expected
