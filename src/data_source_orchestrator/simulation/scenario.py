"""A described outage: who is down when, how slow, how many errors; read from TOML, each mistake told in a sentence."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from data_source_orchestrator.core.durations import share
from data_source_orchestrator.core.errors import ConfigurationError, nearest
from data_source_orchestrator.core.verdicts import FailureKind

HANG = "hang"
"""Beside the failure kinds: the upstream never answers."""

KINDS = (*(kind.value for kind in FailureKind), HANG)

LONGEST = 31 * 86400.0
"""Seconds that a scenario may last."""

MOST_SYNCS = 20_000

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h|d)?")

ASKS = ("sync", "fetch")
"""What is done each time: a sync asks whatever is kept, and a fetch takes from a cache what it may."""

_SCENARIO = ("duration", "interval", "latency", "seed", "asks")
_OUTAGE = ("source", "from", "until", "latency", "slow_rate", "error_rate", "kind", "retry_after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What befalls a source's upstream from `begins` to `ends`, in seconds from the start.

    `slow_rate` of the calls take `latency` seconds (None: as usual). `error_rate` of them fail in that `kind`, and tell
    us to come again after `retry_after` seconds.
    """

    source: str
    begins: float
    ends: float
    latency: float | None = None
    slow_rate: float = 1.0
    error_rate: float = 1.0
    kind: str = FailureKind.SERVER.value
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything asked every `interval` seconds for `duration` seconds; upstreams usually take `latency` seconds."""

    duration: float = 6 * 3600.0
    interval: float = 900.0
    latency: float = 0.3
    seed: int = 1
    asks: str = "sync"
    outages: tuple[Outage, ...] = ()


def read_scenario(text: str, name: str) -> Scenario:
    """Return the scenario that a file of that name tells, or raise `ConfigurationError`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"file {name} is no TOML: {error}") from None
    _refuse_unknown(document, ("scenario", "outage"), f"file {name}")
    given, outages = document.get("scenario", {}), document.get("outage", [])
    if not isinstance(given, dict) or not isinstance(outages, list) or not all(isinstance(o, dict) for o in outages):
        raise ConfigurationError(f"file {name}: give one table [scenario], and a table [[outage]] for each outage")
    _refuse_unknown(given, _SCENARIO, f"file {name} [scenario]")
    scenario = Scenario(
        duration=_span(given.get("duration", "6h"), f"file {name} [scenario] duration"),
        interval=_span(given.get("interval", "15m"), f"file {name} [scenario] interval"),
        latency=_span(given.get("latency", "300ms"), f"file {name} [scenario] latency", zero=True),
        seed=_seed(given.get("seed", 1), f"file {name} [scenario] seed"),
        asks=_one_of(given.get("asks", "sync"), ASKS, f"file {name} [scenario] asks"),
        outages=tuple(_outage(each, f"file {name} [[outage]] {n}") for n, each in enumerate(outages, start=1)),
    )
    if scenario.duration / scenario.interval > MOST_SYNCS:
        raise ConfigurationError(
            f"file {name} [scenario] interval: {scenario.duration / scenario.interval:.0f} syncs are too many,"
            f" and at most {MOST_SYNCS} are played; give a longer interval or a shorter duration"
        )
    return scenario


def check_sources(scenario: Scenario, known: Collection[str], name: str) -> None:
    """Raise `ConfigurationError` for an outage of a source that there is not."""
    for number, outage in enumerate(scenario.outages, start=1):
        if outage.source not in known:
            near = nearest(outage.source, known)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known) or 'none'}"
            raise ConfigurationError(
                f"file {name} [[outage]] {number} source: no source is called {outage.source!r}; {hint}"
            )


def _outage(given: Mapping[str, Any], where: str) -> Outage:
    _refuse_unknown(given, _OUTAGE, where)
    for needed in ("source", "from", "until"):
        if needed not in given:
            raise ConfigurationError(f"{where} has no {needed!r}; an outage needs a source, from and until")
    begins = _span(given["from"], f"{where} from", zero=True)
    ends = _span(given["until"], f"{where} until")
    if ends <= begins:
        raise ConfigurationError(f"{where}: until is {given['until']!r} and from {given['from']!r}; give a later until")
    latency = None if "latency" not in given else _span(given["latency"], f"{where} latency", zero=True)
    slow_alone = latency is not None and not {"kind", "retry_after"} & given.keys()
    _check_rates(given, where)
    return Outage(
        source=str(given["source"]),
        begins=begins,
        ends=ends,
        latency=latency,
        slow_rate=share(given.get("slow_rate", 1.0), f"{where} slow_rate"),
        error_rate=share(given.get("error_rate", 0.0 if slow_alone else 1.0), f"{where} error_rate"),
        kind=_one_of(given.get("kind", FailureKind.SERVER.value), KINDS, f"{where} kind"),
        retry_after=None if "retry_after" not in given else _span(given["retry_after"], f"{where} retry_after"),
    )


def _check_rates(given: Mapping[str, Any], where: str) -> None:
    """Refuse what would have no effect."""
    if "slow_rate" in given and "latency" not in given:
        raise ConfigurationError(f"{where} has a slow_rate and no latency; tell how long those calls take")
    if "retry_after" in given and given.get("kind") == HANG:
        raise ConfigurationError(f"{where} has a retry_after, and its kind is 'hang'; what never answers tells nothing")


def _refuse_unknown(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    for key in table:
        if key not in known:
            near = nearest(key, known)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
            raise ConfigurationError(f"{where} has an unknown key {key!r}; {hint}")


def _span(value: object, name: str, *, zero: bool = False) -> float:
    seconds = _seconds(value)
    if seconds is None:
        raise ConfigurationError(f'{name} is {value!r}; give seconds as a number, or text such as "90s", "15m" or "6h"')
    if not (seconds > 0 or (zero and seconds == 0)) or seconds > LONGEST:
        floor = "0 or more" if zero else "more than 0"
        raise ConfigurationError(f'{name} is {value!r}; give {floor} and at most "31d"')
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, str):
        match = _SPAN.fullmatch(value.strip().lower())
        return float(match[1]) * UNITS[match[2] or "s"] if match else None
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def _seed(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"{name} is {value!r}; give a whole number")
    return value


def _one_of(value: object, words: tuple[str, ...], name: str) -> str:
    if value in words:
        return str(value)
    near = nearest(str(value), words)
    hint = f"; did you mean {near!r}?" if near else ""
    raise ConfigurationError(f"{name} is {value!r}; give one of {', '.join(words)}{hint}")
