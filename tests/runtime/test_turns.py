"""Turns to boot: so many at a time, in the order of asking."""

from functools import partial

from runtime.turns import Turns


def test_no_more_than_so_many_hold_a_turn_and_the_next_is_woken_when_one_is_free() -> None:
    turns = Turns(2)
    woken: list[str] = []
    taken = [turns.take(who, partial(woken.append, who)) for who in "abcd"]
    assert taken == [True, True, False, False]
    turns.give_back("a")
    assert woken == ["c"]
    assert not turns.take("d", lambda: None), "it is not before its turn"
    assert turns.take("c", lambda: None)
    turns.give_back("b")
    assert woken == ["c", "d"]
    assert turns.take("d", lambda: None)


def test_who_gives_up_waiting_keeps_nobody_waiting() -> None:
    turns = Turns(1)
    woken: list[str] = []
    assert turns.take("a", lambda: None)
    assert not turns.take("b", partial(woken.append, "b"))
    assert not turns.take("c", partial(woken.append, "c"))
    turns.leave("b")
    turns.give_back("a")
    assert woken == ["c"]
    assert turns.take("c", lambda: None)


def test_a_turn_that_is_given_back_late_does_not_cost_the_next_one() -> None:
    turns = Turns(1)
    woken: list[str] = []
    for who in "ab":
        turns.take(who, partial(woken.append, who))
    turns.give_back("a")
    assert turns.take("b", lambda: None)
    assert not turns.take("a", partial(woken.append, "a"))
    turns.give_back("a")
    turns.give_back("b")
    assert woken == ["b", "a"]


def test_who_holds_a_turn_has_it_until_it_is_given_back() -> None:
    turns = Turns(1)
    assert turns.take("a", lambda: None)
    assert turns.take("a", lambda: None)
    turns.give_back("a")
    assert turns.take("b", lambda: None)
