"""How the three sources ask: where, at once, and what a failing part costs."""

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import pytest

from cod_sources import codarmory as codarmory_source
from cod_sources import plugin
from cod_sources.codmunity import PAGE
from data_source_orchestrator.core.context import FetchContext, HttpResponse, Show
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.testing import VirtualClock
from data_source_orchestrator.web import Response

RANKING = "/website/pages/meta-loadouts-ranking"
HOMES = {
    "CODARMORY_BASE_URL": "http://127.0.0.1:1/",
    "WZSTATS_BASE_URL": "http://127.0.0.1:2/mirror",
    "CODMUNITY_BASE_URL": "http://127.0.0.1:3",
}

Part = Callable[[], Awaitable[str]]


@dataclass
class Upstream:
    """Answers each path by a coroutine, and remembers what was asked and how much of it at once."""

    parts: dict[str, Part]
    asked: list[str] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0
    forgotten: list[str] = field(default_factory=list)

    async def get(
        self, url: str, *, params: Any = None, headers: Any = None, max_body: Any = None, page: Any = None
    ) -> Response:
        assert params is headers is None
        assert max_body, "a shipped source says how much it may be sent"
        assert bool(page) is (urlsplit(url).path == PAGE), "a shipped source says what is a page"
        self.asked.append(url)
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        try:
            body = await self.parts[urlsplit(url).path]()
        finally:
            self.busy -= 1
        return Response(url=url, status=200, headers={}, body=body.encode())

    async def get_json(self, url: str, *, params: Any = None, headers: Any = None, max_body: Any = None) -> Any:
        raise NotImplementedError

    async def get_text(
        self, url: str, *, params: Any = None, headers: Any = None, max_body: Any = None, page: Any = None
    ) -> str:
        raise NotImplementedError

    async def forget(self, answer: HttpResponse) -> None:
        self.forgotten.append(urlsplit(answer.url).path)

    async def check(self, url: str, *, page: Any = None) -> None:
        assert bool(page) is (urlsplit(url).path == PAGE)
        self.asked.append(url)


def gives(value: object, after: float = 0) -> Part:
    async def part() -> str:
        await asyncio.sleep(after)
        return value if isinstance(value, str) else json.dumps(value)

    return part


def fails(error: Exception, after: float = 0) -> Part:
    async def part() -> str:
        await asyncio.sleep(after)
        raise error

    return part


async def hangs() -> str:
    await asyncio.get_running_loop().create_future()
    return ""


def card(name: str, game: str, **given: Any) -> dict[str, Any]:
    about = {"appGame": game, "meta": "r", "collec": "c", "weaponGame": "bo7", "popularity": 4.5}
    return {"WeaponName": name, **about, **given}


def ranking(game: str, *cards: dict[str, Any]) -> dict[str, Any]:
    return {"metas": [{"name": "r", "game": game, "collection": "c"}], "sections": [{"name": "meta", "cards": cards}]}


def codmunity(**parts: Part) -> Upstream:
    page = {
        "weapons": [{"name": "K-7", "appGame": "bo7"}],
        "weaponStats": [{"gun": "K-7", "appGame": "bo7", "rpm": 750}],
    }
    return Upstream(
        {
            "/weapon-stats/warzone": parts.get("page", gives(page)),
            f"{RANKING}/warzoneranked": parts.get("warzone", gives(ranking("warzone-2", card("K-7", "warzone-2")))),
            f"{RANKING}/mpranked": parts.get("multiplayer", gives(ranking("bo7", card("K-7", "bo7")))),
        }
    )


def codarmory(**parts: Part) -> Upstream:
    rows: dict[str, Any] = {
        "weapons": [{"id": "k7", "game_id": "mw2", "category_id": "smgs", "name": "K-7"}],
        "attachments": [{"id": "a", "game_id": "mw2", "category_id": "optics", "name": "Dot"}],
    }
    names = ("weapons", "attachments", "categories", "platforms", "attachment-categories", "attachment-stats")
    rest = [{"id": "smgs", "name": "SMGs"}]
    return Upstream(
        {f"/src/database/{name}.json": parts.get(name, gives(rows.get(name, rest), after=1)) for name in names}
    )


ODD_WEAPONS = [{"id": "k7", "game_id": "mw2", "category_id": "swords", "name": "K-7"}]
WZSTATS = Upstream(
    {
        "/mirror/wz2/weapons/meta/weapons-and-tier-lists/": gives(
            {"weapons": [{"id": "k7", "name": "K-7", "game": "mw3"}], "wzStatsTierList": {"mw3": {"A": ["k7", "k8"]}}}
        )
    }
)


def source(key: str, **env: str) -> Source[Any]:
    return next(one for one in plugin.sources({**HOMES, **env}) if one.key == key)


def context(http: Upstream, warnings: list[str]) -> FetchContext:
    clock = VirtualClock()
    log = logging.getLogger("test")
    return FetchContext(
        http=http,
        deadline=Deadline.after(clock, 10),
        attempt=1,
        clock=clock,
        log=log,
        warn=lambda message: warnings.append(message),  # noqa: PLW0108 — `append` does not call its argument a message
    )


async def fetched(key: str, http: Upstream, **env: str) -> tuple[Any, list[str]]:
    warnings: list[str] = []
    payload = await source(key, **env).fetcher(context(http, warnings))
    assert http.busy == 0
    return payload, warnings


async def test_codarmorys_six_files_are_asked_for_at_once(clock: VirtualClock):
    """B01: the fetch lasts as long as its slowest file."""
    http = codarmory()
    await fetched("codarmory", http)
    assert http.busiest == 6
    assert clock.monotonic() == pytest.approx(1)
    assert min(http.asked) == "http://127.0.0.1:1/src/database/attachment-categories.json"


async def test_the_first_file_that_fails_fails_the_fetch_itself_and_cancels_the_others(clock: VirtualClock):
    error = FetchError("rate_limited", "429", retry_after=60)
    http = codarmory(platforms=fails(error, after=0.5), weapons=hangs)
    with pytest.raises(FetchError) as caught:
        await fetched("codarmory", http)
    assert caught.value is error
    assert http.busy == 0
    assert clock.monotonic() == pytest.approx(0.5)


async def test_the_page_and_both_rankings_are_asked_for_at_once_where_the_variables_say():
    http = codmunity()
    payload, warnings = await fetched("codmunity", http)
    assert set(http.asked) == {
        "http://127.0.0.1:3/weapon-stats/warzone",
        f"http://127.0.0.1:3{RANKING}/warzoneranked",
        f"http://127.0.0.1:3{RANKING}/mpranked",
    }
    assert http.busiest == 3
    fields = payload.records[0].fields
    assert (fields["popularity.warzoneranked"], fields["popularity.mpranked"]) == (4.5, 4.5)
    assert warnings == []


async def test_a_ranking_that_cannot_be_read_is_not_confirmed_for_ever():
    http = codmunity(warzone=gives("<html>Moved</html>"))
    await fetched("codmunity", http)
    assert http.forgotten == [f"{RANKING}/warzoneranked"]


async def test_the_api_goes_where_its_own_variable_says():
    http = codmunity()
    http.parts |= {f"/x{path}": part for path, part in http.parts.items()}
    await fetched("codmunity", http, CODMUNITY_API_BASE_URL="https://api.example/x/")
    assert {urlsplit(url).path for url in http.asked if "api.example" in url} == {
        f"/x{RANKING}/warzoneranked",
        f"/x{RANKING}/mpranked",
    }
    assert {urlsplit(url).netloc for url in http.asked} == {"127.0.0.1:3", "api.example"}


async def test_without_variables_the_real_upstreams_are_asked():
    asked: list[str] = []
    for key, http in (("codarmory", codarmory()), ("codmunity", codmunity())):
        real = next(one for one in plugin.sources({}) if one.key == key)
        # A mirror under a path of its own: the fake knows the paths below it.
        http.parts |= {f"/tzurbaev/codarmory.com/main{path}": part for path, part in http.parts.items()}
        await real.fetcher(context(http, []))
        asked += http.asked
    assert {urlsplit(url).netloc for url in asked} == {"raw.githubusercontent.com", "codmunity.gg", "api.codmunity.gg"}


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (fails(FetchError("server", "503 from upstream")), "503 from upstream"),
        (fails(ConnectionResetError()), "ConnectionResetError"),
        (gives("<html>Moved</html>"), "sent HTML"),
        (gives(ranking("bf6", card("K-7", "bf6"))), "bf6"),
        (gives(ranking("warzone-2", card("K-7", "bo7"))), "does not announce"),
        (gives({"sections": []}), "metas"),
        (hangs, "did not come within 5 s"),
    ],
)
async def test_a_ranking_that_fails_costs_popularity_and_a_warning_and_never_the_source(part: Part, why: str):
    payload, warnings = await fetched("codmunity", codmunity(warzone=part))
    (record,) = payload.records
    assert record.fields["ballistics.rpm"] == 750
    assert "popularity.warzoneranked" not in record.fields
    assert record.fields["popularity.mpranked"] == 4.5
    assert list(payload.rankings) == ["mpranked"]
    (told,) = warnings
    assert why in told
    assert "popularity.warzoneranked" in told


async def test_two_hanging_rankings_leave_the_attempt_time_for_the_page(clock: VirtualClock):
    payload, warnings = await fetched("codmunity", codmunity(warzone=hangs, multiplayer=hangs))
    assert clock.monotonic() == pytest.approx(5)
    assert len(warnings) == 2
    assert payload.rankings == {}


async def test_a_page_that_fails_fails_the_source_at_once_and_cancels_the_rankings(clock: VirtualClock):
    error = FetchError("server", "502")
    http = codmunity(page=fails(error, after=0.2), warzone=hangs)
    with pytest.raises(FetchError) as caught:
        await fetched("codmunity", http)
    assert caught.value is error
    assert http.busy == 0
    assert clock.monotonic() == pytest.approx(0.2)


@pytest.mark.parametrize("key", ["codarmory", "codmunity"])
async def test_cancellation_passes_and_leaves_nothing_behind(key: str):
    http = codarmory(weapons=hangs) if key == "codarmory" else codmunity(page=hangs, warzone=hangs)
    fetching = asyncio.ensure_future(fetched(key, http))
    await asyncio.sleep(0.1)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert http.busy == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("key", ["codarmory", "wzstats", "codmunity"])
async def test_a_probe_asks_one_address_and_reads_nothing(key: str):
    http = Upstream({})
    probe: Any = source(key).probe
    await probe(context(http, []))
    assert len(http.asked) == 1
    assert http.asked[0].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("key", ["codarmory", "wzstats", "codmunity"])
async def test_what_came_is_read_in_a_thread_and_told_of_on_the_event_loop(key: str):
    """However long an answer takes to read, limits, Ctrl-C and the other sources are not kept waiting."""
    read_in: set[str] = set()
    told_in: set[str] = set()

    def watch(frame: FrameType, _event: str, _about: object) -> None:
        if frame.f_code.co_name == "records_of":
            read_in.add(threading.current_thread().name)

    http = {
        "codarmory": codarmory(weapons=gives(ODD_WEAPONS)),
        "wzstats": WZSTATS,
        "codmunity": codmunity(warzone=hangs),
    }
    ctx = context(http[key], [])
    threading.setprofile(watch)  # of threads that start from now on
    try:
        await source(key).fetcher(replace(ctx, warn=lambda _: told_in.add(threading.current_thread().name)))
    finally:
        threading.setprofile(None)
    assert read_in == {f"dso-fetcher-{key}"}
    assert told_in == {threading.current_thread().name}


SHOWN = {
    "codarmory": {f"{name}.json" for name in codarmory_source.FILES},
    "wzstats": {"weapons-and-tier-lists"},
    "codmunity": {"stats-comparator", "ranking warzoneranked", "ranking mpranked"},
}


@pytest.mark.parametrize("key", SHOWN)
async def test_each_source_shows_all_documents_that_it_was_served(key: str):
    shown: dict[str, object] = {}
    http = {"codarmory": codarmory, "wzstats": lambda: WZSTATS, "codmunity": codmunity}[key]()
    await source(key).fetcher(replace(context(http, []), show=noting(shown)))
    assert set(shown) == SHOWN[key]
    assert all(isinstance(document, dict | list) for document in shown.values())


async def test_what_cannot_be_read_is_shown_all_the_same():
    shown: dict[str, object] = {}
    http = codarmory(weapons=gives([{"title": "K-7"}]))
    with pytest.raises(FetchError, match="it has no"):
        await source("codarmory").fetcher(replace(context(http, []), show=noting(shown)))
    assert shown["weapons.json"] == [{"title": "K-7"}]


def noting(shown: dict[str, object]) -> Show:
    def show(name: str, document: object, /, *, body: bytes | None = None) -> None:  # noqa: ARG001 — nobody looks twice
        shown[name] = document

    return show
