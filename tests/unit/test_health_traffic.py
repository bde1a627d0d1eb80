from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data_source_orchestrator.core.traffic import WireRequest
from data_source_orchestrator.health.traffic import (
    MOST_HOSTS,
    OTHERS,
    HostTraffic,
    SourceTraffic,
    asked,
    traffic_from_json,
    traffic_to_json,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def one(status: int | None = 200, host: str = "a.example", **members: Any) -> SourceTraffic:
    return asked(WireRequest(host=host, status=status, **members), NOON)


@pytest.mark.parametrize(
    ("status", "members", "counted"),
    [
        (200, {"received": 7}, {"received": 7}),
        (302, {}, {}),
        (304, {}, {"not_modified": 1}),
        (403, {}, {"refused": 1}),
        (404, {}, {"refused": 1}),
        (404, {"robots": True}, {"robots": 1}),
        (429, {"limited": True, "wait": 5.0}, {"limited": 1, "waits": 1, "waited": 5.0}),
        (403, {"limited": True}, {"limited": 1}),
        (500, {}, {"failed": 1}),
        (503, {"robots": True}, {"failed": 1, "robots": 1}),
        (None, {}, {"unanswered": 1}),
    ],
)
def test_a_request_counts_as_what_became_of_it(status: int | None, members: Any, counted: Any):
    assert one(status, **members).total == HostTraffic(requests=1, **counted)


def test_numbers_add_up_by_host_since_the_first_of_them():
    later = asked(WireRequest(host="b.example", status=304), NOON + timedelta(hours=1))
    total = one(received=5) + later + one(500) + SourceTraffic(fetches=2, held_back=1, forbidden=1, delays=2, delayed=4)
    assert total.hosts == {
        "a.example": HostTraffic(requests=2, received=5, failed=1),
        "b.example": HostTraffic(requests=1, not_modified=1),
    }
    assert (total.since, total.fetches, total.held_back, total.forbidden) == (NOON, 2, 1, 1)
    assert (total.delays, total.delayed) == (2, 4)
    assert total.requests_per_fetch == 1.5
    assert one().requests_per_fetch is None


def test_an_upstream_that_redirects_everywhere_fills_no_store():
    total = SourceTraffic()
    for number in range(2 * MOST_HOSTS):
        total += one(host=f"h{number}.example")
    assert len(total.hosts) == MOST_HOSTS + 1
    assert total.hosts[OTHERS].requests == MOST_HOSTS
    assert total.total.requests == 2 * MOST_HOSTS


def test_what_is_stored_is_read_again_and_what_is_not_ours_counts_as_nothing():
    total = one(429, limited=True, wait=2.5) + SourceTraffic(fetches=1, delays=1, delayed=0.5)
    document = traffic_to_json(total)
    assert traffic_from_json(document) == total
    damaged = (None, 7, {**document, "schema": "x"}, {**document, "hosts": {"a": {}}}, {**document, "fetches": -1})
    for other in damaged:
        assert traffic_from_json(other) == SourceTraffic()
