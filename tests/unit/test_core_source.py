"""What a source refuses when it is built, each with the sentence that says what to give."""

from collections.abc import Callable
from typing import Any

import pytest

from data_source_orchestrator import ConfigurationError, Source


def fetch() -> list[int]:
    return [1]


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"provides": "tier"}, r"prices\.provides is 'tier'; give a list of words, as \['tier'\]"),
        ({"provides": 3}, r"prices\.provides is 3; give a list of words"),
        ({"provides": None}, r"prices\.provides is None; give a list of words"),
        ({"provides": ["tier", 3]}, r"prices\.provides is \['tier', 3\]; give a list of words"),
        ({"probe": "https://a.example"}, r"prices\.probe is 'https://a.example'; give a function, or None"),
        ({"records": "rows"}, r"prices\.records is 'rows'; give a function of the payload that returns its rows"),
        ({"records": None}, r"prices\.records is None; give a function"),
        ({"contract": 3}, r"prices\.contract is 3; give a Contract"),
        ({"contract": {"minimum_rows": 3}}, r"prices\.contract is .*; give a Contract"),
        ({"breaker": None}, r"prices\.breaker is None; give a BreakerPolicy"),
        ({"update_frequency": []}, r"prices\.update_frequency is \[\]; give one of realtime, hourly"),
        ({"update_frequency": None}, r"prices\.update_frequency is None; give one of realtime, hourly"),
        ({"update_frequency": "dayly"}, r"prices\.update_frequency is 'dayly'; .*did you mean 'daily'\?"),
    ],
)
def test_a_member_of_the_wrong_kind_is_refused_with_what_to_give(members: dict[str, Any], told: str):
    with pytest.raises(ConfigurationError, match=told):
        Source(key="prices", fetcher=fetch, **members)
    with pytest.raises(ConfigurationError, match=told):
        Source(key="prices", fetcher=fetch).but(**members)


@pytest.mark.parametrize("collection", [tuple, list, set, iter])
def test_capabilities_may_come_in_any_collection(collection: Callable[[list[str]], Any]):
    assert Source(key="prices", fetcher=fetch, provides=collection(["tier"])).provides == ("tier",)
