"""What is told of a world that broke a law, found in an engine that was broken on purpose."""

import json

import pytest
from broken import a_budget_never_refuses

from data_source_orchestrator.simulation import report
from data_source_orchestrator.simulation.sweep import Finding, Swept, finding, sweep_here
from data_source_orchestrator.simulation.world import ASKING, from_json

pytestmark = pytest.mark.usefixtures("unlogged")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Finding:
    a_budget_never_refuses(monkeypatch)
    return next(each for each in map(finding, range(50)) if each and each.violation.law == "retries_are_paid_for")


def test_a_broken_law_is_told_with_its_world_and_how_to_play_it_again(found: Finding):
    told = "\n".join(report.story(found))
    assert f"seed {found.seed} broke a law: retries are paid for" in told
    assert f"{found.violation.sentence}, at {found.violation.at:.3f} s" in told
    assert any(f"* {verb}" in told for verb in ASKING)
    assert "BROKEN retries_are_paid_for" in told
    assert f"dso simulate --seeds 1 --start {found.seed}" in told
    world = told[told.index("{\n") : told.rindex("}") + 1]
    assert from_json(world) == found.world


def test_a_broken_law_is_told_to_programs(found: Finding):
    told = report.of_sweep(0, Swept(worlds=9, failing=found.seed), found)["broken"]
    assert isinstance(told, dict)
    assert (told["seed"], told["law"]) == (found.seed, "retries_are_paid_for")
    assert from_json(json.dumps(told["world"])) == found.world
    assert told["trace"] == list(found.played.trace)


def test_the_first_seed_that_breaks_a_law_ends_the_sweep(found: Finding):
    swept = sweep_here(0, 50)
    assert swept.failing is not None
    assert swept.worlds == swept.failing + 1 <= found.seed + 1
    assert swept + Swept(worlds=1, failing=2000) == Swept(
        worlds=swept.worlds + 1, runs=swept.runs, calls=swept.calls, seconds=swept.seconds, failing=swept.failing
    )


def test_a_world_that_breaks_no_law_is_no_finding():
    assert finding(1) is None
