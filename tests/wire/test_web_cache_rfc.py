"""What RFC 9111 and RFC 5861 ask of a cache, case by case: kept or not, for how long, and what is asked then."""

from collections.abc import Mapping
from typing import Any

import pytest
from test_web_cache_rig import date, rig

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.testing.fault_server import answer, challenge, hang_up, rate_limited, truncated

pytestmark = pytest.mark.real_time

KEPT, CONFIRMED, ASKED = "used without asking", "confirmed by 304", "asked anew"
ETAG = {"ETag": '"1"'}


async def what_becomes_of(headers: Mapping[str, str], seconds: float, asking: Mapping[str, str], **policy: Any) -> str:
    """Return what becomes of a second request, so many seconds after the first."""
    async with rig(headers, **policy) as client:
        await client.get()
        client.ages(seconds)
        second = await client.get(headers=asking)
        assert second.body == client.origin.body
        assert len(client.origin.asked) == (2 if second.revalidated or not second.from_cache else 1)
        return (CONFIRMED if second.revalidated else KEPT) if second.from_cache else ASKED


@pytest.mark.parametrize(
    ("headers", "seconds", "becomes"),
    [
        # section 4.2.1: the lifetime
        ({"Cache-Control": "max-age=60"}, 59, KEPT),
        ({"Cache-Control": "max-age=60"}, 60, ASKED),
        ({"Cache-Control": "max-age=60", **ETAG}, 60, CONFIRMED),
        ({"Cache-Control": 'max-age="60"'}, 59, KEPT),
        ({"Cache-Control": "MAX-AGE=60"}, 59, KEPT),
        ({"Cache-Control": "max-age=60, s-maxage=10"}, 11, ASKED),
        ({"Cache-Control": "max-age=10, s-maxage=60"}, 11, KEPT),
        ({"Cache-Control": "max-age=60", "Expires": date(-9)}, 59, KEPT),
        ({"Cache-Control": "max-age=99999999999999999999999"}, 86_400 * 365, KEPT),
        ({"Expires": date(60), "Date": date()}, 59, KEPT),
        ({"Expires": date(60), "Date": date()}, 60, ASKED),
        ({"Expires": date(60)}, 59, KEPT),  # an answer without a date is dated when it came
        ({"Expires": date(-1), "Date": date()}, 0, ASKED),
        # a lifetime that cannot be read is none
        ({"Expires": "0", "Date": date()}, 0, ASKED),
        ({"Expires": "-1"}, 0, ASKED),
        ({"Expires": "tomorrow"}, 0, ASKED),
        ({"Expires": date(60) + " "}, 59, KEPT),
        ({"Expires": f"{date(60)}, {date(60)}"}, 0, ASKED),
        ({"Cache-Control": "max-age=-1"}, 0, ASKED),
        ({"Cache-Control": "max-age=1.5"}, 0, ASKED),
        ({"Cache-Control": "max-age="}, 0, ASKED),
        ({"Cache-Control": "max-age=60, max-age=90"}, 0, ASKED),
        ({"Cache-Control": "max-age=60, max-age=60"}, 59, KEPT),
        ({"Cache-Control": "max-age=abc", "Expires": date(60)}, 0, ASKED),
        # section 4.2.2: a guess, where nothing is told: a tenth of the time since the last change, a day at most
        ({"Last-Modified": date(-1000), "Date": date()}, 99, KEPT),
        ({"Last-Modified": date(-1000), "Date": date()}, 100, CONFIRMED),
        ({"Last-Modified": date(-1e8), "Date": date()}, 86_399, KEPT),
        ({"Last-Modified": date(-1e8), "Date": date()}, 86_400, CONFIRMED),
        ({"Last-Modified": date(1000), "Date": date()}, 0, CONFIRMED),
        (ETAG, 0, CONFIRMED),
        ({}, 0, ASKED),
        # section 4.2.3: the age
        ({"Cache-Control": "max-age=60", "Age": "20"}, 39, KEPT),
        ({"Cache-Control": "max-age=60", "Age": "20"}, 40, ASKED),
        ({"Cache-Control": "max-age=60", "Age": "20, 50"}, 39, KEPT),
        ({"Cache-Control": "max-age=60", "Age": "-20"}, 59, KEPT),
        ({"Cache-Control": "max-age=60", "Age": "old"}, 59, KEPT),
        ({"Cache-Control": "max-age=60", "Age": "99999999999999999999"}, 0, ASKED),
        ({"Cache-Control": "max-age=60", "Date": date(-20)}, 39, KEPT),
        ({"Cache-Control": "max-age=60", "Date": date(-20)}, 40, ASKED),
        ({"Cache-Control": "max-age=60", "Date": date(-20), "Age": "30"}, 30, ASKED),
        ({"Cache-Control": "max-age=60", "Date": date(500)}, 59, KEPT),  # their clock is wrong, and ours counts
        ({"Cache-Control": "max-age=60", "Date": "now"}, 59, KEPT),
        # section 5.2.2: what an upstream demands
        ({"Cache-Control": "no-store, max-age=60"}, 0, ASKED),
        ({"Cache-Control": "private, max-age=60"}, 0, ASKED),
        ({"Cache-Control": "no-cache, max-age=60", **ETAG}, 0, CONFIRMED),
        ({"Cache-Control": 'no-cache="x-user", max-age=60'}, 59, KEPT),
        ({"Cache-Control": "max-age=60, must-revalidate", **ETAG}, 59, KEPT),
        ({"Cache-Control": "max-age=60, must-revalidate", **ETAG}, 60, CONFIRMED),
        ({"Cache-Control": "max-age=60, immutable, unheard-of=7"}, 59, KEPT),
        ({"Cache-Control": "max-age=60", "Vary": "*"}, 0, ASKED),
        # stale-while-revalidate starts nothing behind anybody's back: upstream is asked, and waited for
        ({"Cache-Control": "max-age=60, stale-while-revalidate=60", **ETAG}, 61, CONFIRMED),
    ],
)
async def test_an_answer_is_used_for_as_long_as_its_headers_say(headers: dict[str, str], seconds: float, becomes: str):
    assert await what_becomes_of(headers, seconds, {}) == becomes


@pytest.mark.parametrize(
    ("asking", "becomes"),
    [
        ({}, KEPT),
        ({"Cache-Control": "no-cache"}, CONFIRMED),
        ({"Cache-Control": "no-store"}, ASKED),
        ({"Cache-Control": "max-age=10"}, KEPT),
        ({"Cache-Control": "max-age=9"}, CONFIRMED),
        ({"Range": "bytes=0-5"}, ASKED),
        ({"If-None-Match": '"2"'}, ASKED),
        ({"X-Trace": "7"}, KEPT),
    ],
)
async def test_a_request_may_ask_for_more_than_the_headers_demand(asking: dict[str, str], becomes: str):
    assert await what_becomes_of({"Cache-Control": "max-age=60", **ETAG}, 10, asking) == becomes


async def test_without_a_cache_every_answer_is_asked_for():
    assert await what_becomes_of({"Cache-Control": "max-age=60", **ETAG}, 1, {}, cache=False) == ASKED


async def test_a_client_that_wants_confirmed_answers_is_given_no_others():
    """A23: `sync` always asks upstream, conditionally."""
    async with rig({"Cache-Control": "max-age=60, stale-if-error=60", **ETAG}) as client:
        await client.get()
        assert (await client.get(confirmed=True)).revalidated
        assert client.origin.asked == ["plain", '"1"']
        client.origin.fails = answer(status=500)
        with pytest.raises(FetchError):
            await client.get(confirmed=True)
        with pytest.raises(FetchError):
            await client.get(headers={"Cache-Control": "no-cache"})
        assert (await client.get()).from_cache


@pytest.mark.parametrize(
    ("headers", "condition"),
    [
        ({"ETag": 'W/"1"'}, 'W/"1"'),
        ({"Last-Modified": date(-50)}, date(-50)),
        ({"ETag": '"1"', "Last-Modified": date(-50)}, '"1"'),
    ],
)
async def test_every_validator_that_was_given_is_given_back(headers: dict[str, str], condition: str):
    async with rig(headers) as client:
        await client.get()
        assert (await client.get(confirmed=True)).revalidated
        asked = client.server.requests[-1].headers
        assert client.origin.asked == ["plain", condition]
        assert asked.get("if-none-match") == headers.get("ETag")
        assert asked.get("if-modified-since") == headers.get("Last-Modified")


async def test_a_304_brings_new_headers_and_a_new_age_to_the_old_body():
    async with rig({"Cache-Control": "max-age=10", "Age": "9", "X-Kept": "old", **ETAG}) as client:
        await client.get()
        client.ages(5)
        client.origin.unchanged = {"Cache-Control": "max-age=100", "X-Kept": "new", "Content-Length": "0", **ETAG}
        second = await client.get()
        assert (second.revalidated, second.age, second.headers["x-kept"]) == (True, 0, "new")
        client.ages(99)
        third = await client.get()
        assert (third.from_cache, third.revalidated, third.age, third.body) == (True, False, 99, client.origin.body)
        assert "age" not in third.headers
        assert "content-length" not in third.headers
        client.ages(1)
        assert (await client.get()).revalidated


async def test_the_age_of_a_304_is_its_own():
    async with rig({"Cache-Control": "max-age=10", **ETAG}) as client:
        await client.get()
        client.ages(10)
        client.origin.unchanged = {"Age": "4", **ETAG}
        assert (await client.get()).age == 4
        client.ages(5)
        assert not (await client.get()).revalidated
        client.ages(1)
        assert (await client.get()).revalidated


async def test_a_validator_that_changes_while_the_body_does_not_is_the_one_given_back_next():
    async with rig({"ETag": '"1"'}) as client:
        await client.get()
        client.origin.headers = {"ETag": '"2"'}
        second = await client.get()
        assert (second.from_cache, second.digest) == (False, (await client.get()).digest)
        assert client.origin.asked == ["plain", '"1"', '"2"']


async def test_a_weak_validator_that_a_304_changes_is_the_one_given_back_next():
    async with rig({"ETag": 'W/"1"'}) as client:
        await client.get()
        client.origin.unchanged = {"ETag": 'W/"2"'}
        await client.get()
        await client.get()
        assert client.origin.asked == ["plain", 'W/"1"', 'W/"2"']


async def test_a_304_about_another_body_than_the_kept_one_is_not_believed_and_asked_about_again():
    async with rig(ETAG) as client:
        await client.get()
        client.origin.unchanged, client.origin.body = {"ETag": '"another"'}, b"new"
        client.origin.headers["Last-Modified"] = date()
        assert (await client.get()).body == b"new"
        assert client.origin.asked == ["plain", '"1"', "plain"]


@pytest.mark.parametrize(
    ("vary", "same"),
    [
        ("X-Language", False),
        ("x-language", False),
        ("Accept, X-Language", False),
        ("Accept", True),
        ("Accept-Encoding, User-Agent", True),
    ],
)
async def test_an_answer_is_for_requests_that_agree_in_what_it_varies_by(vary: str, same: bool):
    async with rig({"Cache-Control": "max-age=60", "Vary": vary}) as client:
        await client.get(headers={"X-Language": "de"})
        assert (await client.get(headers={"X-Language": "fr"})).from_cache is same
        assert (await client.get(headers={"x-language": "de "})).from_cache
        assert (await client.get(headers={"X-Language": "fr"})).from_cache
        assert (await client.get()).from_cache is same


@pytest.mark.parametrize(
    ("directives", "seconds", "stands"),
    [
        ("max-age=10", 10, False),
        ("max-age=10, stale-if-error=20", 29, True),
        ("max-age=10, stale-if-error=20", 30, False),
        ("max-age=10, stale-while-revalidate=20", 29, True),
        ("max-age=10, stale-while-revalidate=20", 30, False),
        ("max-age=10, stale-while-revalidate=5, stale-if-error=20", 29, True),
        ("max-age=10, stale-if-error", 10, False),
        ("max-age=10, stale-if-error=x", 10, False),
        ("max-age=10, stale-if-error=20, must-revalidate", 10, False),
        ("max-age=10, stale-if-error=20, proxy-revalidate", 10, False),
        ("s-maxage=10, stale-if-error=20", 10, False),
        ("no-cache, stale-if-error=20", 0, False),
        ("no-store, stale-if-error=20", 0, False),
    ],
)
async def test_a_kept_answer_stands_in_for_a_failing_upstream_only_where_its_headers_allow_it(
    directives: str, seconds: float, stands: bool
):
    async with rig({"Cache-Control": directives, **ETAG}) as client:
        await client.get()
        client.ages(seconds)
        client.origin.fails = answer("no", status=503)
        if not stands:
            with pytest.raises(FetchError, match="503"):
                await client.get()
            return
        response = await client.get()
        assert (response.from_cache, response.revalidated, response.age) == (True, False, seconds)
        assert str(response.instead_of).endswith("answered 503 Service Unavailable")


@pytest.mark.parametrize(
    ("fails", "stands"),
    [
        (answer(status=500), True),
        (answer(status=504), True),
        (hang_up(), True),
        (truncated(b"{", announced=9), True),
        (answer(status=404), False),
        (answer(status=410), False),
        (answer(status=401), False),
        (rate_limited(), False),
        (challenge(), False),
        (challenge(status=503), False),
        (answer(b"x", headers={"Content-Encoding": "br"}), False),
    ],
)
async def test_only_an_upstream_that_could_not_answer_is_stood_in_for(fails: Any, stands: bool):
    """RFC 5861 section 4: what would result in 500, 502, 503 or 504; all else is upstream's own word."""
    async with rig({"Cache-Control": "stale-if-error=99", **ETAG}) as client:
        await client.get()
        client.origin.fails = fails
        if stands:
            assert (await client.get()).instead_of is not None
        else:
            with pytest.raises(FetchError):
                await client.get()


async def test_upstream_is_asked_again_after_a_failure_and_its_new_word_counts():
    async with rig({"Cache-Control": "stale-if-error=99", **ETAG}) as client:
        await client.get()
        client.origin.fails = answer(status=500)
        assert (await client.get()).instead_of is not None
        client.origin.fails = None
        assert (await client.get()).revalidated
        client.origin.headers, client.origin.body = {"ETag": '"2"'}, b"2"
        third = await client.get()
        assert (third.from_cache, third.body) == (False, b"2")
