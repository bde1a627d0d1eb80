"""Two calls for one answer: the second joins when time has passed or the first has failed, and one success is enough.

It must not know who pays for the second, nor what a call is made of. The first call runs in its caller's own task, so
one that answers in time costs a timer, and no task.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.core.waiting import to_their_end
from data_source_orchestrator.resilience.classify import Failed

FIRST, EXTRA = 1, 2
"""The numbers by which the two calls are told apart."""


class Ended(Protocol):
    """How a call ended, as `Attempt` tells it."""

    @property
    def failed(self) -> Failed | None:
        """What went wrong, and whether it may be repeated; None for an answer."""
        ...

    @property
    def verdict(self) -> Verdict:
        """What the call says about its source."""
        ...

    @property
    def duration(self) -> float:
        """Seconds that the call took."""
        ...


R = TypeVar("R", bound=Ended)

MayJoin = Callable[[float], bool]
"""Decides, once, whether a second call begins, so many seconds after the first, or when that has failed."""

Lost = Callable[[int, float], None]
"""Hears the number of the call that has lost and how many seconds it lasted, just before it is cancelled."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What whoever makes the two calls knows of them.

    `unwanted` tells whether nobody waits for them any longer. `extra_began` is given the moment at which the second one
    was asked for, and tells the moment since which it is under way; None while it stands in line.
    """

    unwanted: Callable[[], bool] = lambda: False
    extra_began: Callable[[float], float | None] = lambda asked: asked


PLAIN_PAIR = Pair()
"""Two calls that stand in no line, and are wanted as long as they are awaited."""


class _Overheard(Generic[R]):
    """An awaitable of whose cancellation somebody hears, when that has reached it."""

    def __init__(self, awaited: Awaitable[R], hear: Callable[[], None]) -> None:
        self._awaited = awaited
        self._hear = hear

    def __await__(self) -> Generator[Any, Any, R]:
        steps: Any = self._awaited.__await__()
        try:
            waited_for = steps.send(None)
            while True:
                try:
                    given = yield waited_for
                except GeneratorExit:
                    steps.close()
                    raise
                except asyncio.CancelledError as error:
                    waited_for = steps.throw(error)
                    self._hear()
                except BaseException as error:  # noqa: BLE001 — what it waited for failed
                    waited_for = steps.throw(error)
                else:
                    waited_for = steps.send(given)
        except StopIteration as end:
            return cast("R", end.value)


class Race(Generic[R]):
    """One call and its possible second; `ended` hears how each ended that was not given up.

    A second call that has decided interrupts the first as `asyncio.timeout` interrupts its body: it cancels the task,
    and takes that back when it has arrived. A cancellation from outside is told apart by their number.
    """

    __slots__ = (
        "_asked",
        "_began",
        "_call",
        "_cancelling",
        "_clock",
        "_ended",
        "_extra",
        "_extra_asked",
        "_given_up",
        "_interrupted",
        "_lost",
        "_may_join",
        "_pair",
        "_task",
    )

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        call: Callable[[int], Awaitable[R]],
        *,
        clock: Clock,
        may_join: MayJoin,
        ended: Callable[[R], None],
        lost: Lost,
        pair: Pair = PLAIN_PAIR,
    ) -> None:
        self._pair = pair
        self._call = call
        self._clock = clock
        self._may_join = may_join
        self._ended = ended
        self._lost = lost
        self._began = self._extra_asked = clock.monotonic()
        self._asked = False
        self._extra: asyncio.Task[R] | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._interrupted = False
        self._given_up = False

    async def run(self, delay: float) -> R:
        """Return the first success, or else the failure that tells more; what a call raises passes."""
        timer = self._clock.call_later(delay, self._join)
        try:
            first = await self._first()
            timer.cancel()
            won = await self._settle(first)
        except GeneratorExit:  # the caller itself was thrown away, and can wait for nothing
            self._abandon()
            raise
        except Exception:  # a wish to end the program decides, too
            self._lose_extra()
            raise
        finally:
            timer.cancel()
            extra, self._extra = self._extra, None  # one that was cancelled holds the frames that hold this
            if extra is not None:
                await self._end(extra)
        if extra is not None and not extra.cancelled():
            extra.result()  # a loser that raised something meant it
        return won

    async def _first(self) -> R | None:
        """Return how the first call ended; None where the second decided before that."""
        task = self._task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a hedged call is made inside a task; await it from a coroutine that asyncio runs")
        self._cancelling = task.cancelling()
        ended: R | None = None
        try:
            ended = await _Overheard(self._call(FIRST), self._left)
        except asyncio.CancelledError:
            if not self._interrupted or task.cancelling() - 1 > self._cancelling:
                raise
        finally:
            self._task = None
            if self._interrupted:
                task.uncancel()
        return None if self._interrupted else ended

    def _left(self) -> None:
        """Give the second call up as soon as their caller leaves: the first may take its time to end."""
        if self._extra is not None and not self._extra.done() and self._pair.unwanted():
            self._given_up = True
            self._extra.cancel()

    def _join(self) -> None:
        """Begin the second call beside the first."""
        if self._allowed():
            self._extra_asked = self._clock.monotonic()
            self._extra = asyncio.get_running_loop().create_task(self._second())
            self._extra.add_done_callback(self._extra_ended)

    def _allowed(self) -> bool:
        self._asked = True
        return not self._pair.unwanted() and self._may_join(self._since(self._began))

    async def _second(self) -> R:
        ended = await self._call(EXTRA)
        if not self._given_up:
            self._ended(ended)
        return ended

    def _extra_ended(self, extra: asyncio.Task[R]) -> None:
        if not extra.cancelled() and (extra.exception() is not None or decides(extra.result())):
            self._interrupt()

    def _interrupt(self) -> None:
        task = self._task
        if task is None or task.cancelling() > self._cancelling:
            return  # the first has ended, or is being ended from outside
        self._interrupted = True
        self._lost(FIRST, self._since(self._began))
        task.cancel()

    async def _settle(self, first: R | None) -> R:
        if first is None:
            return self._deciding()
        self._ended(first)
        if decides(first):
            self._lose_extra()
            return first
        second = await self._after(first)
        return first if second is None else better(first, second)

    async def _after(self, first: R) -> R | None:
        """Return how the second call ended, which begins now if it has not; None where there is none.

        One that still stands in line is given up where the first was told when to come back.
        """
        told_to_wait = first.failed is not None and first.failed.retry_after is not None
        if self._extra is not None and told_to_wait and self._extra_began() is None:
            await self._end(self._extra)
            return None
        if self._extra is not None:
            await asyncio.wait((self._extra,))
            return None if self._extra.cancelled() else self._extra.result()
        failed = first.failed
        if self._asked or failed is None or failed.retry_after is not None:
            return None
        return await self._second() if self._allowed() else None

    def _deciding(self) -> R:
        """Return how the second call ended, which has interrupted the first, or raise what it raised."""
        if self._extra is None:
            raise RuntimeError("only a second call interrupts the first")
        return self._extra.result()

    def _lose_extra(self) -> None:
        began = self._extra_began()
        if self._extra is not None and not self._extra.done() and began is not None:
            self._lost(EXTRA, self._since(began))

    def _extra_began(self) -> float | None:
        """Return since when the second call is under way; None while it stands in line."""
        return self._pair.extra_began(self._extra_asked)

    def _since(self, began: float) -> float:
        """Return the seconds since then, none where the clock was set back meanwhile."""
        return max(0.0, self._clock.monotonic() - began)

    async def _end(self, extra: asyncio.Task[R]) -> None:
        if not extra.done():
            self._given_up = True
            extra.cancel()
            await to_their_end((extra,))

    def _abandon(self) -> None:
        if self._extra is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                self._extra.cancel()
            self._extra = None


def decides(ended: Ended) -> bool:
    """Return whether nothing more is to be waited for: a success, or a failure that no repetition would mend."""
    return ended.failed is None or not ended.failed.retryable


def better(first: R, second: R) -> R:
    """Return the success, or else the failure that tells more, or else the first.

    What cannot be mended tells most, then what says when to come back, the later the more, for it holds for both; then
    an error of the source's own, then a timeout, and last what says nothing about the source.
    """
    return max((first, second), key=_telling)


def _telling(ended: Ended) -> tuple[float, ...]:
    failed = ended.failed
    if failed is None:
        return (True,)
    spoke = ended.verdict is Verdict.FAILURE
    return (
        False,
        spoke and not failed.retryable,
        failed.retry_after if spoke and failed.retry_after is not None else -1.0,
        spoke and failed.kind is not FailureKind.TIMEOUT,
        spoke,
    )
