"""A body that is served again costs no parsing, however it was served."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from data_source_orchestrator.core.context import HttpClient, HttpResponse, Parsed, parse_anew
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.web import Response
from data_source_orchestrator.web.parsed import MOST_RESULTS, ParseMemory

pytestmark = pytest.mark.real_time


@dataclass
class Forgetful:
    """A client that only notes what it is to forget."""

    forgotten: list[HttpResponse] = field(default_factory=list)

    async def forget(self, answer: HttpResponse) -> None:
        self.forgotten.append(answer)


def served(body: bytes, **members: Any) -> Response:
    return Response(**{"url": "https://a.example/", "status": 200, "headers": {}, **members}, body=body)


def of(memory: ParseMemory, source: str = "prices", http: Forgetful | None = None) -> Parsed:
    return memory.of(source, cast("HttpClient", http or Forgetful()))


def once(result: object = "made") -> Callable[[], object]:
    """Return what may be called one time."""
    results = [result]
    return results.pop


def never() -> object:
    raise AssertionError("it was parsed again")


@pytest.mark.parametrize(
    "again", [served(b"1"), served(b"1", status=203, from_cache=True, known_digest=served(b"1").digest)]
)
async def test_the_same_body_is_parsed_once_however_it_is_served(again: Response):
    parsed = of(ParseMemory())
    first = await parsed("rows", [served(b"1")], lambda: ["made"])
    assert first == ["made"]
    assert await parsed("rows", [again], never) is first


@pytest.mark.parametrize(
    "others",
    [
        [served(b"2"), served(b"b")],
        [served(b"b"), served(b"1")],
        [served(b"1")],
        [served(b"1", headers={"content-type": "text/plain; charset=latin-1"}), served(b"b")],
    ],
)
async def test_another_body_another_order_or_another_charset_is_parsed(others: list[Response]):
    parsed = of(ParseMemory())
    await parsed("rows", [served(b"1"), served(b"b")], once())
    assert await parsed("rows", others, once("new")) == "new"


async def test_of_one_thing_only_the_last_is_remembered_and_different_things_do_not_meet():
    memory = ParseMemory()
    parsed = of(memory)
    await parsed("rows", [served(b"1")], once("rows"))
    await parsed("names", [served(b"1")], once("names"))
    assert await of(memory, "stock")("rows", [served(b"1")], once("stock")) == "stock"
    assert [await parsed(what, [served(b"1")], never) for what in ("rows", "names")] == ["rows", "names"]
    await parsed("rows", [served(b"2")], once())
    assert await parsed("rows", [served(b"1")], once("again")) == "again"


async def test_what_was_parsed_while_nobody_looked_at_documents_is_parsed_again_for_who_does():
    memory = ParseMemory()
    unseen, seen = of(memory), memory.of("prices", cast("HttpClient", Forgetful()), shown=True)
    await unseen("rows", [served(b"1")], once())
    assert await seen("rows", [served(b"1")], once("seen")) == "seen"
    assert [await parsed("rows", [served(b"1")], never) for parsed in (seen, unseen)] == ["seen", "seen"]


async def test_a_forgotten_source_is_parsed_again():
    memory = ParseMemory()
    for source in ("prices", "stock"):
        await of(memory, source)("rows", [served(b"1")], once())
    memory.forget("prices")
    assert await of(memory)("rows", [served(b"1")], once("again")) == "again"
    assert await of(memory, "stock")("rows", [served(b"1")], never) == "made"


async def test_what_is_remembered_is_bounded_and_the_least_recently_used_goes_first():
    parsed = of(ParseMemory(max_bytes=30))
    for what in "abc":
        await parsed(what, [served(bytes(10))], once(what))
    await parsed("a", [served(bytes(10))], never)
    await parsed("d", [served(bytes(10))], once())
    assert await parsed("a", [served(bytes(10))], never) == "a"
    assert await parsed("b", [served(bytes(10))], once("again")) == "again"
    await parsed("large", [served(bytes(31))], once())
    assert await parsed("large", [served(bytes(31))], once("again")) == "again"


async def test_names_without_end_fill_no_memory():
    memory = ParseMemory()
    for number in range(MOST_RESULTS + 5):
        memory._remember(("prices", str(number)), memory_of(number))
    assert len(memory._made) == MOST_RESULTS


def memory_of(number: int) -> Any:
    from data_source_orchestrator.web.parsed import _Made  # noqa: PLC0415 — behind the curtain

    return _Made((), 0, number, shown=False)


async def test_where_parsing_fails_the_answers_are_let_go_and_nothing_is_remembered():
    http, answers = Forgetful(), [served(b"1"), served(b"2")]
    parsed = of(ParseMemory(), http=http)

    def fails() -> object:
        raise FetchError("content", "no rows")

    with pytest.raises(FetchError, match="no rows"):
        await parsed("rows", answers, fails)
    assert http.forgotten == answers
    assert await parsed("rows", answers, once()) == "made"


async def test_parsing_holds_up_nobody_and_a_context_by_itself_remembers_nothing():
    names = [
        await parsed("rows", [], lambda: threading.current_thread().name) for parsed in (of(ParseMemory()), parse_anew)
    ]
    assert names == ["dso-fetcher-prices", "dso-fetcher-rows"]
    assert await parse_anew("rows", [served(b"1")], once()) == "made"
    assert await parse_anew("rows", [served(b"1")], once("again")) == "again"
