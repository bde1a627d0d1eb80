"""Those who hear of a run: whatever they do, it goes on, and it is known who they are and how they fare."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from data_source_orchestrator import ConfigurationError, DataSourceOrchestrator, SourceCoordinator
from data_source_orchestrator.core.events import AttemptStarted, Event, RunFinished, RunStarted
from data_source_orchestrator.testing import After, Recorder, VirtualClock, scripted


def house(*, clock: VirtualClock) -> DataSourceOrchestrator:
    sources = [scripted(key, After(10, key)) for key in ("a", "b", "c")]
    return DataSourceOrchestrator(SourceCoordinator(sources, clock=clock))


class Hanging:
    """Never returns until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, _event: Event) -> None:
        self.begun.set()
        self.let_go.wait()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    listener = Hanging()
    yield listener
    listener.let_go.set()


async def test_a_listener_that_hangs_holds_up_no_run_and_is_named_and_counted(clock: VirtualClock, hanging: Hanging):
    orchestrator = house(clock=clock)
    heard: list[Event] = []
    hub = orchestrator.coordinator.hub
    hub.listen(hanging)
    hub.listen(heard.append)
    result = await orchestrator.fetch()
    assert (dict(result), result.metadata.total_duration) == ({"a": "a", "b": "b", "c": "c"}, 10)
    one, other = hub.listeners
    assert (one.name, one.errors) == ("Hanging", 0)
    assert one.waiting > 5
    assert not await hub.heard_out(0.01)
    hanging.let_go.set()
    assert await hub.heard_out(20)
    assert (other.name, other.errors) == ("list.append", 0)
    assert (heard[0].type, heard[-1].type) == ("run_started", "run_finished")


async def test_a_listener_that_raises_costs_a_run_nothing_and_is_named_and_counted(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
):
    orchestrator = house(clock=clock)
    hub = orchestrator.coordinator.hub

    def odd(_event: Event) -> None:
        raise ValueError("odd")

    hub.listen(odd, AttemptStarted)
    assert (await orchestrator.fetch()).metadata.success_count == 3
    assert await hub.heard_out(20)
    [told] = hub.listeners
    assert (told.name.rpartition(".")[2], told.errors, told.dropped, told.waiting) == ("odd", 3, 0, 0)
    assert len(caplog.records) == 1
    assert "odd, raised on attempt_started" in caplog.text


async def test_whoever_follows_is_called_at_once_and_named_where_it_raises(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
):
    orchestrator, recorder = house(clock=clock), Recorder()
    hub = orchestrator.coordinator.hub

    def odd(_event: Event) -> None:
        assert threading.current_thread() is threading.main_thread()
        raise asyncio.CancelledError

    hub.follow(odd, RunFinished)
    with recorder.listening(hub):
        await orchestrator.fetch()
    assert recorder.last(RunFinished).success_count == 3
    assert hub.listeners == ()
    assert "odd raised on run_finished" in caplog.text


async def test_only_the_wanted_kinds_are_heard_and_none_after_leaving(clock: VirtualClock):
    class Ears:
        def __init__(self) -> None:
            self.heard: list[str] = []

        def hear(self, event: Event) -> None:
            self.heard.append(event.type)

    orchestrator, ears = house(clock=clock), Ears()
    hub = orchestrator.coordinator.hub
    hub.listen(ears.hear, RunStarted, RunFinished)
    assert hub.hears(RunStarted)
    assert not hub.hears(AttemptStarted)
    await orchestrator.fetch()
    assert await hub.heard_out(20)
    hub.leave(ears.hear)
    assert not hub.hears(RunStarted)
    await orchestrator.fetch()
    await asyncio.sleep(0)
    assert hub.listeners == ()
    hub.listen(ears.hear, RunStarted)
    assert await hub.heard_out(20)
    assert ears.heard == ["run_started", "run_finished"]


async def test_an_async_listener_is_refused_when_it_comes(clock: VirtualClock):
    async def hear(_event: Event) -> None: ...

    hub = house(clock=clock).coordinator.hub
    with pytest.raises(ConfigurationError, match="hear is an async function"):
        hub.listen(hear)  # type: ignore[arg-type]  # the wrong type is the subject
    assert not hub.hears(RunStarted)
