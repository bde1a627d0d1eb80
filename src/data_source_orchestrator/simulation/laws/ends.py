"""The laws that must hold when the orchestrator's context has been left, and the last fetcher has ended."""

from collections.abc import Callable

from data_source_orchestrator.health.document import from_json
from data_source_orchestrator.simulation.witness import Witness


def nothing_is_left_when_all_is_closed(seen: Witness) -> str | None:
    """Tell of a task or timer that has outlived the context: background work lives only inside it."""
    lingering = [call for call in seen.under_way() if call.lingers]
    if strays := seen.strays():
        return f"all is closed, and {', '.join(strays)} is left"
    timers = seen.loop.timers() - len(lingering)
    return f"all is closed, and {timers} timers are left" if timers > 0 else None


def what_was_known_is_stored_when_all_is_closed(seen: Witness) -> str | None:
    """Tell of a past that is lost with the process, as that of a refresh which outlasted its run."""
    if seen.store is None or seen.world.store_fails:
        return None
    stored = seen.store.held.documents("health")
    for key in seen.registered():
        live, kept = seen.coordinator.get_health(key), from_json(stored.get(key))
        if live != kept:
            return f"all is closed, and the store holds {kept} of {key}, where {live} is known"[:400]
    return None


END_LAWS: tuple[Callable[[Witness], str | None], ...] = (
    nothing_is_left_when_all_is_closed,
    what_was_known_is_stored_when_all_is_closed,
)
"""They must hold when all is over."""
