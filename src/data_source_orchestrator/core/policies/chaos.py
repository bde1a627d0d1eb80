"""What goes wrong on purpose."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from data_source_orchestrator.core.durations import Seconds, seconds, share
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import did_you_mean, told
from data_source_orchestrator.core.verdicts import FailureKind

Fault = FailureKind | str | Callable[[], BaseException]
"""A failure kind or its word, or what makes an exception: its class, or a function."""

Behaviour = Callable[[], Awaitable[None] | None]
"""What is done before a call: a function without arguments, plain or `async`."""

SEED_BITS = 64
"""Bits of a seed; no generator of seeds makes longer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosPolicy:
    """What goes wrong on purpose, and in which share of the calls; times are in seconds.

    Each rate, from 0 to 1, is drawn for itself: one of `faults` is raised instead of calling; else the call waits
    `latency` more; then one of `outcomes` is returned instead of calling, or one of `behaviours` is done before the
    call. The same `seed` makes the same calls go wrong again; without one each run draws its own.
    """

    fault_rate: float = 0.0
    faults: tuple[Fault, ...] = (FailureKind.CONNECTION,)
    latency_rate: float = 0.0
    latency: Seconds = 1.0
    outcome_rate: float = 0.0
    outcomes: tuple[object, ...] = (None,)
    behaviour_rate: float = 0.0
    behaviours: tuple[Behaviour, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in ("fault_rate", "latency_rate", "outcome_rate", "behaviour_rate"):
            share(getattr(self, name), f"chaos.{name}")
        object.__setattr__(self, "latency", seconds(self.latency, "chaos.latency", zero=True))
        object.__setattr__(self, "faults", tuple(_fault(fault) for fault in _several(self.faults, "chaos.faults")))
        object.__setattr__(self, "outcomes", tuple(_several(self.outcomes, "chaos.outcomes")))
        object.__setattr__(self, "behaviours", tuple(_several(self.behaviours, "chaos.behaviours")))
        _some(self.fault_rate, self.faults, "fault")
        _some(self.outcome_rate, self.outcomes, "outcome")
        _some(self.behaviour_rate, self.behaviours, "behaviour")
        for behaviour in self.behaviours:
            if not callable(behaviour):
                raise ConfigurationError(f"chaos.behaviours holds {told(behaviour)}; give functions without arguments")
        _check_seed(self.seed)


def _check_seed(value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value.bit_length() > SEED_BITS:
        raise ConfigurationError(
            f"chaos.seed is {told(value)}; give a whole number of up to {SEED_BITS} bits, or None to draw one"
        )


def _fault(value: object) -> Fault:
    if callable(value):
        return cast("Fault", value)  # what it returns is only known when it is called
    for kind in FailureKind:
        if value == kind:
            return kind
    raise ConfigurationError(
        f"chaos.faults holds {told(value)}; give failure kinds ({', '.join(FailureKind)}), exception classes or"
        f" functions that return an exception{did_you_mean(value, FailureKind)}"
    )


def _several(value: object, name: str) -> Iterable[object]:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray | Mapping):
        return value
    raise ConfigurationError(f"{name} is {told(value)}; give several, as a list or tuple")


def _some(rate: float, choices: tuple[object, ...], name: str) -> None:
    if rate and not choices:
        raise ConfigurationError(f"chaos.{name}_rate is {rate!r} and chaos.{name}s is empty; give at least one {name}")
