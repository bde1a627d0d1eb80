"""The parts of the HTTP cache that are functions: what headers say, and what may be kept."""

from datetime import UTC, datetime, timedelta

import pytest

from data_source_orchestrator.core.ports import StoredResponse
from data_source_orchestrator.web.caching.directives import LONGEST, Directives, parse_directives
from data_source_orchestrator.web.caching.freshness import UNUSABLE, Freshness, freshness_of, initial_age
from data_source_orchestrator.web.caching.storable import (
    has_credentials,
    has_secret,
    kept_headers,
    variant_of,
    vary_of,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("", Directives()),
        ("public", Directives(public=True)),
        ("max-age=5,public", Directives(max_age=5, public=True)),
        (" Max-Age = 5 ", Directives(max_age=5)),
        ('max-age="5"', Directives(max_age=5)),
        ("max-age", Directives(max_age=0)),
        ("max-age=5s", Directives(max_age=0)),
        ("max-age=\u0665", Directives(max_age=0)),
        (f"max-age={'9' * 5000}", Directives(max_age=LONGEST)),
        ("s-maxage=5", Directives(s_maxage=5, must_revalidate=True)),
        ("proxy-revalidate", Directives(must_revalidate=True)),
        ("stale-if-error=5, stale-while-revalidate=6", Directives(stale_if_error=5, stale_while_revalidate=6)),
        ("no-cache", Directives(no_cache=True)),
        ('no-cache="set-cookie"', Directives()),
        ('no-cache="set-cookie", no-cache', Directives(no_cache=True)),
        ('private="x, max-age=9", max-age=5', Directives(max_age=5)),
        ('x="a\\", max-age=9", max-age=5', Directives(max_age=5)),
        ("no-store;max-age=5", Directives(no_store=True, max_age=5)),
        ("not-no-store, max-agent=5", Directives()),
        (",,=,\x00", Directives()),
    ],
)
def test_a_cache_control_field_is_read_and_what_cannot_be_read_is_the_careful_thing(field: str, says: Directives):
    assert parse_directives(field) == says


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("https://a.example/rows?game=mw3", False),
        ("https://a.example/token/rows", False),
        ("https://a.example/?token=1", True),
        ("https://a.example/?a=1&Api%2DKey=1", True),
        ("https://a.example/?a=1;password=1", True),
        ("https://user@a.example/", True),
        ("https://a.example/?mail=a@b.example", False),
    ],
)
def test_an_address_holds_a_secret_where_the_name_of_a_parameter_sounds_like_one(url: str, secret: bool):
    assert has_secret(url) is secret


def test_credentials_are_told_by_the_names_of_headers():
    assert has_credentials(["accept", "x-api-key"])
    assert not has_credentials(["accept", "accept-encoding", "user-agent", "x-trace"])


def test_headers_are_kept_without_secrets_and_without_what_described_the_message():
    lines = [("ETag", '"1"'), ("Set-Cookie", "a"), ("Content-Length", "3"), ("Age", "3"), ("X-A", "1"), ("X-A", "2")]
    assert list(kept_headers(lines)) == [("etag", '"1"'), ("x-a", "1"), ("x-a", "2")]


def test_a_variant_is_told_by_the_values_sent_under_the_names_it_varies_by():
    vary = vary_of({"vary": "Accept, , X-B,accept"})
    assert vary == ("accept", "x-b")
    assert variant_of(vary, {"accept": "a", "x-b": " b "}) == variant_of(vary, {"accept": "a ", "x-b": "b", "c": "d"})
    assert variant_of(vary, {"accept": "a"}) != variant_of(vary, {"accept": "a", "x-b": ""})
    assert variant_of(vary, {"accept": "a"}) != variant_of(vary, {"accept": "a", "x-b": "None"})
    assert variant_of((), {"accept": "a"}) == ""
    assert vary_of({"vary": "accept, *"}) is None


def stored(**headers: str) -> StoredResponse:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return StoredResponse(
        address="a",
        variant="",
        vary=(),
        url="https://a.example/",
        status=200,
        headers=lines,
        body=b"",
        digest="",
        received_at=NOON,
        initial_age=7.0,
    )


def test_an_age_grows_from_what_it_was_when_the_answer_came():
    kept = stored(cache_control="max-age=60, stale-if-error=30")
    standing = freshness_of(kept, NOON + timedelta(seconds=53))
    assert standing == Freshness(age=60, lifetime=60, stands_in=30)
    assert (standing.fresh, standing.may_stand_in) == (False, True)
    assert freshness_of(kept, NOON - timedelta(seconds=1)) == UNUSABLE


def test_the_time_that_an_answer_took_to_come_counts_as_age():
    came = NOON + timedelta(seconds=4)
    assert initial_age({"age": "3"}, requested_at=NOON, received_at=came) == 7
    assert initial_age({}, requested_at=NOON, received_at=came) == 4
    assert initial_age({}, requested_at=came, received_at=NOON) == 0


def test_a_kept_answer_tells_when_it_came_in_a_time_zone():
    kept = stored()
    with pytest.raises(ValueError, match="aware"):
        type(kept)(
            **{name: getattr(kept, name) for name in kept.__slots__} | {"received_at": NOON.replace(tzinfo=None)}
        )
