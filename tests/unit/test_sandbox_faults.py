"""Fault switches are read strictly, and every refusal teaches."""

import math
from typing import Any

import pytest

from cod_sources.sandbox import FAULTS, SOURCES, Sandbox, serve
from cod_sources.sandbox.faults import parse
from data_source_orchestrator.core.errors import ConfigurationError


def test_a_switch_carries_its_value_or_its_default():
    assert parse("wzstats", "latency=0.5") == {"latency": 0.5}
    assert parse("wzstats", "latency") == {"latency": 2.0}
    assert parse("wzstats", "error_rate") == {"error_rate": 1.0}
    assert parse("wzstats", "rate_limited") == {"rate_limited": 60}
    assert parse("wzstats", "challenge") == {"challenge": 1.0}


def test_several_switches_are_joined_and_none_are_thrown_by_an_empty_text():
    assert parse("codmunity", " latency=2 + renamed_state_key+shrunken ").keys() == {
        "latency",
        "renamed_state_key",
        "shrunken",
    }
    assert parse("codmunity", "") == parse("codmunity", "  ") == {}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", FAULTS)
def test_every_switch_can_be_thrown_for_every_source_or_is_refused_with_a_sentence(source: str, name: str):
    if source in FAULTS[name].only:
        assert name in parse(source, name)
        return
    with pytest.raises(ConfigurationError, match=f"{source} cannot have the fault '{name}', which only codmunity can"):
        parse(source, name)


def test_only_the_transfer_state_and_robots_txt_are_bound_to_one_source():
    assert [name for name, fault in FAULTS.items() if fault.only != SOURCES] == ["renamed_state_key", "disallowed"]


@pytest.mark.parametrize(
    ("source", "spec", "taught"),
    [
        ("codarmoury", "latency=2", "the sandbox plays no source 'codarmoury'; did you mean 'codarmory'?"),
        ("nobody at all", "latency=2", "there are codarmory, wzstats, codmunity"),
        ("wzstats", "latancy=2", "wzstats has no fault 'latancy'; did you mean 'latency'?"),
        ("wzstats", "xyz", "there are latency, error_rate, rate_limited"),
        ("wzstats", "latency=2++empty", "wzstats has no fault ''"),
        ("wzstats", "latency=2s", "wzstats's fault 'latency' is '2s'; give seconds as a number, such as 2"),
        ("wzstats", "latency=", "is ''; give seconds as a number"),
        ("wzstats", "latency=-1", "give 0 or more"),
        ("wzstats", "latency=nan", "give 0 or more"),
        ("wzstats", "latency=30000", "did you mean 30?"),
        ("wzstats", "error_rate=50", "give a number from 0 to 1"),
        ("wzstats", "error_rate=half", "is 'half'; give a number from 0 to 1, such as 0.5"),
        ("wzstats", "rate_limited=1.5", "give a whole number of 0 or more"),
        ("wzstats", "rate_limited=inf", "give a whole number of 0 or more"),
        ("wzstats", "rate_limited=soon", "give whole seconds, such as 60"),
        ("wzstats", "challenge=3", "takes no value, and was given '3'; write just challenge"),
        ("wzstats", "latency=1+latency=2", "is given the fault 'latency' twice"),
        ("wzstats", "rate_limited+challenge", "cannot have the faults 'rate_limited' and 'challenge' at once"),
        ("wzstats", "trickle+truncated", "cannot have the faults 'trickle' and 'truncated' at once"),
        ("wzstats", "empty+shrunken", "cannot have the faults 'empty' and 'shrunken' at once"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(source: str, spec: str, taught: str):
    with pytest.raises(ConfigurationError) as refusal:
        parse(source, spec)
    assert taught in str(refusal.value)


def test_every_switch_is_told_in_one_sentence_with_its_spelling():
    assert all(fault.meaning and "\n" not in fault.meaning for fault in FAULTS.values())
    assert [fault.spelling for fault in FAULTS.values()][:4] == [
        "latency=SECONDS",
        "error_rate=SHARE",
        "rate_limited=SECONDS",
        "challenge",
    ]


@pytest.mark.parametrize("port", [-1, 65534, 65536, 1.5, True, math.nan, "8000"])
def test_a_port_that_leaves_no_room_for_three_is_refused_with_the_range(port: Any):
    with pytest.raises(ConfigurationError, match=r"give the first of 3 free ports in a row, from 1 to 65533, or 0"):
        Sandbox(port=port)


async def test_serving_refuses_a_wrong_switch_before_it_listens():
    with pytest.raises(ConfigurationError, match="did you mean 'challenge'"):
        async with serve(faults={"codmunity": "chalenge"}, port=0):
            pass
