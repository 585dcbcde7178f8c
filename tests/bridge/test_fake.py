"""The fake records and the server that gives them."""

import json
import random
import signal
import subprocess
from collections.abc import Iterator
from itertools import islice

import httpx
import pytest

from host.fake.records import DEVICES, PATHS, fake_records
from tests.cli.running import DEADLINE, command, environment, fnhost


def some(path: str, seed: int = 1, number: int = 200) -> list[bytes]:
    return list(islice(fake_records(seed)[path], number))


@pytest.mark.parametrize("path", PATHS)
def test_each_record_is_a_line_of_json(path: str) -> None:
    for record in some(path):
        assert record.endswith(b"}\n") and record.count(b"\n") == 1
        assert isinstance(json.loads(record), dict)


@pytest.mark.parametrize("path", PATHS)
def test_the_same_seed_gives_the_same_records_whatever_else_is_asked_for(path: str) -> None:
    records = fake_records(7)
    mixed = []
    for _ in range(50):
        for other in random.sample(list(PATHS), len(PATHS)):
            record = next(records[other])
            mixed += [record] if other == path else []
    assert mixed == some(path, 7, 50)
    assert some(path, 8) != some(path, 7)


def test_cars_look_as_the_older_programs_did() -> None:
    for record in map(json.loads, some("/car")):
        assert list(record) == ["type", "fuel", "transmission", "brand", "model", "year"]
        assert isinstance(record["year"], int)
    assert "Pickup truck" in {json.loads(record)["type"] for record in some("/car")}


def test_points_have_two_whole_numbers() -> None:
    for record in map(json.loads, some("/th")):
        assert list(record) == ["t", "h"] and all(type(value) is int for value in record.values())


def test_telemetry_has_all_that_occurs_in_the_wild() -> None:
    records = [json.loads(record) for record in some("/telemetry")]
    assert {record["deviceInfo"]["deviceName"] for record in records} == set(DEVICES)
    flags = {next(key for key in record["deviceInfo"] if key.startswith("edgeCal")) for record in records}
    assert flags == {"edgeCalculation", "edgeCalulation"}
    assert {frozenset(record["model_data"]) for record in records} == {
        frozenset(("GS0101", "GS0102")),
        frozenset(("window", "trend_model_data")),
    }
    stamps = [record["telemetry"]["ts"] for record in records]
    assert stamps == sorted(set(stamps))
    assert "OPC温度".encode() in some("/telemetry")[0]


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`fnhost fake serve` as a process, and the address that it tells."""
    words = command("fake", "serve", "--port", "0", "--seed", "7")
    with subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("fake records: http://127.0.0.1:")
        yield process, line.split()[2].removesuffix("/car")
        process.kill()


def test_the_server_gives_one_record_per_get_until_it_is_told_to_stop(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    process, address = server
    with httpx.Client(trust_env=False, timeout=DEADLINE) as client:
        for path in PATHS:
            assert [client.get(address + path).content for _ in range(3)] == some(path, 7, 3)
        assert client.get(f"{address}/car").headers["content-type"] == "application/json"
        assert client.get(f"{address}/boat").status_code == 404
        assert client.post(f"{address}/car").status_code == 405
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == 0


def test_a_port_that_is_taken_is_told_with_the_remedy(server: tuple[subprocess.Popen[str], str]) -> None:
    port = server[1].rpartition(":")[2]
    result = fnhost("", "fake", "serve", "--port", port)
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --port\n"
    )
