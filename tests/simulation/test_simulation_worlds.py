"""Worlds as data: kept as JSON, drawn from seeds, cut down."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.simulation.draws import Draws
from data_source_orchestrator.simulation.seeding import world_of
from data_source_orchestrator.simulation.shrink import smallest
from data_source_orchestrator.simulation.world import EVERYBODY, Action, World, from_json, to_json


@given(st.integers(0, 10**9))
def test_a_world_comes_back_from_its_json(seed: int):
    world = world_of(seed)
    assert from_json(to_json(world)) == world


@given(st.integers(0, 10**9))
def test_a_world_is_about_sources_that_it_has_and_in_the_order_of_time(seed: int):
    world = world_of(seed)
    keys = {source.key for source in world.sources}
    assert {fault.source for fault in world.faults} <= {*keys, EVERYBODY}
    assert {key for action in world.actions for key in action.sources} <= keys
    assert [action.at for action in world.actions] == sorted(action.at for action in world.actions)


@given(st.integers(0, 10**6), st.integers(-5, 5), st.integers(0, 9))
def test_what_is_drawn_is_between_the_bounds(seed: int, least: int, span: int):
    draws = Draws(seed)
    assert least <= draws.whole(least, least + span) <= least + span
    assert least <= draws.between(least, least + span) <= least + span


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"seed": 1, "sources": [{"title": "x"}]}', '{"seed": 1, "sources": [], "actions": [{"at": 1}]}'],
)
def test_what_is_no_world_is_refused(text: str):
    with pytest.raises(ConfigurationError, match="no world of `dso simulate`"):
        from_json(text)


def test_an_unknown_verb_is_named():
    with pytest.raises(ConfigurationError, match="nobody knows fetsh"):
        from_json('{"seed": 1, "sources": [], "actions": [{"at": 1, "verb": "fetsh"}]}')


@given(st.integers(0, 2000), st.data())
def test_a_world_is_cut_down_to_just_what_it_takes(seed: int, data: st.DataObject):
    """Whatever two actions a breach needs, they alone are left, with the source that they name."""
    world = replace(world_of(seed), faults=())
    marked = [action for action in world.actions if action.sources]
    needed = data.draw(st.lists(st.sampled_from(marked), max_size=2)) if marked else []

    def breaks(smaller: World) -> bool:
        left = list(smaller.actions)
        return all(any(_same(action, each) for each in left) for action in needed)

    smaller = smallest(world, breaks)
    assert breaks(smaller)
    assert len(smaller.actions) <= len(needed)
    assert {source.key for source in smaller.sources} == {key for action in needed for key in action.sources}


def _same(one: Action, other: Action) -> bool:
    return (one.at, one.verb, one.sources) == (other.at, other.verb, other.sources)
