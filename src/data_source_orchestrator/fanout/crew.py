"""Tasks that do many small jobs, one more task only while all the others are blocked.

Ten thousand jobs that never wait are done by one task; ten thousand that wait need one each. Each job runs in a context
of its own, so that no context variable leaks from one to another. It must not know what a job is.
"""

import asyncio
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, Generic, Protocol, TypeVar

IN_ONE_GO = 100
"""Jobs that a task does before it lets the event loop turn, even where none of them waits."""

_OVER = object()
"""Waited for by a job that has ended."""


class Job(Protocol):
    """What is to be done, in a context of its own."""

    @property
    def within(self) -> Context:
        """The context of which every step of it runs in a copy."""
        ...


J = TypeVar("J", bound=Job)
R = TypeVar("R")


class Crew(Generic[J, R]):
    """The tasks of one event loop that do what is given to them; none is left when nothing is.

    `begin` makes the coroutine of a job, None where it need not be done any longer; `done` hears what came of it, which
    is never None, `failed` what it raised, and `lost` that its task was cancelled. A job that has waited keeps its task
    to itself: whatever it has left behind can harm no other.
    """

    def __init__(
        self,
        begin: Callable[[J], Coroutine[Any, Any, R] | None],
        *,
        done: Callable[[J, R], None],
        failed: Callable[[J, Exception], None],
        lost: Callable[[J], None],
    ) -> None:
        self._begin_job = begin
        self._done = done
        self._failed = failed
        self._lost = lost
        self._waiting: deque[J] = deque()
        self._beginning: dict[J, asyncio.Task[None] | None] = {}
        self._next_hire = 1
        self._hiring = False
        self._looks = 0
        self._free = 0

    def give(self, job: J) -> None:
        """Add a job; it is done once `begin` was called."""
        self._waiting.append(job)

    def drop(self, needless: Callable[[J], bool]) -> None:
        """Let go of waiting jobs that nobody needs any longer."""
        if self._waiting:
            self._waiting = deque(job for job in self._waiting if not needless(job))

    def begin(self) -> None:
        """See to it that somebody does what is waiting."""
        self._next_hire = 1
        self._hire_if_needed()

    def _hire_if_needed(self) -> None:
        """Take on tasks, twice as many each time: where some jobs wait, most of the others will.

        On a loop that begins tasks at once they ask for more before they are all taken on, and are not heard.
        """
        if self._hiring:
            return
        self._hiring = True
        try:
            while self._waiting and not self._beginning and not self._free:
                self._hire_up_to(self._next_hire)
                self._next_hire *= 2
                asyncio.get_running_loop().call_soon(self._look)
        finally:
            self._hiring = False

    def _hire_up_to(self, most: int) -> None:
        """Take on that many tasks, or fewer where those that have begun at once leave nothing to do."""
        for _ in range(most):
            if not self._waiting:
                return
            self._hire()

    def _hire(self) -> None:
        """Take on a task for the next job, whose context is the task's own."""
        job = self._waiting.popleft()
        self._beginning[job] = None
        work = self._work(job)
        try:
            task = asyncio.get_running_loop().create_task(work, name="dso-crew", context=job.within.copy())
        except BaseException:  # the loop's task factory is somebody else's code
            self._not_begun(job)
            work.close()
            raise
        if job in self._beginning:
            self._beginning[job] = task
        else:  # it has begun already
            self._looks += 1

    def _not_begun(self, job: J) -> None:
        """Put a job back, to be done first, whose task has not come to begin it."""
        if job in self._beginning:
            del self._beginning[job]
            self._waiting.appendleft(job)

    def _look(self) -> None:
        """Take on more where all that were taken on have made their first step, and have to wait."""
        self._looks += 1
        for job, task in tuple(self._beginning.items()):
            if task is not None and task.done():  # it was cancelled before it had begun
                self._not_begun(job)
        if self._beginning:  # on a loop that takes its time
            asyncio.get_running_loop().call_soon(self._look)
        self._hire_if_needed()

    async def _work(self, job: J) -> None:
        """Do a job, and others that are waiting if that one had not to wait."""
        self._beginning.pop(job, None)
        looks = self._looks
        try:
            coroutine = self._begin_job(job)
            ended = None if coroutine is None else await coroutine
        except asyncio.CancelledError:
            self._lost(job)
            raise
        except Exception as error:  # noqa: BLE001 — whoever gave the job hears of it
            self._failed(job, error)
        else:
            if ended is not None:
                self._done(job, ended)
        if looks == self._looks:  # nobody has looked meanwhile
            await self._do_others()

    async def _do_others(self) -> None:
        """Do one job after another, each in a context of its own, until one has to wait, and that one to its end."""
        rest, done = None, 0
        self._free += 1
        try:
            while self._waiting and rest is None:
                rest = self._begun(self._waiting.popleft())
                done += 1
                if done % IN_ONE_GO == 0 and rest is None:
                    await asyncio.sleep(0)
        finally:
            self._free -= 1
            self._hire_if_needed()
        if rest is not None:
            await rest

    def _begun(self, job: J) -> Awaitable[None] | None:
        """Make a job's first step, and return the others; None where there are none."""
        try:
            coroutine = self._begin_job(job)
        except Exception as error:  # noqa: BLE001 — whoever gave the job hears of it
            self._failed(job, error)
            return None
        if coroutine is None:
            return None
        context = job.within.copy()
        waited_for = self._step(job, context, coroutine.send, None)
        return None if waited_for is _OVER else self._rest(job, context, coroutine, waited_for)

    @types.coroutine
    def _rest(
        self, job: J, context: Context, coroutine: Coroutine[Any, Any, R], waited_for: Any
    ) -> Generator[Any, Any, None]:
        """Make all other steps of a job, waiting in between."""
        while waited_for is not _OVER:
            try:
                given = yield waited_for
            except GeneratorExit:  # the task itself was thrown away
                context.run(coroutine.close)
                raise
            except BaseException as error:  # noqa: BLE001 — what it waited for failed, or somebody cancels
                waited_for = self._step(job, context, coroutine.throw, error)
            else:
                waited_for = self._step(job, context, coroutine.send, given)

    def _step(self, job: J, context: Context, advance: Callable[[Any], Any], given: Any) -> Any:
        """Make a step of a job; return what it waits for then, or that it is over, which has been told."""
        try:
            return context.run(advance, given)
        except StopIteration as end:
            self._done(job, end.value)
        except asyncio.CancelledError:
            self._lost(job)
            raise
        except Exception as error:  # noqa: BLE001 — whoever gave the job hears of it
            self._failed(job, error)
        return _OVER
