import asyncio
from datetime import UTC, datetime

import pytest

from data_source_orchestrator.core.events import LoopBlocked, SourceForgotten, SourceRegistered
from data_source_orchestrator.fanout.hub import Hub
from data_source_orchestrator.testing import DeadWaitError, Recorder, run_virtual

AT = datetime(2026, 1, 1, tzinfo=UTC)


def registered(key: str) -> SourceRegistered:
    return SourceRegistered(at=AT, source=key)


def test_a_recorder_gives_what_it_heard_by_type_in_order():
    hub, heard = Hub(), Recorder()
    with heard.listening(hub):
        for event in (registered("a"), SourceForgotten(at=AT, source="a"), registered("b")):
            hub.emit(event)
    hub.emit(registered("after"))
    assert [event.source for event in heard.of(SourceRegistered)] == ["a", "b"]
    assert heard.last(SourceRegistered).source == "b"
    assert len(heard.events) == 3
    heard.forget()
    assert heard.events == []


def test_a_type_that_was_not_heard_is_told_with_what_was():
    heard = Recorder()
    heard(registered("a"))
    with pytest.raises(LookupError, match="no LoopBlocked was heard, but source_registered"):
        heard.last(LoopBlocked)


async def test_the_next_event_of_a_type_can_be_awaited():
    heard = Recorder()
    heard(registered("before"))
    loop = asyncio.get_running_loop()
    loop.call_later(5, heard, SourceForgotten(at=AT, source="x"))
    loop.call_later(10, heard, registered("a"))
    loop.call_later(20, heard, registered("b"))
    found = await asyncio.gather(
        heard.next(SourceRegistered), heard.next(SourceRegistered, lambda event: event.source == "b")
    )
    assert [event.source for event in found] == ["a", "b"]
    assert loop.time() == pytest.approx(20)


async def test_whoever_is_cancelled_while_waiting_leaves_nothing_behind():
    heard = Recorder()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await heard.next(LoopBlocked)
    heard(LoopBlocked(at=AT, source="a", seconds=1))
    assert heard._awaited == []


def test_an_event_that_can_never_come_is_a_dead_wait():
    async def wait() -> None:
        await Recorder().next(LoopBlocked)

    with pytest.raises(DeadWaitError, match=r"recorder\.py:\d+ in Recorder\.next"):
        run_virtual(wait())
