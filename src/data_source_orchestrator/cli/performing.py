"""What most verbs have in common: settings, a screen, the house built and closed again, an end that signals ask for."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from data_source_orchestrator.assemble import OpenStore, Whole, assemble, store_to_read
from data_source_orchestrator.cli.logs import told_on
from data_source_orchestrator.cli.notices import noticed
from data_source_orchestrator.cli.options import Common
from data_source_orchestrator.cli.running import run
from data_source_orchestrator.cli.screen import Screen, screen_of_process
from data_source_orchestrator.cli.settled import data_folder, sandbox_faults, settled
from data_source_orchestrator.history.store import SqliteStore

Options = TypeVar("Options", bound=Common)

Act = Callable[[Options, Whole, Screen], Awaitable[int]]
"""What a verb does with the house once it stands; returns the exit status."""


def perform(
    options: Options, act: Act[Options], screen: Screen | None = None, *, open_store: OpenStore = SqliteStore.open
) -> int:
    """Build the house, act in it, close it, and return the exit status."""
    screen = screen or screen_of_process(as_json=options.json)
    settings = settled(options)
    faults = sandbox_faults(options)
    folder = data_folder(settings)

    async def work() -> int:
        async with assemble(
            settings, data_dir=folder, sandbox=options.sandbox, faults=faults, open_store=open_store
        ) as whole:
            with noticed(screen, whole.orchestrator.coordinator.hub):
                return await act(options, whole, screen)

    with told_on(screen, folder):
        return run(work())


def look(options: Options, act: Act[Options]) -> int:
    """Do what only reads the store: where nothing can be kept, it tells what is there."""
    return perform(options, act, open_store=store_to_read)


def tell_unkept(whole: Whole, screen: Screen) -> None:
    """Tell why nothing can be kept, where that is so."""
    if whole.trouble is not None:
        screen.tell(f"notice: nothing can be kept: {whole.trouble}")
