"""Limits, hedges and caches for a world out of its seed, and the changes of them in mid-flight.

The numbers are chosen so that lines form, quotas run out, hedges come, and what is kept grows old.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from data_source_orchestrator.simulation.draws import Draws
from data_source_orchestrator.simulation.strategies import CachePlan, HedgePlan, HostPlan, LimitPlan, QuotaPlan
from data_source_orchestrator.simulation.world import Action, Fault, SourcePlan, Verb, World

HOSTS = ("host-1", "host-2")


def with_strategies(world: World) -> World:
    """Return a world with strategies drawn from its seed; about every fourth has none, and is as it was."""
    draws = Draws(world.seed * 7_919 + 17)
    match draws.whole(1, 17):
        case 1 | 2 | 3 | 4:
            return world
        case 5 | 6 | 7:
            return _crowded(draws, world)
        case 8 | 9:
            return _ageing(draws, world)
        case 10:
            return _adjusted(draws, world)
        case _:
            return _mixed(draws, world)


def _mixed(draws: Draws, world: World) -> World:
    """Return a world whose sources have a few of all strategies each."""
    horizon = max((action.at for action in world.actions), default=1.0)
    hosts = tuple(_host(draws, name) for name in HOSTS[: draws.whole(0, len(HOSTS))])
    sources = tuple(_source(draws, plan, [host.name for host in hosts]) for plan in world.sources)
    keys = [plan.key for plan in sources]
    changes = [action for _ in range(draws.whole(0, 6)) for action in _change(draws, keys, horizon)]
    cached = [plan for plan in sources if plan.cache is not None]
    askings = [asking for plan in cached[:1] for asking in _askings(draws, plan, horizon)]
    return replace(
        world,
        sources=sources,
        hosts=hosts,
        faults=(*(fault for plan in sources for fault in _faults(draws, plan, horizon)), *world.faults),
        actions=tuple(sorted((*world.actions, *changes, *askings), key=lambda action: action.at)),
        overall=_limits(draws) if draws.happens(0.3) else None,
        run_tokens=draws.one_of((0, 5, 12, 500)),
        stays_open=draws.happens(0.5),
    )


def _crowded(draws: Draws, world: World) -> World:
    """Return a world whose sources all stand on one narrow host, and have time, and nothing else, to wait for it."""
    limits = LimitPlan(rate=draws.whole(1, 3), calls=draws.one_of((None, 1, 2)))
    return replace(
        world,
        sources=tuple(replace(plan, host=HOSTS[0], timeout=30.0) for plan in world.sources),
        hosts=(HostPlan(name=HOSTS[0], limits=limits),),
        parallel=True,
        timeout=60.0,
    )


def _ageing(draws: Draws, world: World) -> World:
    """Return a world whose sources are asked again while what is kept of them is stale, up to the very end."""
    pause, rounds = draws.one_of((0.5, 2.0, 8.0)), draws.whole(2, 5)
    refreshed = draws.happens(0.6)
    cache = CachePlan(ttl=pause / 2, revalidate=3 * pause if refreshed else 0.0, if_error=4 * pause)
    last = max((action.at for action in world.actions), default=0.0)
    fetches = tuple(Action(at=round(last + pause * place, 2), verb="fetch") for place in range(1, rounds + 1))
    return replace(
        world,
        sources=tuple(replace(plan, cache=cache) for plan in world.sources),
        faults=(*world.faults, *(() if refreshed else _failing_now_and_then(world, last))),
        actions=(*world.actions, *fetches),
        store_latency=0.01,
        stays_open=draws.happens(0.5),
    )


def _failing_now_and_then(world: World, since: float) -> Iterator[Fault]:
    for plan in world.sources:
        yield Fault(source=plan.key, begins=since, ends=since + 60, does="fail", share=0.5)


def _adjusted(draws: Draws, world: World) -> World:
    """Return a world whose sources have a slow pace of their own, which is changed between fetches in a row."""
    limits = LimitPlan(rate=1, per=draws.one_of((1.0, 3.0)), burst=draws.whole(1, 2))
    at, keys = max((action.at for action in world.actions), default=0.0), [plan.key for plan in world.sources]
    actions: list[Action] = []
    for _ in range(draws.whole(1, 4)):
        key, member, value = draws.one_of(keys), draws.one_of(("rate", "calls")), draws.one_of((0.0, 1.0, 2.0, 5.0))
        actions += [Action(at=round(at + place, 2), verb="fetch") for place in (1.0, 1.3, 1.6)]
        actions.append(Action(at=round(at + 1.8, 2), verb="update", sources=(key,), member=member, value=value))
        at += 1.8
    return replace(
        world,
        sources=tuple(replace(plan, limits=limits) for plan in world.sources),
        actions=(*world.actions, *actions, Action(at=round(at + 0.3, 2), verb="fetch")),
    )


def _host(draws: Draws, name: str) -> HostPlan:
    return HostPlan(
        name=name,
        limits=_limits(draws) if draws.happens(0.8) else None,
        quota=_quota(draws) if draws.happens(0.4) else None,
    )


def _source(draws: Draws, plan: SourcePlan, hosts: Sequence[str]) -> SourcePlan:
    return replace(
        plan,
        host=draws.one_of(hosts) if hosts and draws.happens(0.7) else None,
        limits=_limits(draws) if draws.happens(0.4) else None,
        quota=_quota(draws) if draws.happens(0.2) else None,
        hedge=_hedge(draws) if draws.happens(0.4) else None,
        cache=_cache(draws) if draws.happens(0.35) else None,
    )


def _limits(draws: Draws) -> LimitPlan:
    paced = draws.happens(0.6)
    return LimitPlan(
        rate=draws.whole(1, 5) if paced else None,
        per=draws.one_of((0.5, 1.0, 1.0, 3.0)),
        burst=draws.one_of((1, 1, 2, 4)),
        calls=draws.whole(1, 3) if not paced or draws.happens(0.4) else None,
        adaptive=draws.happens(0.4),
    )


def _quota(draws: Draws) -> QuotaPlan:
    return QuotaPlan(
        calls=draws.whole(1, 5),
        seconds=draws.one_of((2.5, 4.0, 10.0)),
        tells_wait=draws.happens(0.6),
        tells_rest=draws.happens(0.6),
    )


def _hedge(draws: Draws) -> HedgePlan:
    fixed = draws.happens(0.6)
    return HedgePlan(
        delay=draws.one_of((0.0, 0.05, 0.2, 0.5)) if fixed else None,
        quantile=draws.one_of((0.5, 0.9)),
        samples=draws.whole(1, 4),
    )


def _cache(draws: Draws) -> CachePlan:
    ttl = draws.one_of((0.0, 0.3, 2.0, 10.0))
    older = draws.one_of((0.5, 3.0, 20.0))
    return CachePlan(
        ttl=ttl,
        revalidate=ttl + older if draws.happens(0.6) or not ttl else 0.0,
        if_error=ttl + 2 * older if draws.happens(0.6) else 0.0,
    )


def _faults(draws: Draws, plan: SourcePlan, horizon: float) -> Iterator[Fault]:
    """Yield what makes some calls of a hedged source last longer than most, and some of a cached one unfit to keep."""
    if plan.hedge is not None:
        seconds = draws.one_of((0.3, 1.0, 3.0))
        yield Fault(source=plan.key, begins=0.0, ends=horizon + 60, does="slow", share=0.3, seconds=seconds)
    if plan.cache is not None:
        share = draws.one_of((0.0, 0.3, 0.6))
        yield Fault(source=plan.key, begins=0.0, ends=horizon + 60, does="breach", share=share, seconds=0.1)


def _askings(draws: Draws, plan: SourcePlan, horizon: float) -> Iterator[Action]:
    """Yield some fetches in a row, of which what is kept becomes older each time, until it is too old."""
    cache = plan.cache or CachePlan()
    pause = max(0.2, max(cache.ttl, cache.revalidate, cache.if_error) / draws.whole(2, 6))
    begins = draws.between(0, horizon) if draws.happens(0.5) else horizon  # the last may leave a refresh behind
    for place in range(draws.whole(0, 6)):
        verb: Verb = "sync" if draws.happens(0.25) else "fetch"
        yield Action(at=round(begins + place * pause, 2), verb=verb, sources=(plan.key,))


def _change(draws: Draws, keys: Sequence[str], horizon: float) -> Iterator[Action]:
    """Yield a change of one source's strategies, in half of all cases between two fetches of it."""
    member = draws.one_of(("rate", "rate", "calls", "calls", "hedge", "ttl", "host"))
    values = {
        "rate": (0.0, 1.0, 2.0, 10.0),
        "calls": (0.0, 1.0, 2.0, 4.0),
        "hedge": (-1.0, 0.0, 0.1, 0.5),
        "ttl": (0.0, 0.5, 5.0),
        "host": (0.0, 1.0, 2.0),
    }
    at, sources, value = draws.between(0, horizon), (draws.one_of(keys),), draws.one_of(values[member])
    yield Action(at=at, verb="update", sources=sources, member=member, value=value)
    if draws.happens(0.5):
        yield Action(at=max(0.0, round(at - 0.05, 2)), verb="fetch", sources=sources)
        yield Action(at=round(at + 0.1, 2), verb="fetch", sources=sources)
