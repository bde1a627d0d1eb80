"""The simulation against an engine that was broken on purpose: each fault is found soon, and cut down."""

import pytest
from broken import EXPECTED, Break

from data_source_orchestrator.simulation.laws import RETURN_LAWS, STEP_LAWS
from data_source_orchestrator.simulation.play import Violation, play
from data_source_orchestrator.simulation.seeding import world_of
from data_source_orchestrator.simulation.shrink import shrink
from data_source_orchestrator.simulation.world import World, from_json, to_json

pytestmark = pytest.mark.usefixtures("unlogged")

MOST_SEEDS = 300
MOST_PARTS = 7
"""Sources, faults and actions that are left of a world."""


def found_in(laws: set[str]) -> tuple[World, Violation]:
    """Return the first world that breaks one of these laws, and its breach."""
    for seed in range(MOST_SEEDS):
        for violation in play(world_of(seed)).violations:
            if violation.law in laws:
                return world_of(seed), violation
    pytest.fail(f"{MOST_SEEDS} worlds, and none of them breaks {laws}")


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda fault: fault.__name__)
def test_a_broken_engine_is_found_out_and_its_world_cut_down(fault: Break, monkeypatch: pytest.MonkeyPatch):
    fault(monkeypatch)
    world, violation = found_in(EXPECTED[fault])
    smaller = shrink(world, violation.law)
    assert smaller.size <= min(MOST_PARTS, world.size)
    assert smaller == shrink(world, violation.law)
    kept = from_json(to_json(smaller))
    assert play(kept).breaks(violation.law)
    monkeypatch.undo()
    assert play(kept).violations == ()


def test_every_law_that_a_broken_engine_is_meant_to_break_exists():
    laws = {law.__name__ for law in (*STEP_LAWS, *RETURN_LAWS)} | {"nobody_waits_for_ever", "every_call_returns"}
    assert set().union(*EXPECTED.values()) <= laws
