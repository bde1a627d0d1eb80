"""Health as a document that lasts between processes."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.outcome import CutShort, Executed, Failure, Success
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.health.document import from_json, to_json
from data_source_orchestrator.health.record import checked, record
from data_source_orchestrator.health.state import SourceHealth
from data_source_orchestrator.resilience.common_cause import excuse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD: Executed[object] = Executed(
    outcome=Success(source="a", data=1, attempts=1, duration=1.0, latency=0.5), verdict=Verdict.SUCCESS
)
BAD: Executed[object] = Executed(
    outcome=Failure(source="a", kind=FailureKind.BUG, error=FetchError("bug", "oh"), attempts=2, duration=1.0),
    verdict=Verdict.FAILURE,
)
CUT: Executed[object] = Executed(
    outcome=Failure(source="a", kind=FailureKind.TIMEOUT, error=FetchError("timeout"), attempts=1, duration=0.7),
    verdict=Verdict.RELEASED,
    cut_short=CutShort(after=0.7, timeout=30.0),
)
OFFLINE = excuse(CUT)
RAN = record(record(SourceHealth(), GOOD, NOON), BAD, NOON)
LIVED = checked(record(record(RAN, CUT, NOON + timedelta(hours=1)), OFFLINE, NOON + timedelta(hours=2)), OFFLINE, NOON)


def document() -> Any:
    return json.loads(json.dumps(to_json(LIVED)))


def test_a25_a_state_comes_back_from_json_as_it_was():
    assert from_json(document()) == LIVED
    assert from_json(to_json(SourceHealth())) == SourceHealth()


def test_moments_come_back_in_utc_wherever_they_were_written():
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    back = from_json(json.loads(json.dumps(to_json(record(SourceHealth(), GOOD, east)))))
    assert back == record(SourceHealth(), GOOD, NOON)
    assert back.recent[0].at.tzinfo is UTC


@pytest.mark.parametrize("found", [None, 5, "x", [], {}, {"schema": "dso.health/1"}, [["schema", "dso.health/1"]]])
def test_what_is_no_document_of_ours_is_read_as_no_history(found: Any):
    assert from_json(found) == SourceHealth()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", "dso.health/0"),
        ("recent", None),
        ("recent", {}),
        ("recent", []),
        ("recent", ["xxxxx", "xxxxx"]),
        ("recent", [["2026-03-01T12:00:00+00:00", None, 1.0, 0.5]] * 2),
        ("recent", [["2026-03-01T12:00:00+00:00", "bug", 1.0, 0.5, 1]] * 2),
        ("recent", [["2026-03-01T12:00:00+00:00", "gremlins", 1.0, None, 1]] * 2),
        ("recent", [["2026-03-01T12:00:00", None, 1.0, 0.5, 1]] * 2),
        ("recent", [["2026-03-01T12:00:00+00:00", None, -1.0, 0.5, 1]] * 2),
        ("recent", [["2026-03-01T12:00:00+00:00", None, 1.0, 0.5, 1.5]] * 2),
        ("latencies_s", []),
        ("latencies_s", [float("nan")]),
        ("latencies_s", [float("inf")]),
        ("latencies_s", [True]),
        ("latencies_s", [10**400]),
        ("consecutive_failures", 2),
        ("consecutive_failures", -1),
        ("successes", 0),
        ("successes", 10**400),
        ("failures", "1"),
        ("total_duration_s", None),
        ("last_success", None),
        ("last_success", "0001-01-01T00:00:00+14:00"),
        ("last_failure", None),
        ("last_failure", ["2026-03-01T12:00:00+00:00", "bug"]),
        ("last_failure", ["2026-03-01T12:00:00+00:00", "bug", 5]),
        ("cuts", None),
        ("cuts", [["2026-03-01T13:00:00+00:00", 0.7]]),
        ("cuts", [["2026-03-01T13:00:00+00:00", -1, 30.0]]),
        ("cuts", [["2026-03-01T13:00:00+00:00", 0.7, 30.0]] * 101),
        ("offline", None),
        ("offline", ["2026-03-01T12:00:00"]),
        ("offline", ["2026-03-01T13:00:00+00:00"] * 101),
        ("last_check", ["2026-03-01T12:00:00+00:00", 1, None, ""]),
        ("last_check", ["2026-03-01T12:00:00+00:00", False, None, "", 1]),
        ("last_check", ["2026-03-01T12:00:00+00:00", False, None, "", True, True]),
        ("last_check", 5),
    ],
)
def test_a_document_with_one_wrong_member_is_read_as_no_history(name: str, value: Any):
    assert from_json({**document(), name: value}) == SourceHealth()


def test_a_document_from_before_cuts_and_our_own_outages_were_remembered_is_still_read():
    found = document()
    del found["cuts"], found["offline"]
    found["last_check"] = to_json(checked(RAN, BAD, NOON))["last_check"][:4]  # type: ignore[index]
    assert from_json(found) == checked(RAN, BAD, NOON)


@pytest.mark.parametrize("name", [name for name in to_json(SourceHealth()) if name not in {"cuts", "offline"}])
def test_an_older_document_without_a_member_is_read_as_no_history(name: str):
    found = document()
    del found[name]
    assert from_json(found) == SourceHealth()
