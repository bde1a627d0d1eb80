"""The plain data of a world as what the engine takes: sources, policies, changes."""

from dataclasses import replace
from typing import Any, cast

from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.contract import Contract
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    CachePolicy,
    ConcurrencyPolicy,
    HedgePolicy,
    Jitter,
    LimitPolicy,
    OrchestratorConfig,
    RateLimitPolicy,
    RetryConfig,
)
from data_source_orchestrator.core.source import Fetcher, Source
from data_source_orchestrator.simulation.keeping import ModelledStore
from data_source_orchestrator.simulation.strategies import CachePlan, HedgePlan, LimitPlan
from data_source_orchestrator.simulation.world import Action, SourcePlan, World

ANSWERED = Contract(minimum_rows=2)
"""What every answer of a modelled upstream fulfils: it names its source and its call."""


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
        contract=ANSWERED,
        host=plan.host,
        limits=limits_of(plan.limits),
        hedge=hedge_of(plan.hedge),
        cache=cache_of(plan.cache),
    )


def limits_of(plan: LimitPlan | None) -> LimitPolicy | None:
    """Return the limits of one scope."""
    if plan is None:
        return None
    rate, calls = plan.rate, plan.calls
    return LimitPolicy(
        rate=None if rate is None else RateLimitPolicy(limit=rate, per=plan.per, burst=plan.burst),
        concurrency=None if calls is None else ConcurrencyPolicy(limit=calls, adaptive=plan.adaptive),
    )


def host_limits_of(world: World) -> dict[str, LimitPolicy]:
    """Return the limits of a world's hosts, of those that have some."""
    limits = {host.name: limits_of(host.limits) for host in world.hosts}
    return {name: policy for name, policy in limits.items() if policy is not None}


def hedge_of(plan: HedgePlan | None) -> HedgePolicy | None:
    """Return when a source's calls are joined by a second one."""
    if plan is None:
        return None
    return HedgePolicy(delay=plan.delay, quantile=plan.quantile, minimum_samples=plan.samples)


def cache_of(plan: CachePlan | None) -> CachePolicy | None:
    """Return for how long a source's answers are kept."""
    if plan is None:
        return None
    return CachePolicy(ttl=plan.ttl, stale_while_revalidate=plan.revalidate, stale_if_error=plan.if_error)


def store_of(world: World) -> ModelledStore | None:
    """Return the store of a world, if it has one."""
    if world.store_latency is None:
        return None
    return ModelledStore(world.store_latency, world.store_fails, system_chance(world.seed))


def changes_of(source: Source[Any], action: Action) -> dict[str, Any]:
    """Return the members of a source that an `update` changes."""
    match action.member:
        case "failures":
            return {"breaker": replace(source.breaker, failures=int(action.value))}
        case "cool_down":
            return {"breaker": replace(source.breaker, cool_down=action.value)}
        case "max_retries":
            return {"max_retries": int(action.value)}
        case "rate" | "calls" | "host" | "hedge" | "ttl":
            return _strategy(source, action.member, action.value)
        case member:
            return {member: action.value}


def _strategy(source: Source[Any], member: str, value: float) -> dict[str, Any]:
    """Return a changed strategy; 0 takes limits, cache and host away, and -1 the hedge."""
    match member:
        case "host":
            return {"host": f"host-{value:g}" if value else None}
        case "hedge":
            return {"hedge": None if value < 0 else HedgePolicy(delay=value)}
        case "ttl":
            return {"cache": CachePolicy(ttl=value, stale_if_error=2 * value) if value else None}
        case _:
            return {"limits": _limits(source.limits or LimitPolicy(), member, int(value))}


def _limits(before: LimitPolicy, member: str, value: int) -> LimitPolicy | None:
    """Return limits of which the pace is `value` calls a second, or the number of calls at once that."""
    if member == "rate":
        changed = replace(before, rate=RateLimitPolicy(limit=value, per=1.0) if value else None)
    else:
        changed = replace(before, concurrency=ConcurrencyPolicy(limit=value) if value else None)
    return None if changed == LimitPolicy() else changed


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
