"""The wire between host and instance: any split of a stream reads the same; what is no frame is refused."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.worker.frames import LENGTHS, MAX_HEAD, Decoder, Frame, FrameError, encode, encode_text

heads = st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(max_size=20)), max_size=4)
frames = st.lists(st.tuples(heads, st.binary(max_size=200)), max_size=8)


@given(frames, st.lists(st.integers(0, 2000), max_size=12))
def test_any_split_of_the_stream_gives_the_same_frames(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(encode(head, body) for head, body in sent)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    decoder = Decoder(1000)
    received: list[Frame] = []
    for start, stop in itertools.pairwise(places):
        received += decoder.feed(stream[start:stop])
    assert received == sent


def test_a_stream_that_comes_byte_by_byte_is_read() -> None:
    decoder = Decoder(10)
    stream = encode({"n": 1}, b"body") + encode({"n": 2})
    received = [frame for at in range(len(stream)) for frame in decoder.feed(stream[at : at + 1])]
    assert received == [({"n": 1}, b"body"), ({"n": 2}, b"")]


def test_half_a_character_in_a_head_survives() -> None:
    assert Decoder(0).feed(encode({"message": "\ud800 温度"})) == [({"message": "\ud800 温度"}, b"")]


def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_is_refused_by_its_lengths_alone() -> None:
    assert Decoder(4).feed(encode({}, b"1234")) == [({}, b"1234")]
    with pytest.raises(FrameError, match="over the limit"):
        Decoder(4).feed(encode({}, b"12345")[: LENGTHS.size])


def test_a_head_over_the_limit_is_refused_before_it_is_collected() -> None:
    with pytest.raises(FrameError, match="over the limit"):
        Decoder(4).feed(LENGTHS.pack(MAX_HEAD, 1, 0))


@pytest.mark.parametrize("head", [b"", b"{", b"\xff", b"[]", b"1", b"[" * 100_000])
def test_a_head_that_is_no_json_object_is_refused(head: bytes) -> None:
    with pytest.raises(FrameError):
        Decoder(4).feed(LENGTHS.pack(len(head), 0, 0) + head)


@given(st.binary(min_size=LENGTHS.size, max_size=300))
def test_garbage_is_refused_or_waits_for_more_but_breaks_nothing(garbage: bytes) -> None:
    try:
        received = Decoder(100).feed(garbage)
    except FrameError:
        return
    for head, body in received:
        json.dumps(head)
        assert len(body) <= 100


def test_metadata_travel_as_they_are_and_stand_in_the_head() -> None:
    frame = encode_text('{"n":1}', b'{"topic":"t"}', b"body")
    assert Decoder(10).feed(frame + frame) == [({"n": 1, "m": b'{"topic":"t"}'}, b"body")] * 2
