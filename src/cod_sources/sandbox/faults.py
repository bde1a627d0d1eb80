"""The switches that make a sandboxed upstream misbehave, and how people spell them.

Knows what each means and for which source it can be meant; acts on nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cod_sources.sandbox.rows import Thrown
from data_source_orchestrator.core.durations import count, seconds, share
from data_source_orchestrator.core.errors import ConfigurationError, nearest

SOURCES = ("codarmory", "wzstats", "codmunity")
"""The keys of the sources whose upstreams the sandbox plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What may follow a switch's `=`; `default` is what a bare switch means."""

    unit: str
    default: float
    read: Callable[[str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One switch. Of several with the same `rivalry` only one can be thrown; `only` is where it can be meant."""

    name: str
    meaning: str
    parameter: Parameter | None = None
    rivalry: str | None = None
    only: tuple[str, ...] = SOURCES

    @property
    def spelling(self) -> str:
        """The switch as it is written."""
        return f"{self.name}={self.parameter.unit}" if self.parameter else self.name


def _seconds(text: str, name: str) -> float:
    return seconds(_number(text, name, "seconds as a number, such as 2 or 0.5"), name, zero=True)


def _share(text: str, name: str) -> float:
    return share(_number(text, name, "a number from 0 to 1, such as 0.5"), name)


def _whole_seconds(text: str, name: str) -> float:
    number = _number(text, name, "whole seconds, such as 60")
    return count(int(number) if number.is_integer() else number, name)


def _number(text: str, name: str, accepted: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{name} is {text!r}; give {accepted}") from None


FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            name="latency",
            meaning="waits that long before every answer",
            parameter=Parameter(unit="SECONDS", default=2.0, read=_seconds),
        ),
        Fault(
            name="error_rate",
            meaning="answers 500 to that share of the requests, drawn at random from a fixed seed",
            parameter=Parameter(unit="SHARE", default=1.0, read=_share),
        ),
        Fault(
            name="rate_limited",
            meaning="answers 429 with that many seconds in Retry-After, and a page of HTML",
            parameter=Parameter(unit="SECONDS", default=60.0, read=_whole_seconds),
            rivalry="refusal",
        ),
        Fault(
            name="challenge",
            meaning="answers 403 with a page that wants a browser, and cf-mitigated: challenge",
            rivalry="refusal",
        ),
        Fault(
            name="truncated",
            meaning="promises the whole body, sends half of it and hangs up",
            rivalry="delivery",
        ),
        Fault(name="trickle", meaning="sends the body a byte a second", rivalry="delivery"),
        Fault(name="empty", meaning="answers 200 with empty lists", rivalry="length"),
        Fault(name="shrunken", meaning="answers 200 with 5 rows where there were more", rivalry="length"),
        Fault(
            name="renamed_state_key",
            meaning="files the page's data under another key; the address beside it still finds it",
            only=("codmunity",),
        ),
        Fault(name="renamed_rows_key", meaning="answers 200 with the members that hold or name the rows renamed"),
        Fault(name="wrong_game", meaning="answers 200 with rows that say they belong to another franchise"),
        Fault(
            name="disallowed",
            meaning="says in its robots.txt that no program may read its pages",
            only=("codmunity",),
        ),
    )
}
"""Every switch by its name, in the order in which to tell them."""


def parse_all(faults: Mapping[str, str]) -> dict[str, Thrown]:
    """Return the switches of every source, none for those that are not named; raise `ConfigurationError`."""
    return {key: {} for key in SOURCES} | {key: parse(key, spec) for key, spec in faults.items()}


def parse(source: str, spec: str) -> Thrown:
    """Return the switches that a text such as `latency=2+challenge` throws, by name; raise `ConfigurationError`.

    An empty text throws none.
    """
    if source not in SOURCES:
        raise ConfigurationError(f"the sandbox plays no source {source!r}{_hint(source, SOURCES)}")
    thrown: dict[str, float] = {}
    for word in spec.split("+") if spec.strip() else ():
        name, sign, value = (part.strip() for part in word.partition("="))
        fault = _known(source, name)
        _refuse_rivals(source, fault, thrown)
        thrown[name] = _value(source, fault, value if sign else None)
    return thrown


def _known(source: str, name: str) -> Fault:
    fault = FAULTS.get(name)
    if fault is None:
        raise ConfigurationError(f"{source} has no fault {name!r}{_hint(name, FAULTS)}")
    if source not in fault.only:
        raise ConfigurationError(
            f"{source} cannot have the fault {name!r}, which only {' and '.join(fault.only)} can: it {fault.meaning};"
            " leave it away or throw it there"
        )
    return fault


def _refuse_rivals(source: str, fault: Fault, thrown: Mapping[str, float]) -> None:
    if fault.name in thrown:
        raise ConfigurationError(f"{source} is given the fault {fault.name!r} twice; give it once")
    for name in thrown:
        if fault.rivalry and FAULTS[name].rivalry == fault.rivalry:
            raise ConfigurationError(
                f"{source} cannot have the faults {name!r} and {fault.name!r} at once; leave one away"
            )


def _value(source: str, fault: Fault, value: str | None) -> float:
    if fault.parameter is None:
        if value is not None:
            raise ConfigurationError(
                f"{source}'s fault {fault.name!r} takes no value, and was given {value!r}; write just {fault.name}"
            )
        return 1.0
    if value is None:
        return fault.parameter.default
    return fault.parameter.read(value, f"{source}'s fault {fault.name!r}")


def _hint(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near else f"; there are {', '.join(known)}"
