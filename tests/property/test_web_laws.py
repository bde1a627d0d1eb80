import gzip
import json
import math
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.retry_after import asked_wait, parse_retry_after
from data_source_orchestrator.core.strict_json import may_hold_more, nested_deeper, parse_json
from data_source_orchestrator.web import HttpPolicy, Response
from data_source_orchestrator.web.charset import decode_text
from data_source_orchestrator.web.decoding import Body
from data_source_orchestrator.web.judgement import judge
from data_source_orchestrator.web.redaction import shown

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1977, 1, 1), datetime(2075, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 — hypothesis adds the zone
    lambda moment: moment.replace(microsecond=0)
)
BRACKETED = st.text(st.sampled_from('[]{}\\"a,:é'), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | BRACKETED,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(BRACKETED, inner, max_size=4),
    max_leaves=20,
)


def nodes(value: Any) -> int:
    """Count a JSON value's names and values, itself included."""
    match value:
        case dict():
            return 1 + len(value) + sum(map(nodes, value.values()))
        case list():
            return 1 + sum(map(nodes, value))
        case _:
            return 1


def depth(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
        case list():
            return 1 + max(map(depth, value), default=0)
        case _:
            return 0


@given(st.text(max_size=40))
@example("1e5")
@example("١٢")
@example("Mon")
@example("Sun, 31 Feb 2026 12:00:00 GMT")
def test_any_retry_after_gives_a_wait_or_forbids_a_retry(text: str):
    wait = parse_retry_after(text, NOW)
    assert wait is not None
    assert wait >= 0


@given(st.integers())
def test_retry_after_in_seconds_is_exact_and_a_negative_one_forbids_a_retry(number: int):
    assert parse_retry_after(str(number), NOW) == (float(number) if number >= 0 else math.inf)


@given(MOMENTS)
@example(NOW)
def test_retry_after_as_a_date_is_the_time_left_in_each_of_https_three_forms(moment: datetime):
    left = max(0.0, (moment - NOW).total_seconds())
    assert parse_retry_after(format_datetime(moment, usegmt=True), NOW) == left
    assert parse_retry_after(moment.strftime("%A, %d-%b-%y %H:%M:%S GMT"), NOW) == left
    assert (
        parse_retry_after(moment.strftime("%a %b ") + f"{moment.day:2d}" + moment.strftime(" %H:%M:%S %Y"), NOW) == left
    )


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=3)))
def test_a_spent_allowance_is_waited_for_until_its_reset(left: timedelta):
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str((NOW + left).timestamp())}
    assert asked_wait(headers, NOW) == pytest.approx(left.total_seconds(), abs=0.01)


@given(
    st.integers(100, 999),
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "cf-mitigated"]),
        st.sampled_from(["0", "60", "-1", "challenge", "soon", "9" * 400, ""]),
    ),
    st.sampled_from([b"", b"<html>just a moment", b"error code: 1020", b"{}"]),
)
def test_every_answer_has_a_judgement(status: int, headers: dict[str, str], head: bytes):
    failure = judge(status, headers, head, url="https://a.example", now=NOW)
    assert failure is None or str(failure).startswith("https://a.example answered")
    assert (failure is None) <= (200 <= status < 300)


@given(JSON)
def test_strict_json_reads_back_what_was_written(value: Any):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False, indent=1)) == value


@given(JSON, st.integers(0, 8))
def test_nesting_is_measured_exactly(value: Any, bound: int):
    assert nested_deeper(value, bound) == (depth(value) > bound)


@given(JSON, st.integers(0, 30), st.booleans())
def test_a_text_is_never_taken_for_one_of_fewer_names_and_values_than_it_has(value: Any, most: int, spaced: bool):
    text = json.dumps(value, indent=9 if spaced else None)
    assert may_hold_more(text, most) or nodes(value) <= most


@given(st.text(st.sampled_from('[]{}",:\\u0dD8 1e9Nan'), max_size=40) | st.text(max_size=20))
@example('{"a":1,"a":1}')
@example("[NaN]")
@example("1" + "0" * 400 + ".0")
def test_strict_json_accepts_no_more_than_json_and_fails_in_one_way_only(text: str):
    try:
        value = parse_json(text, max_depth=20)
    except ValueError:
        return
    assert value == json.loads(text)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@given(st.binary(max_size=60), st.sampled_from(["", "text/html", "text/plain; charset=utf-16", "a/b; charset=cp037"]))
def test_any_body_is_text_and_json_or_a_failure_that_says_so(body: bytes, kind: str):
    response = Response(url="https://a.example", status=200, headers={"content-type": kind}, body=body)
    for read in (response.text, response.json):
        try:
            read()
        except FetchError as failure:
            assert failure.kind in {"content", "blocked"}  # noqa: PT017 — a success is as good


@given(
    st.text(st.characters(codec="utf-8"), max_size=40), st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32-be"])
)
def test_text_survives_the_charset_it_declares(text: str, charset: str):
    text = f"a{text}"  # a mark at the beginning would be believed before the header, as it should
    assert decode_text(text.encode(charset), f"text/plain; charset={charset}") == text


def compressed(data: bytes, encoding: str):
    return gzip.compress(data) if encoding == "gzip" else zlib.compress(data)


def fed(sent: bytes, encoding: str, cuts: Sequence[int] = ()):
    body = Body({"content-encoding": encoding}, HttpPolicy(), "https://a.example")
    edges = sorted({0, *(cut % (len(sent) + 1) for cut in cuts), len(sent)})
    for start, end in pairwise(edges):
        body.feed(sent[start:end])
    return body.finish()


@given(st.binary(max_size=3000), st.sampled_from(["gzip", "deflate"]), st.lists(st.integers(0, 3000), max_size=5))
def test_a_compressed_body_is_the_same_however_it_is_cut_into_pieces(data: bytes, encoding: str, cuts: Sequence[int]):
    assert fed(compressed(data, encoding), encoding, cuts) == data


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["gzip", "deflate"]), st.integers(1, 10_000))
def test_a_compressed_body_cut_short_is_never_taken_for_whole(data: bytes, encoding: str, lost: int):
    sent = compressed(data, encoding)
    kept = sent[: max(1, len(sent) - 1 - lost % len(sent))]
    with pytest.raises(FetchError) as caught:
        fed(kept, encoding)
    assert (caught.value.kind, caught.value.truncated) == ("content", True)


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_rubbish_in_a_compressed_body_is_content(rubbish: bytes, encoding: str):
    try:
        fed(rubbish, encoding)
    except FetchError as failure:
        assert failure.kind == "content"  # noqa: PT017 — a success is as good


@given(
    st.sampled_from(["token", "api_key", "X-Amz-Signature", "AUTH", "client_secret", "password"]), st.text(max_size=20)
)
def test_a_secret_never_shows(name: str, around: str):
    secret = "5up3rs3cr3t"  # noqa: S105 — made up
    for url in (f"https://u:{secret}@a.example/{around}", f"https://a.example/x?b={around}&{name}={secret}"):
        told = shown(url)
        assert secret not in told
        assert told.isprintable()
