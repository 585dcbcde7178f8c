"""The judge finds what is wrong with a run, and lets pass what a fault explains."""

from tests.torture.judge import DELIVERY, NEVER, RESULT, TWICE, judge
from tests.torture.ledger import Cut, Event, Ledger, Letter, Result, Send
from tests.torture.subject import ORDERED, PLAIN

CONNECTED, CUT, LATER = 1.0, 5.0, 6.0


def ledger_of(*events: Event) -> Ledger:
    ledger = Ledger()
    for event in events:
        ledger.add(event)
        ledger.count(event, CONNECTED)
    return ledger


def answer(ledger: Ledger, *numbers: int, payload: bytes = b"{}") -> Ledger:
    for number in numbers:
        order = sum(len(told) for told in ledger.results.values())
        ledger.take_result(number, Result(CONNECTED, order, payload, ""))
    return ledger


def plain(number: int = 0, **more: object) -> Event:
    event = Event(number, PLAIN, "d0", copies=1)
    for name, value in more.items():
        setattr(event, name, value)
    return event


def test_an_event_with_one_result_is_all_right() -> None:
    assert judge(answer(ledger_of(plain()), 0), []).wrong == {}


def test_an_event_without_a_result_is_lost() -> None:
    assert judge(ledger_of(plain(7)), []).wrong == {"lost": [7]}


def test_an_event_that_its_broker_never_acknowledged_does_not_count() -> None:
    ledger = Ledger()
    ledger.add(plain())
    assert judge(ledger, []).wrong == {}


def test_a_second_result_needs_a_reason() -> None:
    assert judge(answer(ledger_of(plain()), 0, 0), []).wrong == {"repeated without a reason": [0]}


def test_what_was_published_twice_may_be_answered_twice_and_no_more() -> None:
    assert judge(answer(ledger_of(plain(copies=2)), 0, 0), []).repeats == {TWICE: 1}
    assert judge(answer(ledger_of(plain(copies=2)), 0, 0, 0), []).unexplained == [0]


def test_a_confirmation_that_was_cut_off_explains_a_repeat() -> None:
    assert judge(answer(ledger_of(plain(resends=1)), 0, 0), []).repeats == {RESULT: 1}


def test_a_delivery_that_was_cut_off_explains_a_repeat_when_a_result_may_have_been_sent_before() -> None:
    before = plain(cuts=[Cut(CUT, False)], sends=[Send(CUT - 1, CONNECTED), Send(LATER, CONNECTED)])
    assert judge(answer(ledger_of(before), 0, 0), []).repeats == {DELIVERY: 1}
    after = plain(cuts=[Cut(CUT, False)], sends=[Send(LATER, CONNECTED), Send(LATER, CONNECTED)])
    assert judge(answer(ledger_of(after), 0, 0), []).unexplained == [0]


def test_a_delivery_that_was_cut_off_explains_a_repeat_when_the_host_could_not_know_it_again() -> None:
    forgotten = plain(cuts=[Cut(CUT, True)], sends=[Send(LATER, CONNECTED)])
    assert judge(answer(ledger_of(forgotten), 0, 0), []).repeats == {DELIVERY: 1}


def test_a_delivery_that_was_cut_off_explains_a_repeat_when_its_target_was_away() -> None:
    kept = plain(cuts=[Cut(CUT, False)], sends=[Send(LATER + 1, LATER)])
    assert judge(answer(ledger_of(kept), 0, 0), []).repeats == {DELIVERY: 1}


def test_a_delivery_that_was_cut_off_explains_a_repeat_when_the_host_died_before_it_came_again() -> None:
    event = plain(cuts=[Cut(CUT, False)], sends=[Send(LATER, CONNECTED)], acked=LATER + 2)
    ledger = answer(ledger_of(event), 0, 0)
    ledger.deaths = [CUT - 1, LATER + 3]
    assert judge(ledger, []).unexplained == [0]
    ledger.deaths.append(LATER + 1)
    assert judge(ledger, []).repeats == {DELIVERY: 1}


def test_results_of_one_event_are_equal() -> None:
    ledger = answer(ledger_of(plain(copies=2)), 0)
    assert judge(answer(ledger, 0, payload=b"[]"), []).wrong == {"results differ": [0]}


def test_an_event_that_always_raises_has_one_dead_letter_and_no_result() -> None:
    letter = Letter(0, "FunctionRaised", 5)
    dead = ledger_of(plain(what=NEVER))
    assert judge(dead, [letter]).wrong == {}
    assert judge(dead, [letter, letter]).wrong == {"not exactly one dead letter": [0]}
    assert judge(dead, []).wrong == {"lost": [0]}
    assert judge(answer(dead, 0), [letter]).wrong == {"not exactly one dead letter": [0]}


def test_a_dead_letter_of_an_event_that_can_be_answered_is_wrong() -> None:
    assert judge(ledger_of(plain()), [Letter(0, "x", 1)]).wrong == {"dead letter not asked for": [0]}


def test_the_first_results_of_a_device_come_in_the_order_of_its_events() -> None:
    events = [Event(number, ORDERED, device, copies=2) for number, device in enumerate("abab")]
    in_order = answer(ledger_of(*events), 1, 0, 2, 0, 3)
    assert judge(in_order, []).disorder == {}
    assert judge(answer(ledger_of(*events), 1, 2, 3, 0), []).disorder == {0: 2}


def test_events_of_a_rule_without_order_may_come_in_any() -> None:
    assert judge(answer(ledger_of(plain(0), plain(1)), 1, 0), []).disorder == {}
