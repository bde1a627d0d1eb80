"""The sentences in which a guarded call tells people what it did, and why it stopped."""

from collections.abc import Sequence

from data_source_orchestrator.core.outcome import Skipped
from data_source_orchestrator.core.verdicts import SkipReason

BUDGET_SPENT = "not tried again: this source's retry budget is spent, and only successes refill it"
CHECK_NOT_PAID = "not checked: this source's retry budget is spent, and only successes refill it"
OPENED_MEANWHILE = "not tried again: its circuit breaker opened meanwhile"
NOT_STARTED = "not asked because its time was up before it could begin"
STILL_GOING_ON = "not tried again: its fetcher swallowed its cancellation and is still going on"
EMPTY = "the fetcher returned None; return data, or raise a FetchError that tells what failed"
UNASKED_CANCELLATION = (
    "the fetcher raised CancelledError although nobody had cancelled it;"
    " catch the cancellations of tasks that it cancels itself"
)

CANCELLED_FROM_ELSEWHERE = (
    "the task of its fetch was cancelled by code that is none of the orchestrator's; cancel the call that asked for it"
)


def seconds(value: float) -> str:
    """Return seconds as people write them: 1800, 12.5, 0.25."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value >= 1 else f"{value:.2g}"


def too_late(wait: float, remaining: float, *, server: bool) -> str:
    """Tell that a wait could not end inside the deadline."""
    who = "the upstream asked to wait" if server else "the next attempt was due in"
    return f"not tried again: {who} {seconds(wait)} s, and {seconds(remaining)} s were left"


def no_answer(limit: float) -> str:
    """Tell that one attempt reached its own limit."""
    return f"no answer within {seconds(limit)} s"


def time_up(given: float) -> str:
    """Tell that the whole call reached its deadline."""
    return f"no answer yet when its time was up, after {seconds(given)} s"


def circuit_open(retry_after: float | None, *, forced: bool) -> str:
    """Tell that the breaker let nothing through, and until when."""
    if forced:
        return "its circuit breaker is forced open, until somebody stops that"
    if retry_after is None:
        return "its circuit breaker is half open, and as many attempts as it lets through are under way"
    return f"its circuit breaker is open; it is tried again in {seconds(retry_after)} s"


def limited(scope: str, retry_after: float | None) -> str:
    """Tell that the limits of a scope let nothing through in time, and when they might."""
    wait = "" if retry_after is None else f"; it would have had to wait {seconds(retry_after)} s"
    return f"the limit of {scope}, or a wait that its upstream asked for, left it no time{wait}"


def not_again(skipped: Skipped) -> str:
    """Tell that no other attempt was let through."""
    if skipped.reason is SkipReason.CIRCUIT_OPEN:
        return OPENED_MEANWHILE
    return f"not tried again: {skipped.detail}"


def held_up(steps: Sequence[float]) -> str:
    """Tell that a fetcher held up the event loop for these seconds."""
    times = "" if len(steps) == 1 else f" {len(steps)} times,"
    return f"held up the event loop, and everybody on it,{times} for {seconds(sum(steps))} s"
