"""User ids of functions: their own, the same over restarts, and never another host's."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from runtime.boxes.reach import READ, WRITE, find_barrier
from runtime.boxes.taken_ids import free_blocks
from runtime.boxes.uids import NoUidError, Uids

TWO_BLOCKS = range(300_000, 302_048)


def test_a_function_keeps_its_user_over_restarts(tmp_path: Path) -> None:
    first = Uids(tmp_path, TWO_BLOCKS, tmp_path / "locks")
    given = {name: first.uid(name) for name in ("a", "b", "a")}
    assert len(set(given.values())) == 2
    assert all(uid in first.block for uid in given.values())
    first.close()
    again = Uids(tmp_path, TWO_BLOCKS, tmp_path / "locks")
    assert {name: again.uid(name) for name in ("b", "a")} == given
    assert (tmp_path / "uids.json").stat().st_mode & 0o077 == 0
    again.close()


def test_two_hosts_never_share_a_block(tmp_path: Path) -> None:
    states = [tmp_path / name for name in ("one", "two", "three")]
    for state in states:
        state.mkdir()
    one, two = (Uids(state, TWO_BLOCKS, tmp_path / "locks") for state in states[:2])
    assert not set(one.block) & set(two.block)
    with pytest.raises(NoUidError, match="widen it"):
        Uids(states[2], TWO_BLOCKS, tmp_path / "locks")
    one.close()
    with pytest.raises(NoUidError):  # it is down, and owns files of these users
        Uids(states[2], TWO_BLOCKS, tmp_path / "locks")
    states[0].rmdir()
    three = Uids(states[2], TWO_BLOCKS, tmp_path / "locks")
    assert three.block == one.block
    two.close()
    three.close()


def test_functions_move_together_when_another_host_has_their_block(tmp_path: Path) -> None:
    (tmp_path / "uids.json").write_text(json.dumps({"first": 300_000, "functions": {"f": 300_007}}))
    other = tmp_path / "other"
    other.mkdir()
    (other / "uids.json").write_text(json.dumps({"first": 300_000, "functions": {}}))
    first = Uids(other, TWO_BLOCKS, tmp_path / "locks")
    moved = Uids(tmp_path, TWO_BLOCKS, tmp_path / "locks")
    assert (first.block.start, moved.block.start, moved.uid("f")) == (300_000, 301_024, 301_031)
    first.close()
    moved.close()


def test_an_id_is_given_again_only_when_it_was_given_back_and_has_no_process(tmp_path: Path) -> None:
    uids = Uids(tmp_path, TWO_BLOCKS[:1024], tmp_path / "locks")
    given = {f"f{number}": uid for number, uid in enumerate(uids.block[1:])}
    uids._given |= given
    with pytest.raises(NoUidError, match="all 1023"):
        uids.uid("one-more")
    uids.give_back("f7")
    uids.give_back("f9")
    with start_as(given["f7"]) as process:
        assert uids.uid("one-more") == given["f9"]
        with pytest.raises(NoUidError):
            uids.uid("another")
        process.kill()
    assert uids.uid("another") == given["f7"]
    uids.close()


def test_an_id_that_was_just_given_back_is_not_the_next(tmp_path: Path) -> None:
    uids = Uids(tmp_path, TWO_BLOCKS, tmp_path / "locks")
    first = uids.uid("first")
    uids.give_back("first")
    assert uids.uid("second") not in (first, uids.block.start)
    uids.close()


def test_ids_that_the_machine_has_given_to_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "subuid").write_text("podman:300000:65536\n")
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\nmany:x:400100:100::/:/bin/sh\n")
    blocks, why = free_blocks(TWO_BLOCKS, tmp_path)
    assert blocks == [] and why == f"{tmp_path}/subuid gives 300000 to 365535 to podman"
    assert free_blocks(range(400_000, 402_048), tmp_path)[0] == [range(401_024, 402_048)]


def start_as(uid: int) -> "subprocess.Popen[bytes]":
    if os.geteuid() != 0:
        pytest.skip("only root starts processes of others")
    return subprocess.Popen(["sleep", "600"], user=uid)


def test_a_book_that_is_damaged_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "uids.json").write_text('{"first": "x"')
    uids = Uids(tmp_path, TWO_BLOCKS, tmp_path / "locks")
    assert uids.uid("f") in uids.block
    uids.close()


def test_what_keeps_a_user_from_a_place_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    inner = tmp_path / "inner"
    inner.mkdir()
    (link := tmp_path / "link").symlink_to(inner)
    barrier = find_barrier(tmp_path / "inner" / "x", 300_000)
    if barrier is not None:  # the folder of all tests is closed
        assert str(tmp_path) not in barrier.split()[0] or "is closed to other users" in barrier
    inner.chmod(0o700)
    assert "is closed to other users" in str(find_barrier(link, 300_000))
    assert find_barrier(Path("/usr/lib"), 300_000, READ) is None
    assert find_barrier(Path("/usr/lib"), 300_000, READ | WRITE) == "/usr/lib is closed to other users"
    assert find_barrier(Path("/usr"), 0, READ | WRITE) is None
