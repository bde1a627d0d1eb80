"""One robots.txt for all who ask, how long it is believed, and what is done where it cannot be read."""

import asyncio
from datetime import timedelta

import pytest

from data_source_orchestrator import FetchError, ManualClock, NotAskedError
from data_source_orchestrator.core.verdicts import SkipReason
from data_source_orchestrator.web.robots import MOST_ORIGINS, Robots
from data_source_orchestrator.web.robots_copy import copy_of

SITE = "https://a.example"
FORBID = "User-agent: *\nDisallow: /no\nCrawl-delay: 4"
DOWN = FetchError("server", "it answered 503", retry_after=9)


class Site:
    """Gives the next of its answers each time that its file is read, the last one for ever."""

    def __init__(self, *answers: str | Exception | None) -> None:
        self.answers = answers
        self.read = 0

    async def __call__(self, _origin: str) -> str | None:
        self.read += 1
        await asyncio.sleep(1)
        answer = self.answers[min(self.read, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def now() -> ManualClock:
    return ManualClock()


def hours(clock: ManualClock, count: float) -> None:
    clock.advance(timedelta(hours=count).total_seconds())


async def test_a_page_that_the_file_forbids_is_not_asked_for_and_others_are_with_its_delay(now: ManualClock):
    robots, site = Robots("price-bot", now), Site(FORBID)
    assert await robots.admit(f"{SITE}/yes", site) == 4
    with pytest.raises(NotAskedError, match=r"a\.example/robots\.txt does not allow price-bot to ask for") as caught:
        await robots.admit(f"{SITE}/no/1", site)
    assert (caught.value.reason, site.read) == (SkipReason.ROBOTS, 1)


async def test_without_a_file_everything_may_be_asked_for(now: ManualClock):
    robots, site = Robots("price-bot", now), Site(None)
    assert await robots.admit(f"{SITE}/no", site) is None
    assert await robots.admit(f"{SITE}/no", site) is None
    assert site.read == 1


async def test_however_many_ask_at_once_the_file_is_read_once(now: ManualClock):
    robots, site = Robots("price-bot", now), Site(FORBID)
    assert await asyncio.gather(*(robots.admit(f"{SITE}/{page}", site) for page in range(50))) == [4.0] * 50
    assert site.read == 1


async def test_however_many_ask_at_once_a_file_that_cannot_be_read_is_asked_for_once(now: ManualClock):
    robots, site = Robots("price-bot", now), Site(DOWN, FORBID)
    ended = await asyncio.gather(*(robots.admit(f"{SITE}/{n}", site) for n in range(50)), return_exceptions=True)
    errors = [error for error in ended if isinstance(error, FetchError)]
    assert len(errors) == 50
    assert {(error.kind, error.retry_after) for error in errors} == {("server", 9)}
    assert site.read == 1
    assert await robots.admit(f"{SITE}/yes", site) == 4, "who comes later asks anew"


async def test_whoever_reads_for_all_may_be_cancelled_and_the_next_one_reads(now: ManualClock):
    robots, site = Robots("price-bot", now), Site(FORBID)
    first, second = (asyncio.create_task(robots.admit(f"{SITE}/{name}", site)) for name in "ab")
    await asyncio.sleep(0.5)
    first.cancel()
    assert await second == 4
    assert first.cancelled()
    assert site.read == 2


async def test_a_copy_is_believed_for_half_a_day_and_then_read_anew(now: ManualClock):
    robots, site = Robots("price-bot", now), Site(FORBID, "")
    await robots.admit(SITE, site)
    hours(now, 11.9)
    await robots.admit(SITE, site)
    assert site.read == 1
    hours(now, 0.2)
    assert await robots.admit(f"{SITE}/no", site) is None
    assert site.read == 2


async def test_where_the_file_cannot_be_read_anew_a_copy_of_the_last_day_holds_and_no_older_one(now: ManualClock):
    robots, site = Robots("price-bot", now), Site(FORBID, DOWN)
    await robots.admit(SITE, site)
    hours(now, 23.9)
    assert await robots.admit(f"{SITE}/yes", site) == 4
    with pytest.raises(NotAskedError):
        await robots.admit(f"{SITE}/no", site)
    hours(now, 0.2)
    with pytest.raises(FetchError, match=r"no page is asked for while robots\.txt cannot be read: it answered 503"):
        await robots.admit(f"{SITE}/yes", site)


async def test_a_copy_from_the_future_is_not_believed(now: ManualClock):
    ahead = ManualClock()
    hours(ahead, 48)
    other, robots = Robots("price-bot", ahead), Robots("price-bot", now)
    await other.admit(SITE, Site(FORBID))
    robots.take_over(other.documents)
    site = Site("")
    assert await robots.admit(f"{SITE}/no", site) is None
    assert site.read == 1


async def test_the_next_process_takes_over_what_was_read_last_and_since_when_it_has_been_so(now: ManualClock):
    first, second = Robots("price-bot", now), Robots("price-bot", now)
    await first.admit(SITE, Site(FORBID))
    began = now.now()
    hours(now, 13)
    await first.admit(SITE, Site(FORBID))
    second.take_over(first.documents)
    nobody = Site(AssertionError("asked"))
    assert await second.admit(f"{SITE}/yes", nobody) == 4
    copy = copy_of(second.documents[SITE])
    assert copy is not None
    assert (copy.since, copy.read_at) == (began, now.now())
    second.take_over({SITE: {"schema": "dso.robots/1", "read_at": "yesterday"}, "https://b.example": None})
    assert list(second.copies) == [SITE]


async def test_this_machine_is_not_remembered(now: ManualClock):
    robots = Robots("price-bot", now)
    await robots.admit("http://127.0.0.1:8080/x", Site(None))
    assert robots.copies
    assert robots.documents == {}


async def test_no_more_origins_are_held_than_fit_into_memory(now: ManualClock):
    robots = Robots("price-bot", now)
    for number in range(MOST_ORIGINS + 5):
        await robots.admit(f"https://a{number}.example", Site(None))
        now.advance(1)
    assert len(robots.copies) == MOST_ORIGINS
    assert "https://a4.example" not in robots.copies
