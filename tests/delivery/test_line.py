"""Whatever happens to a line, the events of a key stay in order, and none is lost."""

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from runtime.events import Event
from triggers.delivery.backlog import LIMIT
from triggers.delivery.line import SWEEP, Line
from triggers.delivery.work import Work


def work(seq: int, key: str = "", *, sure: bool = True, device: str = "") -> Work:
    return Work(Event(b"%d" % seq), seq, sure=sure, key=key, device=device)


def taken(line: Line) -> list[int]:
    """The numbers of all that can be taken, each let go of at once."""
    seqs = []
    while (each := line.take()) is not None:
        seqs.append(each.seq)
        line.release(each)
    return seqs


def test_of_one_key_one_event_is_out_at_a_time_and_other_keys_pass_it() -> None:
    line = Line(ordered=True)
    for seq, key in enumerate("aabab"):
        assert line.add(work(seq, key)) == []
    first, second = line.take(), line.take()
    assert first and second and (first.seq, second.seq) == (0, 2)
    assert line.take() is None and len(line) == 3
    line.release(second)
    third = line.take()
    assert third and third.seq == 4
    line.release(first)
    assert taken(line) == [1, 3]


def test_what_is_put_back_goes_before_what_came_later() -> None:
    for ordered in (False, True):
        line = Line(ordered=ordered)
        for seq in range(4):
            line.add(work(seq, "a"))
        first = line.take()
        assert first and line.put_back(first) == []
        assert len(line) == 4 and taken(line) == [0, 1, 2, 3]


def test_the_latest_event_of_a_device_takes_the_place_of_the_one_that_waits() -> None:
    line = Line(latest=True)
    old, other, new = work(1, device="a"), work(2, device="b"), work(3, device="a")
    assert line.add(old) == line.add(other) == []
    assert line.add(new) == [old] and old.gone
    assert len(line) == 2 and taken(line) == [2, 3]


def test_an_event_that_comes_back_gives_way_to_a_newer_one_of_its_device_and_frees_its_key() -> None:
    line = Line(ordered=True, latest=True)
    old, new = work(1, "a", device="a"), work(2, "a", device="a")
    line.add(old)
    assert line.take() is old
    line.add(new)
    assert line.put_back(old) == [old] and old.gone
    assert len(line) == 1 and taken(line) == [2] and not line.is_held("a")


def test_an_older_event_that_comes_late_gives_way_to_the_newer_one() -> None:
    line = Line(latest=True)
    line.add(work(5, device="a"))
    late = work(3, device="a")
    assert line.add(late) == [late]
    assert taken(line) == [5]


def test_what_gave_way_is_not_kept_while_the_function_takes_nothing() -> None:
    for ordered in (False, True):
        line = Line(ordered=ordered, latest=True)
        for seq in range(20 * SWEEP):
            line.add(work(seq, "a", device="a"))
        held = line.ready + sum(len(behind) for behind in line._behind.values())
        assert len(line) == 1 and held <= SWEEP + 2
        assert taken(line) == [20 * SWEEP - 1]


def test_what_may_be_lost_gives_way_and_is_not_told_twice() -> None:
    line = Line(ordered=True, latest=True)

    for seq in range(LIMIT):
        assert line.add(work(seq, f"{seq}", sure=False, device=f"{seq}")) == []
    given_way = line.add(work(LIMIT, "new", sure=False, device="5"))
    assert [each.seq for each in given_way] == [5, 0]
    assert len(line) == LIMIT - 1 and len(taken(line)) == LIMIT - 1


def test_what_comes_again_is_forgotten_and_does_not_hold_back_what_does_not() -> None:
    line = Line(ordered=True)
    sure, behind, last = work(1, "a"), work(2, "a", sure=False), work(3, "a")
    for each in (sure, behind, last):
        line.add(each)
    assert {each.seq for each in line.forget_sure()} == {1, 3}
    assert len(line) == 1 and taken(line) == [2] and len(line) == 0


def test_what_gave_way_is_no_follower() -> None:
    line = Line(ordered=True, latest=True)
    line.add(work(1, "t"))
    line.add(work(2, "t", device="a"))
    line.add(work(3, "t", device="a"))
    assert [each.seq for each in line.followers("t")] == [3]


class Traffic(RuleBasedStateMachine):
    """Events of few keys come, run, come back and end in any order."""

    ordered = True
    latest = False

    def __init__(self) -> None:
        super().__init__()
        self.line = Line(ordered=self.ordered, latest=self.latest)
        self.out: list[Work] = []
        self.waiting: set[int] = set()
        self.ended: dict[str, list[int]] = defaultdict(list)
        self.seq = 0

    @rule(key=st.sampled_from("abc"), device=st.sampled_from(("", "x", "y")), sure=st.booleans())
    def come(self, key: str, device: str, sure: bool) -> None:
        self.seq += 1
        self.waiting.add(self.seq)
        self._gone(self.line.add(work(self.seq, key, sure=sure, device=device)))

    @rule()
    def take(self) -> None:
        each = self.line.take()
        if each is not None:
            self.waiting.remove(each.seq)
            self.out.append(each)

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0))
    def come_back(self, which: int) -> None:
        each = self.out.pop(which % len(self.out))
        self.waiting.add(each.seq)
        self._gone(self.line.put_back(each))

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0))
    def end(self, which: int) -> None:
        each = self.out.pop(which % len(self.out))
        self.ended[each.key].append(each.seq)
        self.line.release(each)

    @rule()
    def forget(self) -> None:
        self._gone(self.line.forget_sure())

    def _gone(self, given_way: list[Work]) -> None:
        assert all(each.gone == self.latest or each.sure for each in given_way)
        self.waiting -= {each.seq for each in given_way}

    @invariant()
    def none_is_lost(self) -> None:
        assert len(self.line) == len(self.waiting)

    @invariant()
    def keys_are_in_order(self) -> None:
        if self.ordered:
            assert len({each.key for each in self.out}) == len(self.out)
            assert all(seqs == sorted(seqs) for seqs in self.ended.values())

    def teardown(self) -> None:
        for each in self.out:
            self.line.release(each)
        assert set(taken(self.line)) == self.waiting


class Unordered(Traffic):
    ordered = False


class Conflated(Traffic):
    latest = True


FEW = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestOrdered = Traffic.TestCase
TestUnordered = Unordered.TestCase
TestConflated = Conflated.TestCase
for case in (TestOrdered, TestUnordered, TestConflated):
    case.settings = FEW
