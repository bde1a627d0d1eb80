"""All that the simulation reads of the engine beside its public verbs and events: one file to re-aim.

A strategy that holds something (a slot of a limiter, a token) gets its reading here, and its law in `laws`.
"""

import asyncio
from typing import Any

from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator
from data_source_orchestrator.resilience import attempt, watch
from data_source_orchestrator.resilience.limits import Scope

CREW = "dso-crew"
"""The name of the tasks in which runs ask their sources."""

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


def hedge_cost(coordinator: SourceCoordinator, key: str) -> float:
    """Return the tokens that a hedge costs."""
    return coordinator.guard(key).budget.policy.hedge_cost


def scopes(coordinator: SourceCoordinator, key: str) -> tuple[Scope, ...]:
    """Return the scopes that a source's calls pass, from the narrowest to the widest."""
    limits = coordinator.guard(key).limits
    return () if limits is None else limits.scopes


def in_use(scope: Scope) -> int:
    """Return how many of a scope's slots are held."""
    return 0 if scope.concurrency is None else scope.concurrency.in_flight


def through_the_door(scope: Scope) -> int:
    """Return how many have come through a scope's door and wait further on; there is room for one."""
    return scope.door.in_flight


def waiting(scope: Scope) -> int:
    """Return how many places of a scope somebody holds who has not been let through yet."""
    inner = 0 if scope.concurrency is None else scope.concurrency.waiting
    paced = 0 if scope.rate is None else scope.rate.waiting
    return scope.queue + scope.door.in_flight + scope.door.waiting + inner + paced


def back_in(scope: Scope) -> float:
    """Return the seconds after which a scope's pace misses nothing any more of what was taken."""
    match scope.rate.to_state() if scope.rate is not None else None:
        case {"back": {"in": float(seconds) | int(seconds)}}:
            return float(seconds)
        case _:
            return 0.0


def is_refresh(first: asyncio.Task[Any] | None) -> bool:
    """Return whether the first call of an execution, by its task, was made in the background, and not in a run."""
    return first is not None and first.get_name() != CREW


def refreshing(orchestrator: DataSourceOrchestrator) -> bool:
    """Return whether an answer is being fetched in the background."""
    return bool(orchestrator._background._tasks)  # noqa: SLF001 — nothing public tells
