"""What the settings file says of one source, laid over the source."""

import pytest

from data_source_orchestrator.core.contract import Contract
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import BreakerPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.settings import SourceOverrides

PRICES = Source(
    key="prices",
    title="The Prices",
    fetcher=lambda: None,
    attempt_timeout=10,
    max_retries=4,
    breaker=BreakerPolicy(failures=3, cool_down=20),
    contract=Contract(minimum_rows=8),
)


def test_nothing_set_changes_nothing():
    assert SourceOverrides().apply(PRICES) == PRICES


def test_d25_only_what_was_set_changes_and_zero_and_false_are_set():
    changed = SourceOverrides(enabled=False, max_retries=0, priority=0, reliability=0.0).apply(PRICES)
    assert changed == PRICES.but(enabled=False, max_retries=0, priority=0, reliability=0.0)


def test_every_member_that_can_be_set_arrives():
    changed = SourceOverrides(
        enabled=False,
        priority=7,
        timeout=40.0,
        attempt_timeout=20.0,
        max_retries=1,
        update_frequency="hourly",
        reliability=0.4,
        contract={"minimum_rows": 2, "mode": "warn", "largest_shrink": 0.5},
        breaker={"failures": 9, "cool_down": 1.0, "max_cool_down": 2.0, "spread": 0.1},
    ).apply(PRICES)
    assert changed == PRICES.but(
        enabled=False,
        priority=7,
        timeout=40.0,
        attempt_timeout=20.0,
        max_retries=1,
        update_frequency="hourly",
        reliability=0.4,
        contract=Contract(minimum_rows=2, mode="warn", largest_shrink=0.5),
        breaker=BreakerPolicy(failures=9, cool_down=1, max_cool_down=2, spread=0.1),
    )


def test_the_rest_of_a_breaker_and_of_a_contract_stays_the_sources_own():
    changed = SourceOverrides(breaker={"cool_down": 5.0}).apply(PRICES)
    assert changed.breaker == BreakerPolicy(failures=3, cool_down=5)
    assert changed.contract == Contract(minimum_rows=8)


def test_what_does_not_fit_the_source_is_told_with_the_table_that_said_it():
    overrides = SourceOverrides(timeout=5.0, origin="file dso.toml [sources.prices]")
    with pytest.raises(ConfigurationError) as told:
        overrides.apply(PRICES)
    assert str(told.value) == (
        "file dso.toml [sources.prices]: prices.attempt_timeout is 10.0 and prices.timeout 5.0;"
        " an attempt cannot last longer than its source: lower the one or raise the other"
    )


def test_rules_over_attempts_arrive_from_the_file_as_they_are_named_there():
    rules = {"attempt_failures": 4, "failure_ratio": 0.5, "window": 20, "probes": 2, "success_threshold": 3}
    changed = SourceOverrides(breaker=rules).apply(PRICES)
    assert changed.breaker == BreakerPolicy(failures=3, cool_down=20, **rules)  # type: ignore[arg-type]  # the names are checked above


def test_a_breaker_that_cannot_be_meant_is_told_with_the_table_that_said_it():
    overrides = SourceOverrides(breaker={"failure_ratio": 0.5}, origin="file dso.toml [sources.prices]")
    with pytest.raises(ConfigurationError) as told:
        overrides.apply(PRICES)
    assert str(told.value) == (
        "file dso.toml [sources.prices]: breaker.failure_ratio is 0.5 and breaker.window None;"
        " give a window (attempts) or window_seconds that it is taken over"
    )
