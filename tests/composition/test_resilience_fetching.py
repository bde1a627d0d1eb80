"""What may be a fetcher, how it is called, and what of its answer is data."""

import asyncio
import contextvars
import functools
import math
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import pytest
from test_resilience_rig import Rig, failure, lasting, success

from data_source_orchestrator.core.claim import Record
from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.core.context import FetchContext
from data_source_orchestrator.core.contract import Contract
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.events import LoopBlocked
from data_source_orchestrator.testing import VirtualTimeLoop

COLOUR: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


async def no_argument() -> str:
    return "data"


async def with_context(ctx: FetchContext) -> str:
    return f"attempt {ctx.attempt}"


async def with_optional_context(ctx: FetchContext | None = None) -> str:
    return "none" if ctx is None else f"attempt {ctx.attempt}"


async def with_option(limit: int = 10) -> str:
    return f"limit {limit}"


def plain() -> str:
    return threading.current_thread().name


def plain_with_context(ctx: FetchContext) -> str:
    return f"attempt {ctx.attempt} in {threading.current_thread().name}"


def returning_awaitable() -> Any:
    return no_argument()


class Callable1:
    async def __call__(self, ctx: FetchContext) -> str:
        return f"attempt {ctx.attempt}"


class Methods:
    async def fetch(self, ctx: FetchContext) -> str:
        return f"attempt {ctx.attempt}"


@functools.wraps(with_context)
async def wrapped(*args: Any) -> str:
    return await with_context(*args)


@pytest.mark.parametrize(
    ("fetcher", "data"),
    [
        (no_argument, "data"),
        (with_context, "attempt 1"),
        (with_optional_context, "attempt 1"),
        (with_option, "limit 10"),
        (functools.partial(with_option, 7), "limit 7"),
        (functools.partial(with_context), "attempt 1"),
        (Callable1(), "attempt 1"),
        (Methods().fetch, "attempt 1"),
        (wrapped, "attempt 1"),
        (plain, "dso-fetcher-prices"),
        (plain_with_context, "attempt 1 in dso-fetcher-prices"),
        (returning_awaitable, "data"),
        (dict, {}),
    ],
)
async def test_a_fetcher_takes_nothing_or_the_context_and_may_be_plain(fetcher: Callable[..., Any], data: object):
    assert success(await Rig().execute(fetcher)).data == data


async def test_a_fetcher_that_wants_more_arguments_is_a_bug():
    async def greedy(ctx: FetchContext, more: str) -> str:
        return f"{ctx.attempt} {more}"

    assert failure(await Rig().execute(greedy)).kind == "bug"


async def test_what_a_plain_function_raises_is_classified_like_anything_else():
    def refused() -> str:
        raise ConnectionRefusedError

    outcome = failure(await Rig().execute(refused, retries=1))
    assert (outcome.kind, outcome.attempts) == ("connection", 2)


async def test_a_plain_function_that_raises_stop_iteration_is_a_failure_like_any_other():
    def empty() -> str:
        return next(iter([]))

    assert failure(await Rig().execute(empty, retries=0)).kind == "unknown"


async def test_a_context_that_cannot_be_made_is_a_failure_of_this_source_only():
    rig = Rig()

    def broken(*_: object) -> Any:
        return 1 / 0

    rig.context = broken  # type: ignore[assignment,method-assign]  # the executor's part is what is broken here
    assert failure(await rig.execute(with_context)).kind == "bug"


async def test_none_is_empty_and_other_falsy_values_are_data_a09_d22():
    rig = Rig()
    executed = await rig.execute(rig.script(None))
    outcome = failure(executed)
    assert (outcome.kind, outcome.attempts, executed.verdict) == ("empty", 1, "failure")
    assert outcome.message.startswith("the fetcher returned None")
    falsy: list[object] = [0, "", False, [], {}]
    for value in falsy:
        assert success(await rig.execute(rig.script(value))).data == value


async def test_too_few_rows_break_the_contract_and_are_not_retried_a09():
    rig = Rig()
    outcome = failure(await rig.execute(rig.script([1, 2]), contract=Contract(minimum_rows=3)))
    assert (outcome.kind, outcome.attempts) == ("content", 1)
    assert "2 rows" in outcome.message


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (Record("milk", {"price": math.nan}), "row 3: price is NaN; give a finite number, or leave the field out"),
        (Record("milk", {"price": Decimal(1)}), "row 3: price is Decimal('1'); give"),  # type: ignore[dict-item]  # the wrong type is the subject
        (Record(7, {"price": 1}), "row 3: its entity is 7; give"),  # type: ignore[arg-type]  # as above
        (Record("milk", {1: 1}), "row 3: it has the name 1; give"),  # type: ignore[dict-item]  # as above
        (Record("milk\ud800", {"price": 1}), "row 3: its entity is 'milk\\ud800'; give"),
    ],
    ids=["NaN", "Decimal", "entity", "name", "surrogate"],
)
async def test_a_record_that_could_not_be_kept_fails_its_own_source_b06_a18(bad: Record, told: str):
    rig = Rig()
    good = Record("bread", {"price": 1, "by_shop": [{"name": "é", "price": 1.5}]})
    assert success(await rig.execute(rig.script([good, "no record", good]))).attempts == 1
    for executed in (await rig.execute(rig.script([good, "no record", bad])), await rig.check(rig.script([1, 2, bad]))):
        outcome = failure(executed)
        assert (outcome.kind, outcome.attempts, executed.verdict) == ("content", 1, "failure")
        assert outcome.message.startswith(told)


async def test_records_are_looked_for_where_the_source_says_they_are_b06():
    rig = Rig()
    payload = {"rows": [Record("milk", {"price": math.inf})]}
    assert success(await rig.execute(rig.script(payload))).attempts == 1
    outcome = failure(await rig.execute(rig.script(payload), records=lambda payload: payload["rows"]))
    assert outcome.message.startswith("row 1: price is inf; give")


async def test_a_setting_that_is_wrong_is_a_bug_and_told_at_once_a18():
    rig = Rig()
    outcome = failure(await rig.execute(rig.script(ConfigurationError("install data-source-orchestrator[http]"))))
    assert (outcome.kind, outcome.attempts) == ("bug", 1)
    assert outcome.message == "install data-source-orchestrator[http]"


async def test_rows_are_counted_where_the_source_says_they_are():
    rig = Rig()
    contract = Contract(minimum_rows=2)
    members: dict[str, Any] = {"contract": contract, "records": lambda payload: payload["rows"]}
    assert success(await rig.execute(rig.script({"rows": [1, 2]}), **members)).attempts == 1
    assert failure(await rig.execute(rig.script({"rows": []}), **members)).kind == "content"


async def test_an_error_while_counting_rows_is_classified_like_a_fetch_error():
    rig = Rig()
    members: dict[str, Any] = {"records": lambda payload: payload["rows"]}
    outcome = failure(await rig.execute(rig.script({"other": []}), **members))
    assert (outcome.kind, type(outcome.error)) == ("content", KeyError)


async def test_context_variables_reach_a_fetcher_and_its_thread():
    rig = Rig()
    COLOUR.set("red")

    async def coloured() -> str:
        return COLOUR.get()

    def coloured_thread() -> str:
        before = COLOUR.get()
        COLOUR.set("green")
        return before

    assert success(await rig.execute(coloured)).data == "red"
    assert success(await rig.execute(coloured_thread)).data == "red"
    assert COLOUR.get() == "red"


async def test_a_fetcher_that_holds_up_the_loop_is_noticed_and_named():
    clock = ManualClock()
    rig = Rig(clock)

    async def busy() -> str:
        clock.advance(0.75)
        await asyncio.sleep(0)
        clock.advance(0.5)
        return "data"

    outcome = success(await rig.execute(busy))
    assert outcome.warnings == ("held up the event loop, and everybody on it, for 0.75 s",)
    blocked = rig.told(LoopBlocked)
    assert [(event.source, event.seconds) for event in blocked] == [("prices", 0.75)]


async def test_many_long_steps_make_one_warning_and_an_event_each():
    clock = ManualClock()
    rig = Rig(clock)

    async def busy() -> None:
        for _ in range(3):
            clock.advance(2)
            await asyncio.sleep(0)

    outcome = failure(await rig.execute(busy))
    assert outcome.warnings == ("held up the event loop, and everybody on it, 3 times, for 6 s",)
    assert len(rig.told(LoopBlocked)) == 3


async def test_a_fetcher_that_holds_up_the_loop_while_it_tidies_up_is_noticed_too():
    rig = Rig()

    async def slow_to_tidy() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            cast("VirtualTimeLoop", asyncio.get_running_loop()).jump(2)

    outcome = failure(await rig.execute(slow_to_tidy, timeout=5, retries=0))
    assert (outcome.kind, len(outcome.warnings)) == ("timeout", 1)


async def test_counting_rows_on_the_loop_is_timed_with_the_fetcher():
    clock = ManualClock()
    rig = Rig(clock)

    def slow_rows(_payload: object) -> list[object]:
        clock.advance(0.6)
        return []

    assert len(success(await rig.execute(rig.script("data"), records=slow_rows)).warnings) == 1


async def test_a_fetcher_that_only_waits_long_holds_up_nobody():
    rig = Rig()
    assert success(await rig.execute(rig.script(lasting(9)))).warnings == ()
    assert rig.told(LoopBlocked) == []


async def test_warnings_of_fetcher_and_thread_reach_the_outcome():
    async def noisy(ctx: FetchContext) -> str:
        ctx.warn("one ranking is missing")
        return "data"

    def noisy_thread(ctx: FetchContext) -> str:
        ctx.warn("from a thread")
        return "data"

    assert success(await Rig().execute(noisy)).warnings == ("one ranking is missing",)
    assert success(await Rig().execute(noisy_thread)).warnings == ("from a thread",)


async def test_whatever_a_fetcher_warns_of_is_kept_as_text_b06():
    async def noisy(ctx: FetchContext) -> str:
        ctx.warn(ValueError("an odd row"))  # type: ignore[arg-type]  # the wrong type is the subject
        return "data"

    assert success(await Rig().execute(noisy)).warnings == ("an odd row",)


@pytest.mark.real_time
async def test_a_plain_function_works_on_an_ordinary_loop_beside_others():
    class RealClock(ManualClock):
        def monotonic(self) -> float:
            return asyncio.get_running_loop().time()

    opened = threading.Event()
    rig = Rig(RealClock())
    waiting = asyncio.ensure_future(rig.execute(opened.wait))
    assert success(await rig.execute(no_argument)).data == "data"
    opened.set()
    assert success(await waiting).data is True
