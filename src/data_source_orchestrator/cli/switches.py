"""`dso enable`, `dso disable` and `dso priority`: an act of the operator on one source, kept for all later runs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli.documents import document, of_source
from data_source_orchestrator.cli.failures import SUFFICIENT
from data_source_orchestrator.cli.layout import say
from data_source_orchestrator.cli.options import PriorityOptions, SwitchOptions, number
from data_source_orchestrator.cli.performing import perform
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.core.errors import ConfigurationError, UnknownSourceError
from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator
from data_source_orchestrator.settings.values import rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An act on a source: `act` does it and returns whether there is such a source; `told` says how it stands then."""

    verb: str
    key: str
    act: Callable[[DataSourceOrchestrator], Awaitable[bool]]
    told: str


def enable(options: SwitchOptions) -> int:
    """Switch a source on, and let it through its breaker."""
    key = options.key
    turn = Turn(verb="enable", key=key, act=lambda o: o.enable(key), told="is enabled, and asked from the next run on")
    return perform(options, partial(_turn, turn))


def disable(options: SwitchOptions) -> int:
    """Switch a source off; nothing but `enable` lifts it."""
    key = options.key
    turn = Turn(verb="disable", key=key, act=lambda o: o.disable(key), told=f"is disabled, until `dso enable {key}`")
    return perform(options, partial(_turn, turn))


def priority(options: PriorityOptions) -> int:
    """Give a source another priority."""
    key, wanted = options.key, _rank(options.priority)
    turn = Turn(verb="priority", key=key, act=lambda o: o.prioritise(key, wanted), told=f"has priority {wanted}")
    return perform(options, partial(_turn, turn))


def _rank(text: str) -> int:
    try:
        return rank(number(text))
    except ConfigurationError as error:
        raise ConfigurationError(f"the priority {error}, such as 1") from None


async def _turn(turn: Turn, _: SwitchOptions, whole: Whole, screen: Screen) -> int:
    orchestrator = whole.orchestrator
    if not await turn.act(orchestrator):
        raise UnknownSourceError(turn.key, [source.key for source in orchestrator.coordinator.get_all_sources()])
    view = next(view for view in orchestrator.get_source_views() if view.source.key == turn.key)
    stands = of_source(view, orchestrator.coordinator.clock.now())
    screen.document(document(turn.verb, source=turn.key, **stands))
    screen.show([say(f"{view.source.title} {turn.told}")])
    return SUFFICIENT
