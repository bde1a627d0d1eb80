import math
from datetime import UTC, datetime

import pytest

from data_source_orchestrator.web.judgement import judge

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HTML = b"<!DOCTYPE html><html><head><title>%s</title></head></html>"
MOMENT = HTML % b"Just a moment..."


def judged(status: int, headers: dict[str, str] | None = None, head: bytes = b""):
    return judge(status, headers or {}, head, url="https://a.example/x", now=NOW)


@pytest.mark.parametrize("status", [200, 201, 204, 206, 299])
def test_a_2xx_is_no_failure(status: int):
    assert judged(status) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (304, "client"),
        (400, "client"),
        (401, "client"),
        (403, "client"),
        (404, "client"),
        (408, "timeout"),
        (410, "client"),
        (429, "rate_limited"),
        (451, "client"),
        (500, "server"),
        (502, "server"),
        (503, "server"),
        (599, "server"),
    ],
)
def test_a18_a_status_alone_has_one_kind(status: int, kind: str):
    failure = judged(status)
    assert failure.kind == kind
    assert failure.retry_after is None
    assert str(status) in str(failure)
    assert "https://a.example/x" in str(failure)


@pytest.mark.parametrize(
    ("status", "headers", "head"),
    [
        (403, {"cf-mitigated": "challenge"}, b""),
        (200, {"cf-mitigated": "challenge"}, b""),
        (403, {}, MOMENT),
        (429, {"retry-after": "5"}, MOMENT),
        (503, {}, b"\xef\xbb\xbf\r\n" + MOMENT),
        (200, {}, MOMENT),
        (403, {}, b"error code: 1020"),
        (403, {}, b"error code: 1010\n"),
    ],
)
def test_a_challenge_is_blocked_whatever_its_status(status: int, headers: dict[str, str] | None, head: bytes):
    assert judged(status, headers, head).kind == "blocked"


@pytest.mark.parametrize(
    ("status", "head", "kind"),
    [
        (429, b"error code: 1015", "rate_limited"),  # Cloudflare's own rate limit
        (403, HTML % b"Forbidden", "client"),
        (429, HTML % b"Rate limit", "rate_limited"),
        (404, MOMENT, "blocked"),
        (500, b"wait just a moment", "server"),
    ],
)
def test_what_only_resembles_a_challenge_keeps_its_own_kind(status: int, head: bytes, kind: str):
    assert judged(status, {}, head).kind == kind


def test_data_that_speaks_of_a_challenge_is_still_data():
    assert judged(200, {}, b'{"html": "<title>Just a moment</title>"}') is None
    assert judged(200, {}, b"<html><body><p>Just a moment ago</p></body></html>") is None


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"retry-after": "60"}, 60.0),
        (429, {"retry-after": "Sun, 01 Mar 2026 12:02:00 GMT"}, 120.0),
        (429, {"retry-after": "-1"}, math.inf),
        (429, {"retry-after": "soon"}, math.inf),
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW.timestamp() + 90)}, 90.0),
        (403, {"retry-after": "30", "x-ratelimit-remaining": "0"}, 30.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 1800)}, 1800.0),
        (403, {"x-ratelimit-remaining": "0"}, 60.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "60"}, 60.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "tomorrow"}, 60.0),
    ],
)
def test_a_rate_limit_is_waited_for_in_githubs_order(status: int, headers: dict[str, str] | None, wait: float):
    failure = judged(status, headers)
    assert failure.kind == "rate_limited"
    assert failure.retry_after == pytest.approx(wait)


def test_a_403_with_allowance_left_is_no_rate_limit():
    assert judged(403, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": "9999999999"}).kind == "client"


def test_a_503_carries_the_wait_it_asks_for():
    failure = judged(503, {"retry-after": "7"})
    assert (failure.kind, failure.retry_after) == ("server", 7.0)
    assert "asks to wait 7 s" in str(failure)
