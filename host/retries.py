"""Settles for each function when its failed events are tried again."""

from collections.abc import Iterable, Mapping

from conf.funcs import Func
from conf.retries import Retry
from triggers.delivery.retry import RetryPolicy


def make_retries(
    names: Iterable[str], told: Retry | None, funcs: Mapping[str, Func]
) -> tuple[RetryPolicy, ...]:
    """One policy for each name: what the rule or timer has told, else the function's, else the defaults."""
    own = (funcs[name].retry if name in funcs else None for name in names)
    return tuple(_policy(told or retry or Retry()) for retry in own)


def _policy(retry: Retry) -> RetryPolicy:
    return RetryPolicy(retry.attempts, retry.backoff, retry.longest, retry.on)
