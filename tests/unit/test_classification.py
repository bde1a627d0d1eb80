"""One table from what goes wrong to its failure kind, and what a source adds to it."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from data_source_orchestrator import Classification, ConfigurationError, FailureKind, FetchError, Sign
from data_source_orchestrator.core.classification import RETRIED, SIGNS, TABLE, Row
from data_source_orchestrator.core.classification.signs import HEAD
from data_source_orchestrator.resilience.classify import classify
from data_source_orchestrator.web.judgement import COMMON, judge, needs_head

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

A18 = {
    "timeouts → timeout": ("timeout", "builtins.TimeoutError", 408),
    "DNS, refused, reset, TLS and other OSError → connection": ("connection", "builtins.OSError", None),
    "errors of aiohttp by class": ("connection", "aiohttp.ClientConnectionError", None),
    "errors of httpx by class": ("timeout", "httpx.TimeoutException", None),
    "errors of requests by class": ("client", "requests.TooManyRedirects", 404),
    "errors by status": ("status", "aiohttp.ClientResponseError", None),
    "too many requests → rate_limited": ("rate_limited", "", 429),
    "the server's → server": ("server", "", 503),
    "decode → content": ("content", "json.JSONDecodeError", None),
    "validation → content": ("content", "pydantic_core.ValidationError", None),
    "encoding → content": ("content", "builtins.UnicodeError", None),
    "LookupError → content": ("content", "builtins.LookupError", None),
    "truncated content": ("truncated", "builtins.EOFError", None),
    "redirect loop → client": ("client", "httpx.TooManyRedirects", None),
    "TypeError → bug": ("bug", "builtins.TypeError", None),
    "AttributeError → bug": ("bug", "builtins.AttributeError", None),
    "NameError → bug": ("bug", "builtins.NameError", None),
    "ImportError → bug": ("bug", "builtins.ImportError", None),
    "AssertionError → bug": ("bug", "builtins.AssertionError", None),
    "ZeroDivisionError → bug": ("bug", "builtins.ZeroDivisionError", None),
    "anything else → unknown": ("unknown", "builtins.Exception", None),
}


@pytest.mark.parametrize("settled", A18)
def test_every_row_that_was_settled_stands_in_the_table_a18(settled: str):
    means, name, status = A18[settled]
    [row] = [
        row
        for row in TABLE
        if row.means == means
        and (not name or name in row.classes.split())
        and (status is None or any(status in each for each in row.statuses))
    ]
    assert row.seen


def test_the_table_has_a_row_for_each_kind_names_no_class_twice_and_leaves_no_error_status_out_a18():
    assert {row.kind for row in TABLE if row.kind} == set(FailureKind)
    classes = [name for row in TABLE for name in row.classes.split()]
    assert len(classes) == len(set(classes))
    for status in range(300, 600):
        first = [row for row in TABLE if any(status in each for each in row.statuses)]
        assert first, status


def test_what_is_retried_is_what_was_settled_a18():
    assert {"timeout", "connection", "server", "rate_limited", "unknown"} == RETRIED
    assert [row.means for row in TABLE if row.retried and row.means not in RETRIED] == ["truncated"]
    assert Row(seen="", means="status").retried is None


def test_a_challenge_and_githubs_limits_are_known_by_their_signs():
    assert {sign.kind for sign in SIGNS} == {FailureKind.BLOCKED, FailureKind.RATE_LIMITED}


def judged(status: int, body: bytes = b"", own: Classification = COMMON, **headers: str) -> FetchError | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(status, named, body, url="https://a.example/x", now=NOW, own=own)


def ended(failure: FetchError | None) -> tuple[str, float | None]:
    assert failure is not None
    return failure.kind, failure.retry_after


SECONDARY = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}'
PAGE = "<!DOCTYPE html>\n<html><head><title>Rate limit \N{MIDDLE DOT} GitHub</title></head></html>".encode()


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("body", "headers", "wait"),
    [
        (SECONDARY, {}, 60.0),
        (PAGE, {}, 60.0),
        (b'{"message": "API rate limit exceeded for 192.0.2.1."}', {}, 60.0),
        (SECONDARY, {"retry_after": "7", "x_ratelimit_remaining": "0"}, 7.0),
        (SECONDARY, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int(NOW.timestamp()) + 900)}, 900.0),
        (SECONDARY, {"x_ratelimit_remaining": "12", "x_ratelimit_reset": str(int(NOW.timestamp()) + 900)}, 60.0),
        (b"no", {"x_ratelimit_remaining": "0"}, 60.0),
        (PAGE, {"retry_after": "60"}, 60.0),
    ],
)
def test_githubs_limits_are_waited_for_in_its_documented_order_under_403_and_429_alike(
    status: int, body: bytes, headers: dict[str, str], wait: float
):
    assert ended(judged(status, body, COMMON, **headers)) == ("rate_limited", wait)


def test_a_403_without_a_sign_is_the_clients():
    assert ended(judged(403, b'{"message": "Resource not accessible by integration"}')) == ("client", None)
    assert ended(judged(404, SECONDARY)) == ("client", None)


class OddError(Exception):
    pass


class OdderError(OddError):
    pass


def test_a_sources_own_word_on_an_error_comes_before_the_table_and_after_a_fetch_error():
    own = Classification(errors={OddError: "server", KeyError: FailureKind.EMPTY})
    assert classify(OdderError(), NOW, own).kind == "server"
    assert classify(OdderError(), NOW, own).retryable
    assert classify(KeyError("rows"), NOW, own).kind == "empty"
    assert classify(IndexError(), NOW, own).kind == "content"
    assert classify(FetchError("client"), NOW, own).kind == "client"
    assert classify(OdderError(), NOW).kind == "unknown"


def test_a_sources_own_word_on_a_status_holds_for_every_library_and_for_good_ones_too():
    own = Classification(statuses={404: "empty", 202: "server", 403: "rate_limited"})
    assert ended(judged(404, own=own))[0] == "empty"
    assert ended(judged(202, own=own, retry_after="3")) == ("server", 3.0)
    assert ended(judged(403, own=own)) == ("rate_limited", None)
    assert judged(200, own=own) is None

    class HTTPError(Exception):
        status = 404

    HTTPError.__module__ = "urllib.error"
    assert classify(HTTPError(), NOW, own).kind == "empty"
    assert classify(HTTPError(), NOW).kind == "client"


def test_a_sources_own_sign_is_seen_in_good_answers_too_and_before_the_common_ones():
    upkeep = Sign(kind=FailureKind.SERVER, told="is down for maintenance", body=rb".*?be right back", wait=300)
    guarded = Sign(kind=FailureKind.BLOCKED, told="wants a captcha", header=("x-guard", "captcha"))
    own = Classification(signs=(upkeep, guarded))
    assert ended(judged(200, b"<html>We'll BE RIGHT BACK", own)) == ("server", 300)
    assert ended(judged(200, b"<html>We'll be right back", own, retry_after="9")) == ("server", 9)
    failure = judged(200, b"{}", own, x_guard="Captcha")
    assert ended(failure) == ("blocked", None)
    assert str(failure) == "https://a.example/x wants a captcha"
    assert judged(200, b"x" * HEAD + b"be right back", own) is None
    assert (needs_head(404, own), needs_head(404)) == (True, False)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"errors": {"KeyError": "empty"}}, "classification.errors names 'KeyError'; give classes of exceptions"),
        ({"errors": {KeyError: "emty"}}, "classification.errors maps to 'emty'; give one of timeout, connection"),
        ({"errors": {KeyError: "emty"}}, "did you mean 'empty'?"),
        ({"statuses": {"404": "empty"}}, "classification.statuses names '404'; give HTTP statuses, from 100 to 599"),
        ({"statuses": {True: "empty"}}, "classification.statuses names True"),
        ({"statuses": {9: "empty"}}, "classification.statuses names 9"),
        ({"signs": ("x",)}, "classification.signs names 'x'; give a tuple of Sign(…)"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_accepted(members: dict[str, Any], message: str):
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Classification(**members)


@pytest.mark.parametrize(
    "members",
    [{}, {"body": b"x", "header": ("a", "b")}, {"body": b"("}, {"body": "text"}, {"body": b"x", "wait": -1}],
)
def test_a_sign_that_cannot_be_looked_for_is_refused(members: dict[str, Any]):
    with pytest.raises(ConfigurationError):
        Sign(kind=FailureKind.BLOCKED, told="x", **members)
