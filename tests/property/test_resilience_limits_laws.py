"""Nested limits under any traffic: what must hold whatever is asked, cancelled, held and left, and when."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.policies import ConcurrencyPolicy, RateLimitPolicy
from data_source_orchestrator.resilience.concurrency import ConcurrencyLimiter
from data_source_orchestrator.resilience.limits import Limits, Passage, Scope
from data_source_orchestrator.resilience.rate_limiter import RateLimiter
from data_source_orchestrator.testing import VirtualClock, run_virtual

RATES = st.none() | st.builds(
    RateLimitPolicy, limit=st.sampled_from([1, 2]), per=st.sampled_from([1.0, 4.0]), burst=st.integers(1, 3)
)
SCOPES = st.tuples(RATES, st.none() | st.integers(1, 3))


@dataclass(frozen=True)
class Call:
    """One call: when it comes and through which source, how long it lasts, how long it waits, when it is cancelled."""

    at: int
    source: int
    lasts: int
    within: int | None
    cancelled_after: int | None
    used: bool


CALLS = st.lists(
    st.builds(
        Call,
        at=st.integers(0, 40),
        source=st.integers(0, 2),
        lasts=st.integers(0, 12),
        within=st.none() | st.integers(0, 30),
        cancelled_after=st.none() | st.none() | st.integers(0, 20),
        used=st.sampled_from([True, True, True, False]),
    ),
    max_size=25,
)
HOLDS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4), st.integers(1, 12)), max_size=2)


@dataclass
class World:
    """Three sources on two hosts, and everything."""

    scopes: list[Scope]
    inside: dict[str, int] = field(default_factory=dict)
    began: dict[str, list[float]] = field(default_factory=dict)
    held: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    order: dict[int, list[int]] = field(default_factory=dict)

    def of(self, source: int) -> list[Scope]:
        return [self.scopes[source], self.scopes[3 if source < 2 else 4], self.scopes[5]]


def made(policies: list[tuple[RateLimitPolicy | None, int | None]], clock: VirtualClock) -> list[Scope]:
    return [
        Scope(
            f"s{number}",
            rate=None if rate is None else RateLimiter(rate, clock=clock),
            concurrency=None if limit is None else ConcurrencyLimiter(ConcurrencyPolicy(limit=limit), clock=clock),
            clock=clock,
        )
        for number, (rate, limit) in enumerate(policies)
    ]


async def one(number: int, call: Call, world: World, through: list[Limits], clock: VirtualClock) -> None:
    await asyncio.sleep(call.at / 4)
    limits, scopes = through[call.source], world.of(call.source)
    deadline = None if call.within is None else Deadline.after(clock, call.within / 4)
    entered = await limits.enter(deadline)
    if not isinstance(entered, Passage):
        assert deadline is not None, "only a deadline refuses"
        return
    now = clock.monotonic()
    assert deadline is None or now == call.at / 4 or now < deadline.at
    world.order.setdefault(call.source, []).append(number)
    if not call.used:
        limits.leave(entered, used=False)
        return
    for scope in scopes:
        world.began.setdefault(scope.name, []).append(now)
        world.inside[scope.name] = world.inside.get(scope.name, 0) + 1
        assert scope.concurrency is None or world.inside[scope.name] <= scope.concurrency.limit
        for begin, end in world.held.get(scope.name, []):
            assert not begin <= now < end or scope.rate is None
    try:
        await asyncio.sleep(call.lasts / 4)
    finally:
        for scope in scopes:
            world.inside[scope.name] -= 1
        limits.leave(entered)


async def play(
    policies: list[tuple[RateLimitPolicy | None, int | None]], calls: list[Call], holds: list[tuple[int, int, int]]
) -> None:
    clock = VirtualClock()
    world = World(made(policies, clock))
    through = [Limits(world.of(source)) for source in range(3)]
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(one(number, call, world, through, clock)) for number, call in enumerate(calls)]
    for call, task in zip(calls, tasks, strict=True):
        if call.cancelled_after is not None:
            loop.call_later((call.at + call.cancelled_after) / 4, task.cancel)

    for at, number, quarters in holds:
        loop.call_later(at / 4, hold, world, world.scopes[number], quarters / 4)
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        assert ended is None or isinstance(ended, asyncio.CancelledError), ended
    for source, order in world.order.items():
        assert order == sorted(order, key=lambda number: calls[number].at), f"source {source} in order of coming"
    for scope in world.scopes:
        paced(scope, world.began.get(scope.name, []))
        nobody_left(scope)
    await asyncio.sleep(1000)
    for scope in world.scopes:
        if scope.rate is not None and scope.rate.policy is not None:
            assert scope.rate.remaining == scope.rate.policy.at_once, "no token is lost or invented"


def hold(world: World, scope: Scope, seconds: float) -> None:
    if scope.rate is not None:
        scope.rate.hold(seconds)
        now = asyncio.get_running_loop().time()
        world.held.setdefault(scope.name, []).append((now + 1e-3, now + seconds))


def nobody_left(scope: Scope) -> None:
    assert (scope.queue, scope.door.in_flight, scope.door.waiting) == (0, 0, 0)
    assert scope.concurrency is None or (scope.concurrency.in_flight, scope.concurrency.waiting) == (0, 0)


def paced(scope: Scope, began: list[float]) -> None:
    if scope.rate is None or scope.rate.policy is None:
        return
    policy = scope.rate.policy
    for first, begin in enumerate(began):
        for last in range(first, len(began)):
            assert last - first + 1 <= policy.at_once + (began[last] - begin) * policy.limit / float(policy.per) + 1e-6  # type: ignore[arg-type]  # seconds, as built


@given(policies=st.lists(SCOPES, min_size=6, max_size=6), calls=CALLS, holds=HOLDS)
@settings(max_examples=300, deadline=None)
def test_limits_hold_in_every_scope_in_order_and_are_whole_again_when_all_is_quiet(
    policies: list[tuple[RateLimitPolicy | None, int | None]], calls: list[Call], holds: list[tuple[int, int, int]]
):
    run_virtual(play(policies, calls, holds))
