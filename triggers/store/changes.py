"""What can be written: each change is one step of a transaction (`DeliveryStore.submit`)."""

from dataclasses import dataclass

from triggers.store.rows import EventRow, Invocation, Letter, ResultRow


@dataclass(frozen=True, slots=True)
class AddEvents:
    """Rows into the inbox; one whose `seq` is there already is replaced (its attempts have grown)."""

    rows: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class DropEvents:
    """Rows of the inbox that are dealt with; those that are not there are no error."""

    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AddResults:
    """Rows into the outbox."""

    rows: tuple[ResultRow, ...]


@dataclass(frozen=True, slots=True)
class DropResults:
    """Results that their broker has confirmed."""

    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MoveResults:
    """All results that wait for the target `old` wait for `new` from now on."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ForgetSources:
    """The events of these rows (inbox, outbox and dead letters, by `seq`) are about to be acknowledged.

    From then on the broker may use their packet ids for other events.
    """

    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AddLetters:
    """Dead letters."""

    letters: tuple[Letter, ...]


@dataclass(frozen=True, slots=True)
class DropLetters:
    """Dead letters that were replayed or thrown away."""

    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SaveInvocation:
    """An asynchronous invocation, new or changed."""

    invocation: Invocation


@dataclass(frozen=True, slots=True)
class DropInvocations:
    """Asynchronous invocations whose time is over."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SaveMoment:
    """When the timer `name` was last due, in seconds since the epoch."""

    name: str
    moment: float


@dataclass(frozen=True, slots=True)
class SaveSeen:
    """What the rules' `dedupe` has seen, as (rule, key, seconds since the epoch); replaces what was there."""

    keys: tuple[tuple[str, str, float], ...]


Change = (
    AddEvents
    | DropEvents
    | AddResults
    | DropResults
    | MoveResults
    | ForgetSources
    | AddLetters
    | DropLetters
    | SaveInvocation
    | DropInvocations
    | SaveMoment
    | SaveSeen
)
