"""Acknowledgements leave in the order of receipt, whatever order the work ends in."""

from hypothesis import given
from hypothesis import strategies as st

from triggers.mqtt.messages import Delivery
from triggers.mqtt.window import Window


def test_nothing_is_acknowledged_before_what_was_received_first() -> None:
    acknowledged: list[int] = []
    window = Window(acknowledged.append)
    first, second, third = (window.admit(mid) for mid in (7, 3, 5))
    third.settle()
    second.settle()
    assert acknowledged == [] and len(window) == 3
    first.settle()
    assert acknowledged == [7, 3, 5] and len(window) == 0


@given(st.permutations(range(30)))
def test_any_order_of_work_gives_the_order_of_receipt(order: list[int]) -> None:
    acknowledged: list[int] = []
    window = Window(acknowledged.append)
    slots = [window.admit(mid) for mid in range(30)]
    for done, index in enumerate(order, 1):
        slots[index].settle()
        finished = set(order[:done])
        prefix = next((n for n in range(30) if n not in finished), 30)
        assert acknowledged == list(range(prefix))


def test_a_void_window_acknowledges_nothing_any_more() -> None:
    acknowledged: list[int] = []
    window = Window(acknowledged.append)
    slot = window.admit(1)
    window.void()
    slot.settle()
    assert acknowledged == []


def test_a_delivery_is_settled_when_all_its_parts_are_done() -> None:
    acknowledged: list[int] = []
    delivery = Delivery("t", b"", 1, slot=Window(acknowledged.append).admit(4), parts=2)
    delivery.part_done()
    assert acknowledged == []
    delivery.part_done()
    assert acknowledged == [4]


def test_a_delivery_that_comes_again_is_acknowledged_over_the_new_connection_only() -> None:
    old: list[int] = []
    new: list[int] = []
    before, after = Window(old.append), Window(new.append)
    running = Delivery("t", b"", 1, slot=before.admit(1), parts=1)
    done = Delivery("t", b"", 1, slot=before.admit(2))
    done.finish()
    before.void()
    running.attach(after.admit(1))
    done.attach(after.admit(2))
    assert new == []
    running.part_done()
    assert old == [] and new == [1, 2]
