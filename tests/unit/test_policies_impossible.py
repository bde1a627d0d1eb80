"""Whatever cannot be meant by a field of a policy is refused, by every policy, in one teaching sentence."""

import math
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any, get_type_hints

import pytest

from data_source_orchestrator.core import policies
from data_source_orchestrator.core.durations import MOST, Seconds
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import (
    Behaviour,
    CachePolicy,
    ConcurrencyPolicy,
    Fault,
    Jitter,
    RateLimitPolicy,
    RetryConfig,
)
from data_source_orchestrator.core.telling import LONGEST, told

NEEDED: dict[type, dict[str, Any]] = {
    CachePolicy: {"ttl": 60},
    ConcurrencyPolicy: {"limit": 1},
    RateLimitPolicy: {"limit": 1, "per": 1},
    RetryConfig: {"base_delay": 0},
}
"""What has to be said for the rest to be checked."""

POLICIES = [kind for kind in vars(policies).values() if hasattr(kind, "__dataclass_fields__")]

HUGE = 10**400


class Unwritable:
    """A value that cannot even be told."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")


NO_NUMBERS: list[object] = ["1", b"1", "", [1], {}, 1j, object(), Unwritable(), True, False]
NO_TIMES = [*NO_NUMBERS, math.nan, math.inf, -math.inf, -1, -0.001, HUGE, -HUGE, timedelta(-1), timedelta.max]
NO_COUNTS = [*NO_NUMBERS, math.nan, math.inf, -math.inf, -1, 0.5, 1.0, MOST + 1, HUGE, -HUGE, 10**5000]
NO_NUMBER_AT_ALL = [*NO_NUMBERS, math.nan, math.inf, -math.inf, -0.001, HUGE, -HUGE]
NO_SWITCHES = [0, 1, 0.0, math.nan, math.inf, -1, "true", "", b"", [True], {}, object(), Unwritable(), HUGE]
NO_SEVERAL = [0, -1, math.nan, math.inf, True, "connection", "", b"", {}, {"a": 1}, object(), Unwritable(), None]

IMPOSSIBLE: dict[Any, list[Any]] = {
    int: [*NO_COUNTS, None],
    int | None: NO_COUNTS,
    Seconds: [*NO_TIMES, None],
    Seconds | None: NO_TIMES,
    float: [*NO_NUMBER_AT_ALL, None],
    float | None: NO_NUMBER_AT_ALL,
    bool: [*NO_SWITCHES, None],
    bool | Jitter: [0, 1, math.nan, math.inf, -1, "", "ful", b"full", [], {}, object(), Unwritable(), HUGE, None],
    tuple[Fault, ...]: [*NO_SEVERAL, (0,), (math.nan,), ("conection",), (True,), (None,), (HUGE,), [[]]],
    tuple[object, ...]: NO_SEVERAL,
    tuple[Behaviour, ...]: [*NO_SEVERAL, (0,), (None,), ("f",)],
    RateLimitPolicy | None: [*NO_NUMBER_AT_ALL, 1, 0, ConcurrencyPolicy(limit=1)],
    ConcurrencyPolicy | None: [*NO_NUMBER_AT_ALL, 1, 0, RateLimitPolicy(limit=1, per=1)],
}
"""By the type of a field, what no field of it accepts; a type that is not here fails the test, and belongs here."""

ZERO = {
    "tokens",
    "retry_cost",
    "timeout_cost",
    "refund",
    "hedge_cost",
    "probe_cost",
    "refresh_cost",
    "reserve",
    "spread",
    "stale_while_revalidate",
    "stale_if_error",
    "fault_rate",
    "latency_rate",
    "latency",
    "outcome_rate",
    "behaviour_rate",
    "seed",
    "slow_share",
    "least",
    "delay",
    "max_retries",
    "min_successful_sources",
    "base_delay",
    "max_delay",
    "entities",
    "coverage",
}
"""Fields for which nothing is a value too; of all the others 0 is refused."""

ABOVE_ONE = {
    *("spread", "failure_ratio", "slow_ratio", "decrease", "slow_share", "quantile"),
    *("entities", "coverage", "objective"),
    *(f"{kind}_rate" for kind in ("fault", "latency", "outcome", "behaviour")),
}
"""Shares, which are never above 1."""

SEEDS: list[Any] = [*NO_NUMBERS, math.nan, math.inf, 0.5, 2**64, HUGE, 10**5000]
"""What cannot be a seed; any whole number of 64 bits can, negative or not."""


def impossible(kind: type, name: str) -> list[Any]:
    if name == "seed":
        return SEEDS
    typed = get_type_hints(kind)[name]
    assert typed in IMPOSSIBLE, f"{kind.__name__}.{name} is of a type that this test does not know: {typed}"
    values = list(IMPOSSIBLE[typed])
    if typed in {int, int | None, Seconds, Seconds | None, float, float | None}:
        zero = name in ZERO and (kind, name) != (ConcurrencyPolicy, "least")
        values += [] if zero else [0, 0.0, -0.0]
        values += [1.001, 2] if name in ABOVE_ONE else []
    return values


def cases() -> Iterator[Any]:
    for kind in POLICIES:
        for member in fields(kind):
            for value in impossible(kind, member.name):
                yield pytest.param(kind, member.name, value, id=f"{kind.__name__}.{member.name}={told(value)[:20]}")


@pytest.mark.parametrize(("kind", "name", "value"), list(cases()))
def test_what_cannot_be_meant_is_refused_with_the_field_the_value_and_what_is_accepted(
    kind: type, name: str, value: object
):
    with pytest.raises(ConfigurationError) as refused:
        kind(**{**NEEDED.get(kind, {}), name: value})
    sentence = str(refused.value)
    held = value if not isinstance(value, list | tuple | bytes) else None
    assert re.search(rf"\b{name} (is|holds) .+; .*(give|accepted)", sentence)
    assert "give" in sentence
    assert held is None or any(each in sentence for each in spellings(held))
    assert len(sentence) < 250 + LONGEST
    assert "\n" not in sentence


def spellings(value: object) -> tuple[str, ...]:
    """Return how a sentence may tell a value: in full, cut short, or a duration by its seconds."""
    if not isinstance(value, timedelta):
        return (told(value), "is 0") if value == 0 else (told(value),)
    return told(value.total_seconds()), f"{value.total_seconds():g} seconds"


def test_every_policy_and_every_field_was_tried():
    tried = {(kind, member.name) for kind in POLICIES for member in fields(kind) if impossible(kind, member.name)}
    assert tried == {(kind, member.name) for kind in POLICIES for member in fields(kind)}
    assert len(POLICIES) == 13


def test_a_value_is_told_in_one_short_line_whatever_it_is():
    assert told(0.5) == "0.5"
    assert told("a\nb") == "'a\\nb'"
    assert told("x" * 100) == "'" + "x" * 59 + "…"
    assert told(10**5000) == "a value of type int that cannot be written"
    assert told(Unwritable()) == "a value of type Unwritable that cannot be written"
