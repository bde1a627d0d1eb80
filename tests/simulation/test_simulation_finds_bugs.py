"""The simulation against an engine that was broken on purpose: each fault is found soon, and cut down."""

import os
from functools import partial

import pytest
from broken import EXPECTED as BROKEN
from broken import Break, a_budget_never_refuses
from broken_strategies import EXPECTED as BROKEN_STRATEGIES
from broken_strategies import MADE_TO_MEASURE, a_hedge_costs_nothing, may_show

from data_source_orchestrator.simulation.laws import END_LAWS, RETURN_LAWS, STEP_LAWS
from data_source_orchestrator.simulation.play import Violation, play
from data_source_orchestrator.simulation.seeding import world_of
from data_source_orchestrator.simulation.shrink import shrink
from data_source_orchestrator.simulation.world import World, from_json, to_json

pytestmark = pytest.mark.usefixtures("unlogged")

EXPECTED = BROKEN | BROKEN_STRATEGIES

CUT_DOWN = list(EXPECTED)[:: 1 if os.environ.get("DSO_TEST_EFFORT") == "full" else 3]
"""Cutting down takes hundreds of plays: every third shows that it works, and DSO_TEST_EFFORT=full tries all."""

MOST_SEEDS = 300
MOST_PARTS = 7
"""Sources, faults and actions that are left of a world."""


def found(fault: Break) -> tuple[World, Violation]:
    """Return the first world that breaks a law for this fault, and its breach."""
    for world in filter(partial(may_show, fault), map(world_of, range(MOST_SEEDS))):
        for violation in play(world).violations:
            if violation.law in EXPECTED[fault]:
                return world, violation
    pytest.fail(f"{MOST_SEEDS} worlds, and none of them breaks {EXPECTED[fault]}")


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda fault: fault.__name__)
def test_a_broken_engine_is_found_out_and_its_world_cut_down(fault: Break, monkeypatch: pytest.MonkeyPatch):
    fault(monkeypatch)
    world, violation = found(fault)
    if fault in CUT_DOWN:
        most = min(MOST_PARTS, world.size)
        world = shrink(world, violation.law)
        assert world.size <= most
    kept = from_json(to_json(world))
    assert play(kept).breaks(violation.law)
    monkeypatch.undo()
    assert play(kept).violations == ()


@pytest.mark.parametrize("fault", MADE_TO_MEASURE, ids=lambda fault: fault.__name__)
def test_a_broken_engine_is_found_out_in_a_world_made_for_it(fault: Break, monkeypatch: pytest.MonkeyPatch):
    law, world = MADE_TO_MEASURE[fault]
    assert play(world).violations == ()
    fault(monkeypatch)
    assert play(world).breaks(law)


@pytest.mark.parametrize("fault", [a_budget_never_refuses, a_hedge_costs_nothing])
def test_a_world_is_cut_down_in_the_same_way_every_time(fault: Break, monkeypatch: pytest.MonkeyPatch):
    fault(monkeypatch)
    world, violation = found(fault)
    assert shrink(world, violation.law) == shrink(world, violation.law)


def test_every_law_that_a_broken_engine_is_meant_to_break_exists():
    laws = {law.__name__ for law in (*STEP_LAWS, *RETURN_LAWS, *END_LAWS)} | {
        "nobody_waits_for_ever",
        "every_call_returns",
    }
    assert set().union(*EXPECTED.values(), {law for law, _ in MADE_TO_MEASURE.values()}) <= laws
