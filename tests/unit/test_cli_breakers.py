"""What people read of a circuit breaker, in every state that it may be in."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from data_source_orchestrator.cli.health import _because
from data_source_orchestrator.cli.sources import _state
from data_source_orchestrator.cli.words import BAD, DOUBTFUL, GOOD, HELD, PAUSED, Mark, breaker
from data_source_orchestrator.core.policies import HealthPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.health.freshness import Freshness
from data_source_orchestrator.health.reports import report
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.orchestration.views import SourceView

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
SOURCE = Source(key="prices", fetcher=lambda: None)
CLOSED = SourceView(
    source=SOURCE,
    admitted=True,
    breaker="closed",
    retry_after=None,
    held_for=None,
    checked_at=NOON,
    freshness=Freshness.FRESH,
    not_published=(),
)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("closed", "closed"),
        ("open", "open"),
        ("half_open", "half open"),
        ("forced_open", "held open"),
        ("forced_closed", "held closed"),
        ("never_heard_of", "never heard of"),
    ],
)
def test_every_state_of_a_breaker_has_a_plain_word(state: str, word: str):
    assert breaker(state) == word


LEFT_ALONE = (BAD, "left alone")


@pytest.mark.parametrize(
    ("state", "admitted", "wait", "told"),
    [
        ("closed", True, None, (GOOD, "enabled", "")),
        ("half_open", True, None, (GOOD, "enabled", "")),
        ("half_open", False, None, (*LEFT_ALONE, "half open: an attempt is under way")),
        ("open", False, 30.0, (*LEFT_ALONE, "open: tried again in 30.0 s")),
        ("forced_open", False, None, (*LEFT_ALONE, f"held open: {HELD['forced_open']}")),
        ("forced_closed", True, None, (DOUBTFUL, "enabled", f"held closed: {HELD['forced_closed']}")),
        ("never_heard_of", False, 5.0, (*LEFT_ALONE, "never heard of: tried again in 5.00 s")),
    ],
)
def test_a_source_is_listed_by_what_its_breaker_does_with_it(
    state: str, admitted: bool, wait: float | None, told: tuple[Mark, str, str]
):
    *stands, why = _state(replace(CLOSED, breaker=state, admitted=admitted, retry_after=wait))
    assert (*stands, why.removeprefix("its circuit breaker is ")) == told


def test_health_tells_that_somebody_holds_a_breaker():
    healthy = report(SOURCE, SourceHealth(), HealthPolicy())
    held = replace(CLOSED, breaker="forced_closed")
    assert _because(healthy, held) == "its circuit breaker is held closed: the source is asked however often it fails"
    assert _because(healthy, CLOSED) == ""


def test_a_source_whose_upstream_asked_to_be_left_alone_says_so_and_how_to_ask_it_all_the_same():
    mark, state, why = _state(replace(CLOSED, held_for=3540.0))
    assert (mark, state) == (PAUSED, "left alone")
    assert why == "its upstream asked to be left alone for another 59 min; `dso enable prices` asks it all the same"
