from datetime import UTC, datetime
from typing import Any

import pytest

from data_source_orchestrator import (
    ConfigurationError,
    Failure,
    FailureKind,
    FetchError,
    FetchResult,
    Skipped,
    SkipReason,
    SourceFailedError,
    Success,
    UnknownSourceError,
)
from data_source_orchestrator.core.result import metadata_of

ERROR = FetchError("connection", "refused")
OUTCOMES: dict[str, Any] = {
    "good": Success(source="good", data={"rows": 2}, attempts=1, duration=0.5, latency=0.5),
    "bad": Failure(source="bad", kind=FailureKind.CONNECTION, error=ERROR, attempts=3, duration=2.0),
    "off": Skipped(source="off", reason=SkipReason.DISABLED, detail="disabled by the operator"),
}


def result(**more: Any) -> FetchResult:
    metadata = metadata_of(
        OUTCOMES.values(), run_id="r", fetched_at=datetime(2026, 1, 1, tzinfo=UTC), total_duration=2.0, required=1
    )
    return FetchResult(OUTCOMES, metadata, **more)


def test_an_item_gives_the_data_or_raises_with_the_sources_own_error():
    assert result()["good"] == {"rows": 2}
    with pytest.raises(SourceFailedError, match="bad: connection failure after 3 attempts") as told:
        result()["bad"]
    assert told.value.__cause__ is ERROR
    with pytest.raises(SourceFailedError, match="off: skipped, disabled by the operator"):
        result()["off"]


def test_get_and_attributes_give_the_data_or_none_where_it_is_registered_without_data():
    told = result(registered=["good", "bad", "off", "unasked"])
    assert told.get("good") == told.good == {"rows": 2}
    assert told.get("bad") is told.bad is told.off is told.unasked is None
    assert told.get("bad", "older") == "older"


def test_a_name_that_nobody_registered_raises_with_the_nearest_key():
    with pytest.raises(UnknownSourceError, match="no source is called 'goood'; did you mean 'good'"):
        result()["goood"]
    with pytest.raises(UnknownSourceError, match="no source is called 'goood'; did you mean 'good'"):
        result().get("goood")
    with pytest.raises(AttributeError, match="did you mean 'good'"):
        _ = result().goood


def test_a_source_that_was_not_asked_is_told_so_and_never_that_it_does_not_exist():
    told = result(registered=["good", "bad", "off", "unasked"])
    with pytest.raises(ConfigurationError, match=r"^unasked was not asked in this run, which asked good, bad, off;"):
        told["unasked"]
    nobody = FetchResult({}, told.metadata, registered=["unasked"])
    with pytest.raises(ConfigurationError, match=r"^unasked was not asked in this run, which asked no source;"):
        nobody["unasked"]


def test_it_is_a_mapping_of_the_sources_that_succeeded():
    told = result()
    assert dict(told) == {"good": {"rows": 2}}
    assert "bad" not in told
    assert len(told) == 1
    assert list(told.outcomes) == ["good", "bad", "off"]


def test_it_prints_as_sentences():
    assert str(OUTCOMES["good"]) == "good: success after 1 attempt in 0.50 s"
    assert str(OUTCOMES["bad"]) == "bad: connection failure after 3 attempts in 2.00 s: refused"
    assert "bad: connection failure" in repr(result())


def test_python_may_ask_it_for_its_own_members_without_being_told_of_sources():
    with pytest.raises(AttributeError):
        _ = result().__wrapped__


def test_what_is_shown_of_a_success_leaves_out_its_data_to_rich_as_well():
    assert "rows" not in repr(OUTCOMES["good"])
    assert dict(OUTCOMES["good"].__rich_repr__()) == {
        "source": "good",
        "attempts": 1,
        "duration": 0.5,
        "latency": 0.5,
        "warnings": (),
        "age": None,
    }
