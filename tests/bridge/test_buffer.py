"""The buffer of a bridge: bounded by number and by bytes."""

from triggers.bridge.buffer import Buffer


def contents(buffer: Buffer) -> list[bytes]:
    return [buffer.take() for _ in range(len(buffer))]


def test_the_oldest_gives_way_when_there_are_too_many() -> None:
    buffer = Buffer(most_records=2)
    for record in (b"1", b"2", b"3", b"4"):
        buffer.put(record)
    assert buffer.dropped == 2
    assert contents(buffer) == [b"3", b"4"]


def test_as_many_give_way_as_a_large_one_needs() -> None:
    buffer = Buffer(most_bytes=10)
    for record in (b"1234", b"5678", b"90", b"1234567"):
        buffer.put(record)
    assert buffer.dropped == 2
    assert contents(buffer) == [b"90", b"1234567"]


def test_the_newest_is_kept_whatever_its_size() -> None:
    buffer = Buffer(most_bytes=3)
    buffer.put(b"1")
    buffer.put(b"12345")
    assert (buffer.dropped, contents(buffer)) == (1, [b"12345"])
    buffer.put(b"12")
    assert (buffer.dropped, contents(buffer)) == (1, [b"12"])
