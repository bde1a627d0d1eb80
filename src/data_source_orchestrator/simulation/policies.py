"""The plain data of a world as what the engine takes: sources, policies, changes."""

from typing import Any, cast

from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    Jitter,
    OrchestratorConfig,
    RetryConfig,
)
from data_source_orchestrator.core.source import Fetcher, Source
from data_source_orchestrator.simulation.keeping import ModelledStore
from data_source_orchestrator.simulation.world import Action, SourcePlan, World


def source_of(plan: SourcePlan, fetcher: Fetcher[Any], check: Fetcher[Any]) -> Source[Any]:
    """Return a source over a modelled upstream."""
    return Source(
        key=plan.key,
        fetcher=fetcher,
        probe=check,
        timeout=plan.timeout,
        attempt_timeout=plan.attempt_timeout,
        max_retries=plan.max_retries,
        priority=plan.priority,
        provides=("tier",) if plan.meta else (),
        breaker=BreakerPolicy(failures=plan.failures, cool_down=plan.cool_down),
    )


def store_of(world: World) -> ModelledStore | None:
    """Return the store of a world, if it has one."""
    if world.store_latency is None:
        return None
    return ModelledStore(world.store_latency, world.store_fails, system_chance(world.seed))


def changes_of(breaker: BreakerPolicy, action: Action) -> dict[str, Any]:
    """Return the members of a source that an `update` changes, given the breaker policy that it has."""
    match action.member:
        case "failures":
            return {"breaker": BreakerPolicy(failures=int(action.value), cool_down=breaker.cool_down)}
        case "cool_down":
            return {"breaker": BreakerPolicy(failures=breaker.failures, cool_down=action.value)}
        case "max_retries":
            return {"max_retries": int(action.value)}
        case member:
            return {member: action.value}


def config_of(world: World) -> OrchestratorConfig:
    """Return how the runs of a world behave."""
    return OrchestratorConfig(
        timeout=world.timeout,
        max_retries=world.max_retries,
        parallel_execution=world.parallel,
        fail_fast=world.fail_fast,
    )


def retry_of(world: World) -> RetryConfig:
    """Return how failed attempts are repeated in a world."""
    return RetryConfig(base_delay=world.base_delay, max_delay=world.max_delay, jitter=cast("Jitter", world.jitter))
