"""The HTTP cache against a small model of RFC 9111 under a clock set by hand, with whatever headers there may be."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.ports import StoredResponse
from data_source_orchestrator.web import HttpPolicy, Response
from data_source_orchestrator.web.caching.directives import parse_directives
from data_source_orchestrator.web.caching.freshness import freshness_of, initial_age
from data_source_orchestrator.web.caching.loop import HttpCache
from data_source_orchestrator.web.caching.memory import MemoryResponses
from data_source_orchestrator.web.caching.shelf import Shelf
from data_source_orchestrator.web.get import Get

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
URL = "https://a.example/rows"
SECONDS = st.integers(0, 200)
MAYBE = st.none() | SECONDS


def date(seconds: int) -> str:
    return format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)


@given(came=SECONDS, took=SECONDS, told=MAYBE, dated=st.none() | st.integers(-200, 200), later=SECONDS)
def test_an_age_is_what_the_formulas_of_section_4_2_3_give(
    came: int, took: int, told: int | None, dated: int | None, later: int
):
    headers = {} if told is None else {"age": str(told)}
    headers |= {} if dated is None else {"date": date(dated)}
    requested, received, now = came - took, came, came + later
    apparent_age = max(0, received - (received if dated is None else dated))
    corrected_age_value = (told or 0) + (received - requested)
    current_age = max(apparent_age, corrected_age_value) + (now - received)

    at = {
        name: NOON + timedelta(seconds=each) for name, each in (("requested_at", requested), ("received_at", received))
    }
    kept = stored(headers, received_at=at["received_at"], initial_age=initial_age(headers, **at))
    assert freshness_of(kept, NOON + timedelta(seconds=now)).age == current_age


@given(
    s_maxage=MAYBE,
    max_age=MAYBE,
    expires=st.none() | st.just("never") | st.integers(-200, 200),
    modified=st.none() | st.integers(-3_000, 200),
    dated=st.integers(-200, 0),
)
def test_a_lifetime_is_the_first_that_section_4_2_1_names(
    s_maxage: int | None, max_age: int | None, expires: int | str | None, modified: int | None, dated: int
):
    told = {"s-maxage": s_maxage, "max-age": max_age}
    directives = ", ".join(f"{name}={value}" for name, value in told.items() if value is not None)
    headers = {"date": date(dated), **({"cache-control": directives} if directives else {})}
    if expires is not None:
        headers["expires"] = date(expires) if isinstance(expires, int) else expires
    if modified is not None:
        headers["last-modified"] = date(modified)

    if s_maxage is not None:
        lifetime: float = s_maxage
    elif max_age is not None:
        lifetime = max_age
    elif expires is not None:
        lifetime = max(0, expires - dated) if isinstance(expires, int) else 0
    else:
        lifetime = 0.1 * max(0, dated - modified) if modified is not None else 0
    standing = freshness_of(stored(headers), NOON)
    assert standing.lifetime == lifetime
    assert standing.fresh is (standing.age < lifetime)


@given(st.text(max_size=60))
def test_no_cache_control_field_breaks_its_reader(text: str):
    assert parse_directives(text).stale_if_error >= 0


def stored(headers: Mapping[str, str], *, received_at: datetime = NOON, initial_age: float = 0) -> StoredResponse:
    return StoredResponse(
        address="",
        variant="",
        vary=(),
        url=URL,
        status=200,
        headers=tuple(headers.items()),
        body=b"",
        digest="",
        received_at=received_at,
        initial_age=initial_age,
    )


@dataclass
class Origin:
    """Serves the versions of one document, each for as long as it is told; it may be down."""

    version: int = 0
    max_age: int = 0
    stale_if_error: int = 0
    directive: str = ""
    weak: bool = False
    down: bool = False
    asked: int = 0

    @property
    def etag(self) -> str:
        return f'{"W/" if self.weak else ""}"{self.version}"'

    @property
    def headers(self) -> dict[str, str]:
        directives = f"max-age={self.max_age}, stale-if-error={self.stale_if_error}, {self.directive}"
        return {"Cache-Control": directives, "ETag": self.etag}

    async def send(self, conditions: Mapping[str, str]) -> Response:
        self.asked += 1
        if self.down:
            raise FetchError("server", "it is down")
        held = conditions.get("if-none-match") == self.etag
        body = b"" if held else str(self.version).encode()
        return Response(url=URL, status=304 if held else 200, headers=CIMultiDict(self.headers), body=body)


@dataclass
class Model:
    """What a cache holds of the one document, as RFC 9111 sees it."""

    held: dict[str, Any] = field(default_factory=dict)

    def expected(self, origin: Origin, now: float, *, confirmed: bool) -> tuple[str, int | None]:
        """Return how a request is answered and with which version; and hold what follows from it."""
        held = self.held
        age = now - held["since"] if held else 0.0
        if held and not confirmed and age < held["lifetime"]:
            return "kept", held["version"]
        if origin.down:
            stands = held and not confirmed and age < held["lifetime"] + held["stands_in"]
            return ("instead", held["version"]) if stands else ("failed", None)
        same = bool(held) and held["etag"] == origin.etag
        self.held = self._hold(origin, now)
        return "confirmed" if same else "anew", origin.version

    def _hold(self, origin: Origin, now: float) -> dict[str, Any]:
        if origin.directive in {"no-store", "private"}:
            return {}
        careful = origin.directive in {"no-cache", "must-revalidate"}
        return {
            "version": origin.version,
            "etag": origin.etag,
            "since": now,
            "lifetime": 0 if origin.directive == "no-cache" else origin.max_age,
            "stands_in": 0 if careful else origin.stale_if_error,
        }


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 40)),
        st.tuples(st.just("ask"), st.booleans()),
        st.tuples(st.just("ask"), st.booleans()),
        st.tuples(
            st.just("serve"),
            st.fixed_dictionaries(
                {},
                optional={
                    "version": st.integers(0, 2),
                    "max_age": st.sampled_from([0, 10, 30]),
                    "stale_if_error": st.sampled_from([0, 20]),
                    "directive": st.sampled_from(["", "no-cache", "no-store", "private", "must-revalidate", "public"]),
                    "weak": st.booleans(),
                    "down": st.booleans(),
                },
            ),
        ),
    ),
    max_size=30,
)


@given(STEPS)
def test_every_history_of_one_document_goes_as_the_model_says(steps: list[tuple[str, Any]]):
    asyncio.run(play(steps))


async def play(steps: list[tuple[str, Any]]) -> None:
    clock, origin, model = ManualClock(), Origin(), Model()
    policy = HttpPolicy(cache=True)
    cache = HttpCache(Shelf(MemoryResponses(max_bytes=10**6), clock=clock), clock=clock, policy=policy)
    for step, what in steps:
        match step:
            case "wait":
                clock.advance(what)
            case "serve":
                for name, value in what.items():
                    setattr(origin, name, value)
            case _:
                expected = model.expected(origin, clock.monotonic(), confirmed=what)
                assert await observed(cache, origin, confirmed=what) == expected


async def observed(cache: HttpCache, origin: Origin, *, confirmed: bool) -> tuple[str, int | None]:
    before = origin.asked
    try:
        response = await cache.get(Get(URL), origin.send, confirmed=confirmed)
    except FetchError:
        return "failed", None
    if not response.from_cache:
        how = "anew"
    elif response.revalidated:
        how = "confirmed"
    else:
        how = "kept" if response.instead_of is None else "instead"
    assert (origin.asked > before) is (how != "kept")
    return how, int(response.body)


ODD = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)
NAMES = st.sampled_from(
    ["Cache-Control", "Expires", "Date", "Age", "Vary", "ETag", "Last-Modified", "Warning", "X-Odd", "Content-Type"]
)
SAID = st.lists(
    st.tuples(
        NAMES,
        ODD | st.sampled_from(["max-age=9", "no-cache=,", 'private="', "*", "W/", '"1"', "0", "Thu, 99 Xyz 99999"]),
    ),
    max_size=8,
)


@given(first=SAID, second=SAID, status=st.sampled_from([200, 204, 206, 304]), asking=SAID)
def test_no_headers_of_an_upstream_or_of_a_caller_break_the_cache(
    first: list[tuple[str, str]], second: list[tuple[str, str]], status: int, asking: list[tuple[str, str]]
):
    said = [(200, first), (status, second), (200, second), (200, first)]

    async def send(conditions: Mapping[str, str]) -> Response:
        code, headers = said[0] if len(said) == 1 else said.pop(0)
        code = 200 if code == 304 and not conditions else code
        return Response(url=URL, status=code, headers=CIMultiDict(headers), body=b"" if code == 304 else b"body")

    async def ask() -> None:
        clock = ManualClock()
        shelf = Shelf(MemoryResponses(max_bytes=10**6), clock=clock)
        cache = HttpCache(shelf, clock=clock, policy=HttpPolicy(cache=True))
        for _ in range(3):
            assert (await cache.get(Get(URL, headers=dict(asking)), send, confirmed=False)).body == b"body"
            clock.advance(5)

    asyncio.run(ask())
