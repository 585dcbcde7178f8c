"""Old config files with faults: told by the path, key and line that their author wrote."""

from pathlib import Path

import pytest

from conf.load import examine_config
from tests.conf.reading import faults


def test_faults_are_told_where_they_stand_in_the_old_file(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """\
        edge:
        - name: a b
          instance: many
          pre_broker: h
          pre_topic: in/#/x
          edge_mode: nothing
          post_broker: h
          post_qos: 7
          post_topic: out/+
        - name: b
          pre_brokr: h
        other: 1
        """,
    )
    assert {path: fault.line for path, fault in found.items()} == {
        "edge[0].name": 2,
        "edge[0].instance": 3,
        "edge[0].pre_topic": 5,
        "edge[0].edge_mode": 6,
        "edge[0].post_qos": 8,
        "edge[0].post_topic": 9,
        "edge[1].pre_brokr": 11,
        "edge[1].pre_broker": 10,
        "edge[1].pre_topic": 10,
        "edge[1].edge_mode": 10,
        "edge[1].post_broker": 10,
        "edge[1].post_topic": 10,
        "other": 12,
    }
    assert found["edge[1].pre_brokr"].hint == "did you mean `pre_broker`?"


def test_a_faulty_expression_is_told_by_its_old_key_with_its_column(tmp_path: Path) -> None:
    text = """\
        funcs:
        - modelName: a
          devices:
          - deviceName: d
            deviceParseExpression: "== data_to_dict['deviceInfo']['deviceName']"
            pointName: p
            pointParseExpression: in data_to_dict['telemetry'].keys()
        """
    found = faults(tmp_path, text)
    fault = found["funcs[0].devices[0].pointParseExpression"]
    assert (list(found), fault.line) == (["funcs[0].devices[0].pointParseExpression"], 7)
    assert fault.message == "column 4: calls a function"
    assert fault.hint is not None


def test_the_stray_list_of_functions_is_refused_with_what_to_write(tmp_path: Path) -> None:
    text = 'func:\n- {name: "http://h/x.zip", type: multivar, pointName: "设备2---OPC温度"}\n'
    found = faults(tmp_path, text)
    assert (list(found), found["func"].line) == (["func"], 1)
    assert "write each under `funcs`" in str(found["func"].hint)


@pytest.mark.parametrize(
    "text",
    [
        "edge: 5",
        "edge: [5]",
        "edge: [{name: [1]}]",
        "edge: [{name: {}, edge_mode: [], pre_broker: [], pre_topic: 1.5, post_broker: {}, post_topic: []}]",
        "rules: [{func: x.y}]",
        "rules: [{func: [], name: [], sub: 5, pub: [5]}, 5]",
        "funcs: [{model_address: 5, devices: 5}]",
        "funcs: [{model_address: x, deviceName: [], devices: [5]}, 7]",
        "funcs: [{modelName: [], devices: {}}]",
        "funcs: [{modelName: x, devices: [5, {deviceAttr: 5}, {deviceAttr: [5, {attrValue: []}]}]}]",
        "funcs: [{modelName: x, devices: [{pointName: [], deviceAttr: 5}, {pointName: {}}, 6]}]",
        "mqtts: 5\nrules: {}\nfuncs: [{modelName: x}]",
        "mqtts: [5, {name: [], broker: []}]\nrules: [5, {sub: {clientId: []}}]\nfuncs: [{modelName: x}]",
    ],
)
def test_what_has_no_shape_at_all_is_told_as_faults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(text)
    found = examine_config(path, {})
    assert found.config is None
    assert found.faults
