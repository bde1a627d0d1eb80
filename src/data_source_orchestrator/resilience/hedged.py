"""One of the two calls of a hedged attempt: what is wanted, seen by a call that may lose."""

from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from data_source_orchestrator.core.context import Notes
from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.attempt import Wanted
from data_source_orchestrator.resilience.suspects import Withheld

T = TypeVar("T")


class Part(Generic[T]):
    """What is wanted, until another call has answered first: then it is `lost`, and unwanted.

    It does not hold its attempt, which holds it: in a circle the answer would stay until the garbage collector comes.
    """

    __slots__ = ("_wanted", "lost")

    def __init__(self, wanted: Wanted[T]) -> None:
        self._wanted = wanted
        self.lost = False

    @property
    def unwanted(self) -> bool:
        """Whether nobody waits for this call any longer."""
        return self.lost or self._wanted.unwanted

    @property
    def deadline(self) -> Deadline:
        """By when it must have ended."""
        return self._wanted.deadline

    @property
    def attempt_timeout(self) -> float:
        """The seconds that it may take by itself."""
        return self._wanted.attempt_timeout

    @property
    def started(self) -> float:
        """When the execution began."""
        return self._wanted.started

    @property
    def timeout(self) -> float:
        """The seconds that the caller's own settings give to all of it."""
        return self._wanted.timeout

    @property
    def threaded(self) -> bool:
        """Whether it runs in a thread."""
        return self._wanted.threaded

    @property
    def withheld(self) -> Withheld | None:
        """What the execution has not reported yet, of both calls together."""
        return self._wanted.withheld

    def note_failure(self, kind: FailureKind) -> None:
        """Hear that the call has failed."""
        self._wanted.note_failure(kind)

    def begin(self, number: int, notes: Notes) -> Coroutine[Any, Any, T]:
        """Begin the call."""
        return self._wanted.begin(number, notes)

    def breach(self, payload: T) -> FetchError | None:
        """Return what is wrong with an answer, or None."""
        return self._wanted.breach(payload)
