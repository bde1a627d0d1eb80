"""Tells, beside the answer, what happened to a source that its outcome does not say."""

from collections.abc import Iterator
from contextlib import contextmanager

from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.cli.words import HELD, breaker, span
from data_source_orchestrator.core.events import BreakerChanged, Event, FetcherAbandoned
from data_source_orchestrator.fanout.hub import Hub


@contextmanager
def noticed(screen: Screen, hub: Hub) -> Iterator[None]:
    """Tell what is worth noticing as it happens, until the context ends."""

    def hear(event: Event) -> None:
        sentence = notice(event)
        if sentence:
            screen.tell(f"notice: {sentence}")

    hub.follow(hear)
    try:
        yield
    finally:
        hub.leave(hear)


def notice(event: Event) -> str | None:
    """Return the sentence for an event that is worth one."""
    match event:
        case BreakerChanged(source=key, after="open", retry_after=wait):
            when = "" if wait is None else f" for {span(wait)}"
            return f"{key} failed too often in a row, and is left alone{when}; `dso enable {key}` lifts that"
        case BreakerChanged(source=key, before="half_open", after="closed"):
            return f"{key} has recovered, and is asked again"
        case BreakerChanged(source=key, after=after) if after in HELD:
            return f"the circuit breaker of {key} is {breaker(after)}: {HELD[after]}"
        case FetcherAbandoned(source=key, after=seconds, thread=thread):
            what = "thread" if thread else "fetcher"
            return (
                f"the {what} of {key} went on for {span(seconds)} after its time was up; nobody waits for it any longer"
            )
        case _:
            return None
