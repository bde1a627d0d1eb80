"""Made-up worlds against the laws: a fixed share of seeds each time, more with DSO_TEST_EFFORT=full."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from data_source_orchestrator.simulation.play import play
from data_source_orchestrator.simulation.report import story
from data_source_orchestrator.simulation.seeding import world_of
from data_source_orchestrator.simulation.sweep import finding, sweep_here
from data_source_orchestrator.simulation.world import World, from_json

pytestmark = pytest.mark.usefixtures("unlogged")

PORTIONS = 400 if os.environ.get("DSO_TEST_EFFORT") == "full" else 5
SEEDS = 100
"""Worlds in each portion."""

KEPT = sorted((Path(__file__).parent / "worlds").glob("*.json"))
"""Worlds that once broke a law, each named after what was wrong."""


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_every_law_holds_in_every_world(portion: int):
    swept = sweep_here(portion * SEEDS, SEEDS)
    if swept.failing is not None:
        found = finding(swept.failing)
        pytest.fail("\n".join(story(found)) if found else f"seed {swept.failing} does not replay")
    assert swept.worlds == SEEDS
    assert swept.calls > SEEDS


@pytest.mark.parametrize("kept", [pytest.param(path, id=path.stem) for path in KEPT])
def test_a_world_that_broke_a_law_once_breaks_none_any_more(kept: Path):
    assert play(from_json(kept.read_text())).violations == ()


def test_a_law_that_itself_fails_is_not_passed_over(monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("data_source_orchestrator.simulation.play.RETURN_LAWS", (broken,))
    with pytest.raises(ZeroDivisionError):
        play(world_of(0))


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_a_seed_replays_exactly(seed: int):
    assert world_of(seed) == world_of(seed)
    assert play(world_of(seed)) == play(world_of(seed))


def test_the_worlds_reach_what_the_laws_are_about():
    """A law that nothing ever comes near to proves nothing."""
    told = "\n".join(line for seed in range(120) for line in play(world_of(seed)).trace)
    for wanted in (
        "breaker_changed source=ash, before=closed, after=open",
        "before=open, after=half_open",
        "before=half_open, after=closed",
        "before=half_open, after=open",
        "retry_scheduled",
        "fetcher_abandoned",
        "source_unreached",
        "monitor_offline",
        "source_forgotten",
        "verdict=released",
        "cancelled because another source failed",
        "* jump",
        "cancelled after",
        "left after",
        "* update",
        "call_hedged",
        "verdict=censored",
        "left it no time",
        "kind=rate_limited",
        "success from the cache",
        "a new answer is still being fetched",
        "is served beside it",
        "budget_refused source=",
        "budget_refused purpose=",
        *(f"* update ash {member}" for member in ("rate", "calls", "hedge", "ttl", "host")),
    ):
        assert wanted in told, f"no world of these has: {wanted}"


def undated(world: World) -> World:
    """Return a world in which nothing is kept whose age only the wall clock tells: no answers, and no stored paces."""
    paced = world.overall or world.hosts or any(plan.limits for plan in world.sources)
    return replace(
        world,
        store_latency=None if paced else world.store_latency,
        sources=tuple(replace(plan, cache=None) for plan in world.sources),
        actions=tuple(action for action in world.actions if action.member not in {"ttl", "rate", "calls", "host"}),
    )


def test_wall_clock_jumps_change_nothing_but_dates():
    """A world without jumps plays out as with them: all waits are on the monotonic scale."""
    for seed in range(40):
        world = undated(world_of(seed))
        unmoved = replace(world, actions=tuple(action for action in world.actions if action.verb != "jump"))
        with_jumps = [line for line in play(world).trace if "* jump" not in line and "health_changed" not in line]
        without = [line for line in play(unmoved).trace if "health_changed" not in line]
        assert sorted(with_jumps) == sorted(without)  # what happens at one moment may change places
