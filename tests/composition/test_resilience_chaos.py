"""What chaos does to calls, in which order, and that it does the same again."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_resilience_rig import Rig as GuardRig
from test_resilience_rig import failure, success

from data_source_orchestrator.core.clock import system_chance
from data_source_orchestrator.core.context import FetchContext
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.policies import ChaosPolicy
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.chaos import Chaos, Injection, decide
from data_source_orchestrator.testing import VirtualClock

RATE = st.floats(0, 1)


class Rig:
    """Chaos before a fetcher that notes when it was called."""

    def __init__(self, policy: ChaosPolicy, key: str = "prices", chance_seed: int = 1) -> None:
        self.clock = VirtualClock()
        self.told: list[tuple[str, int]] = []
        self.chaos = Chaos(
            policy,
            key,
            clock=self.clock,
            chance=system_chance(chance_seed),
            on_injected=lambda what, number: self.told.append((what, number)),
        )
        self.called: list[float] = []

    async def fetch(self) -> object:
        self.called.append(self.clock.monotonic())
        return "data"

    async def call(self) -> object:
        return await self.chaos.through(self.fetch)

    async def ends(self) -> str:
        try:
            return repr(await self.call())
        except Exception as error:  # noqa: BLE001 — what it raises is the subject
            return repr(error)


async def test_without_rates_every_call_goes_through_untouched():
    rig = Rig(ChaosPolicy(seed=1))
    assert [await rig.call() for _ in range(100)] == ["data"] * 100
    assert (rig.told, len(rig.called), rig.chaos.calls) == ([], 100, 100)


async def test_a_fault_is_raised_instead_of_calling_and_before_any_latency():
    rig = Rig(ChaosPolicy(fault_rate=1, latency_rate=1, outcome_rate=1, seed=1))
    with pytest.raises(FetchError, match="chaos: an injected connection failure of call 1") as caught:
        await rig.call()
    assert caught.value.kind is FailureKind.CONNECTION
    assert (rig.called, rig.told, rig.clock.monotonic()) == ([], [("fault", 1)], 0.0)


async def test_a_fault_may_be_an_exception_of_any_class_and_is_made_anew_each_time():
    rig = Rig(ChaosPolicy(fault_rate=1, faults=(lambda: OSError("cable"),), seed=1))
    raised: list[OSError] = []
    for _ in range(2):
        with pytest.raises(OSError, match="cable") as caught:
            await rig.call()
        raised.append(caught.value)
    assert raised[0] is not raised[1]


async def test_latency_comes_before_the_call_and_before_an_outcome():
    rig = Rig(ChaosPolicy(latency_rate=1, latency=2.5, seed=1))
    assert await rig.call() == "data"
    assert rig.called == [2.5]
    rig = Rig(ChaosPolicy(latency_rate=1, latency=2.5, outcome_rate=1, seed=1))
    assert await rig.call() is None
    assert (rig.called, rig.told) == ([], [("latency", 1), ("outcome", 1)])
    assert rig.clock.monotonic() == 5.0


async def test_an_outcome_takes_the_calls_place_and_is_a_copy():
    rig = Rig(ChaosPolicy(outcome_rate=1, outcomes=([[1, 2]],), behaviour_rate=1, behaviours=(_never,), seed=1))
    first = await rig.call()
    assert first == [[1, 2]]
    cast("list[list[int]]", first)[0].clear()
    assert await rig.call() == [[1, 2]]
    assert rig.called == []


async def test_a_behaviour_is_done_before_the_call_which_then_goes_through():
    done: list[str] = []

    async def restart() -> None:
        await asyncio.sleep(3)
        done.append("async")

    for behaviour in (restart, lambda: done.append("plain")):
        rig = Rig(ChaosPolicy(behaviour_rate=1, behaviours=(behaviour,), seed=1))
        assert await rig.call() == "data"
        assert rig.told == [("behaviour", 1)]
    assert done == ["async", "plain"]


async def test_an_injected_wait_ends_with_its_callers_cancellation():
    rig = Rig(ChaosPolicy(latency_rate=1, latency=100, seed=1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await rig.call()
    assert (rig.called, rig.clock.monotonic()) == ([], 1.0)


@pytest.mark.pair("chaos", "contract")
async def test_the_contract_judges_what_chaos_returns():
    rig = GuardRig(chaos=ChaosPolicy(outcome_rate=1, seed=1))
    script = rig.script("data")
    assert failure(await rig.execute(script)).kind == "empty"
    assert script.calls == []


async def test_a_call_that_chaos_lets_through_is_told_its_number_and_may_warn():
    async def fetch(ctx: FetchContext) -> int:
        ctx.warn("late")
        ctx.warn("and odd")
        return ctx.attempt

    outcome = success(await GuardRig(chaos=ChaosPolicy(latency_rate=1, seed=1)).execute(fetch))
    assert (outcome.data, outcome.warnings) == (1, ("late", "and odd"))


@pytest.mark.pair("retry", "chaos")
@pytest.mark.pair("attempt timeout", "chaos")
async def test_chaos_is_inside_the_retries_and_the_attempt_s_own_limit():
    rig = GuardRig(chaos=ChaosPolicy(latency_rate=1, latency=100, seed=1))
    outcome = failure(await rig.execute(rig.script("data"), attempt_timeout=2, retries=1, timeout=20))
    assert (outcome.kind, outcome.attempts, rig.guard.chaos and rig.guard.chaos.calls) == ("timeout", 2, 2)


MIXED = ChaosPolicy(
    fault_rate=0.2,
    faults=("connection", "server", OverflowError),
    latency_rate=0.3,
    latency=0.25,
    outcome_rate=0.2,
    outcomes=(None, [], "garbage"),
    seed=2026,
)
ANOTHER_SEED = replace(MIXED, seed=2027)


async def test_the_same_seed_makes_the_same_calls_go_wrong_again():
    runs = []
    for _ in range(2):
        rig = Rig(MIXED)
        runs.append(([await rig.ends() for _ in range(200)], rig.told))
    assert runs[0] == runs[1]
    other = Rig(ANOTHER_SEED)
    assert [await other.ends() for _ in range(200)] != runs[0][0]


async def test_another_sources_calls_in_between_change_nothing():
    alone, together, other = Rig(MIXED), Rig(MIXED), Rig(MIXED, key="stock")
    expected = [await alone.ends() for _ in range(50)]
    mixed, others = [], []
    for _ in range(50):
        others.append(await other.ends())
        mixed.append(await together.ends())
    assert mixed == expected
    assert others != expected


async def test_a_guard_draws_the_seed_by_the_chance_that_it_is_handed():
    rigs = [GuardRig(chance=system_chance(number), chaos=ChaosPolicy(fault_rate=0.5)) for number in (7, 7, 8)]
    seeds = [rig.guard.chaos and rig.guard.chaos.seed for rig in rigs]
    assert seeds[0] == seeds[1] != seeds[2]


async def test_a_seed_that_was_drawn_can_be_told_and_given_again():
    drawn = Rig(ChaosPolicy(fault_rate=0.5), chance_seed=7)
    expected = [await drawn.ends() for _ in range(50)]
    again = Rig(ChaosPolicy(fault_rate=0.5, seed=drawn.chaos.seed))
    assert [await again.ends() for _ in range(50)] == expected
    assert Rig(ChaosPolicy(fault_rate=0.5), chance_seed=8).chaos.seed != drawn.chaos.seed


def test_rates_are_kept_and_choices_are_even():
    """Over 10 000 calls a share's standard error is at most 0.5 %; 2 % is four of them."""
    injections = [decide(MIXED, 1, "prices", number) for number in range(10_000)]
    faults = Counter(each.fault for each in injections if each.fault)
    assert sum(faults.values()) / 10_000 == pytest.approx(0.2, abs=0.02)
    assert all(count / sum(faults.values()) == pytest.approx(1 / 3, abs=0.05) for count in faults.values())
    spared = [each for each in injections if not each.fault]
    assert sum(each.latency is not None for each in spared) / len(spared) == pytest.approx(0.3, abs=0.02)
    assert sum(each.outcome is not None for each in spared) / len(spared) == pytest.approx(0.2, abs=0.02)
    both = sum(each.latency is not None and each.outcome is not None for each in spared)
    assert both / len(spared) == pytest.approx(0.06, abs=0.02)


@pytest.mark.parametrize("rate", [0.3, 1])
def test_whatever_the_rate_every_outcome_and_every_behaviour_has_the_same_share(rate: float):
    outcomes = ChaosPolicy(outcome_rate=rate, outcomes=("one", "two"))
    behaviours = ChaosPolicy(behaviour_rate=rate, behaviours=(_never, _nothing))
    instead = Counter(decide(outcomes, 1, "prices", number).outcome for number in range(10_000))
    before = Counter(decide(behaviours, 1, "prices", number).behaviour for number in range(10_000))
    shares = [instead["one",], instead["two",], before[_never], before[_nothing]]
    assert all(share / 10_000 == pytest.approx(rate / 2, abs=0.02) for share in shares)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("fault", ".x..x...xx..xxxxx.x..x...x....x."),
        ("latency", ".xxxxxxxxxx...xxxxx......x..xx.."),
        ("outcome", "xxxxx.xx..x..x.xx...x.x..xx.x..x"),
        ("behaviour", "x...x..x..xx..xxx...x.....xxxxx."),
    ],
)
def test_what_one_seed_does_never_changes(kind: str, expected: str):
    rates: dict[str, Any] = {f"{kind}_rate": 0.5}
    policy = ChaosPolicy(seed=0, behaviours=(_nothing,), **rates)
    told = [getattr(decide(policy, 0, "prices", number), kind) for number in range(1, 33)]
    assert "".join("x" if each else "." for each in told) == expected


@given(st.tuples(RATE, RATE, RATE), st.integers(), st.text(max_size=5), st.integers(1, 1000))
def test_a_fault_comes_alone_and_an_outcome_without_a_behaviour(
    rates: tuple[float, float, float], seed: int, key: str, number: int
):
    fault, outcome, behaviour = rates
    policy = ChaosPolicy(
        fault_rate=fault, latency_rate=0.5, outcome_rate=outcome, behaviour_rate=behaviour, behaviours=(_never,)
    )
    injection = decide(policy, seed, key, number)
    assert injection.fault is None or injection == Injection(fault=injection.fault)
    assert injection.outcome is None or injection.behaviour is None


@given(st.integers(), st.integers(1, 1000))
def test_a_rate_of_one_always_acts_and_a_rate_of_zero_never(seed: int, number: int):
    everything = ChaosPolicy(latency_rate=1, outcome_rate=1)
    assert decide(everything, seed, "prices", number) == Injection(latency=1.0, outcome=(None,))
    assert decide(ChaosPolicy(), seed, "prices", number) == Injection()


def _nothing() -> None:
    """Do nothing before the call."""


def _never() -> None:
    raise AssertionError("an outcome takes its place")
