"""All that the simulation reads of the engine beside its public verbs and events: one file to re-aim.

A strategy that holds something (a slot of a limiter, a token) gets its reading here, and its law in `laws`.
"""

from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.resilience import attempt, watch

GRACE = watch.GRACE
"""Seconds that a cancelled fetcher is given to end: by so much a deadline may be overrun, and by no more."""


def left_to_itself(key: str) -> str:
    """Return the name of the task in which a source's fetcher lives on that has swallowed its cancellation."""
    return f"{attempt.LEFT_TO_ITSELF}{key}"


def breaker_state(coordinator: SourceCoordinator, key: str) -> str:
    """Return the state of a source's breaker: closed, open or half_open."""
    return coordinator.guard(key).breaker.state.value


def probe_under_way(coordinator: SourceCoordinator, key: str) -> bool:
    """Return whether a source's half-open breaker waits for a probe's end."""
    breaker = coordinator.guard(key).breaker
    return breaker.state.value == "half_open" and not breaker.admits


def tokens(coordinator: SourceCoordinator, key: str) -> tuple[float, float]:
    """Return the tokens that a source's retry budget holds, and the most that it may hold."""
    budget = coordinator.guard(key).budget
    return budget.tokens, budget.policy.tokens


def retry_cost(coordinator: SourceCoordinator, key: str, *, after_timeout: bool) -> float:
    """Return the tokens that a retry costs."""
    policy = coordinator.guard(key).budget.policy
    return policy.timeout_cost if after_timeout else policy.retry_cost


def refund(coordinator: SourceCoordinator, key: str) -> float:
    """Return the tokens that a success gives back."""
    return coordinator.guard(key).budget.policy.refund
