"""Pages on strategies name every setting with its default; each says when not to, what is an error, and its sources."""

import dataclasses
import re
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from snippets import ROOT

from data_source_orchestrator import (
    BreakerPolicy,
    BudgetPolicy,
    CachePolicy,
    ChaosPolicy,
    ConcurrencyPolicy,
    HedgePolicy,
    RateLimitPolicy,
    RetryConfig,
)

FOLDER = ROOT / "docs" / "strategies"
POLICIES: dict[str, Any] = {
    "chaos": ChaosPolicy,
    "circuit-breaker": BreakerPolicy,
    "concurrency": ConcurrencyPolicy,
    "hedging": HedgePolicy,
    "rate-limiting": RateLimitPolicy,
    "result-cache": CachePolicy,
    "retry": RetryConfig,
    "retry-budget": BudgetPolicy,
}
FIELDS = [
    pytest.param(page, field, id=f"{page}-{field.name}")
    for page, policy in POLICIES.items()
    for field in dataclasses.fields(policy)
]
STRATEGIES = [pytest.param(path, id=path.stem) for path in sorted(FOLDER.glob("*.md"))]


def spellings(default: object) -> set[str]:
    """Return how a page may write a default."""
    match default:
        case None | ():
            return {"None", "none"}
        case Enum():
            return {str(default.value)}
        case (only,):
            return spellings(only)
        case bool() | str():
            return {str(default)}
        case int() | float():
            return {str(default), f"{default:g}"}
        case _:
            raise TypeError(f"no page can write {default!r}")


@pytest.mark.parametrize(("page", "field"), FIELDS)
def test_every_setting_of_a_strategy_stands_in_a_table_with_its_default(page: str, field: "dataclasses.Field[Any]"):
    text = (FOLDER / f"{page}.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("|") and re.search(rf"`{field.name}\b", line)]
    assert rows, f"{page}.md names no {field.name}"
    if field.default is not dataclasses.MISSING:
        words = set(re.findall(r"[\w.]+", " ".join(rows)))
        assert words & spellings(field.default), f"{page}.md does not say that {field.name} is {field.default!r}"


@pytest.mark.parametrize("page", STRATEGIES)
def test_every_strategy_says_when_not_to_use_it_what_is_an_error_and_where_it_comes_from(page: Path):
    text = page.read_text()
    assert re.search(r"do(es)? not (use|help)|when not to use it", " ".join(text.lower().split()))
    assert re.search(r"ConfigurationError|no error", text)
    assert re.search(r"^## (Sources|Where (it|the method) comes from)$", text, re.MULTILINE)
