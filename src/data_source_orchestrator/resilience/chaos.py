"""Chaos: makes calls go wrong on purpose, as the last thing before the fetcher, so that all else can be seen to hold.

After Polly's chaos strategies (Simmy). What happens to a source's n-th call follows from the seed, the source and n
alone, so a run goes wrong in the same way again, whatever else is under way.
"""

import copy
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar, cast

from data_source_orchestrator.core.clock import Chance, Clock
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.policies import Behaviour, ChaosPolicy, Fault
from data_source_orchestrator.core.verdicts import FailureKind

T = TypeVar("T")

OnInjected = Callable[[str, int], None]
"""Hears what was done, `fault`, `latency`, `outcome` or `behaviour`, and to which call, counted from 1."""

_DRAWS = 2**53  # as many as floats from [0, 1) can tell apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """What is done to one call; `outcome` is a tuple of one, because None is an outcome too."""

    fault: Fault | None = None
    latency: float | None = None
    outcome: tuple[object] | None = None
    behaviour: Behaviour | None = None


def decide(policy: ChaosPolicy, seed: int, key: str, number: int) -> Injection:
    """Decide what happens to a source's call of that number; of four draws each is used for one kind."""
    digest = sha256(f"{seed}/{key}/{number}".encode()).digest()
    fault, latency, outcome, behaviour = (_draw(digest[at : at + 8]) for at in (0, 8, 16, 24))
    if fault < policy.fault_rate:
        return Injection(fault=_one_of(policy.faults, fault / policy.fault_rate))
    replaced = outcome < policy.outcome_rate
    joined = not replaced and behaviour < policy.behaviour_rate
    return Injection(
        latency=in_seconds(policy.latency) if latency < policy.latency_rate else None,
        outcome=(_one_of(policy.outcomes, outcome / policy.outcome_rate),) if replaced else None,
        behaviour=_one_of(policy.behaviours, behaviour / policy.behaviour_rate) if joined else None,
    )


class Chaos:
    """What goes wrong with one source's calls; `seed` is the policy's, or the one that was drawn for it."""

    def __init__(
        self, policy: ChaosPolicy, key: str, *, clock: Clock, chance: Chance, on_injected: OnInjected | None = None
    ) -> None:
        self.policy = policy
        self.seed = int(chance.random() * _DRAWS) if policy.seed is None else policy.seed
        self.calls = 0
        self._key = key
        self._clock = clock
        self._on_injected = on_injected

    async def through(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make one call, or do in its place what chaos wants; raise what it injects as a fetcher would."""
        self.calls += 1
        number = self.calls
        injection = decide(self.policy, self.seed, self._key, number)
        if injection.fault is not None:
            self._tell("fault", number)
            raise _raised(injection.fault, number)
        if injection.latency is not None:
            self._tell("latency", number)
            await self._clock.sleep(injection.latency)
        if injection.outcome is not None:
            self._tell("outcome", number)
            return cast("T", copy.deepcopy(injection.outcome[0]))
        if injection.behaviour is not None:
            self._tell("behaviour", number)
            await _done(injection.behaviour)
        return await call()

    def _tell(self, what: str, number: int) -> None:
        if self._on_injected is not None:
            self._on_injected(what, number)


def _draw(octets: bytes) -> float:
    """Return a number in [0, 1) from eight octets."""
    return (int.from_bytes(octets) >> 11) / _DRAWS


def _one_of(choices: Sequence[T], draw: float) -> T:
    """Return one of the choices by a draw from [0, 1)."""
    return choices[min(int(draw * len(choices)), len(choices) - 1)]


def _raised(fault: Fault, number: int) -> BaseException:
    if callable(fault):
        return fault()
    return FetchError(FailureKind(fault), f"chaos: an injected {fault} failure of call {number}")


async def _done(behaviour: Behaviour) -> None:
    given: Any = behaviour()
    if inspect.isawaitable(given):
        await given
