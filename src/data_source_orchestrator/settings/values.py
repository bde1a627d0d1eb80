"""What a single setting accepts, in the file and as the text of a variable.

Each function returns the value as the engine takes it, or raises `ConfigurationError` with the part of the
sentence that follows the setting's name: what it is, and what to give.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from data_source_orchestrator.core.contract import ContractMode
from data_source_orchestrator.core.durations import LONGEST, MOST, OLDEST, Seconds, WholeNumber, seconds
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import JITTERS, LATENCIES_KEPT
from data_source_orchestrator.core.policies.chaos import SEED_BITS
from data_source_orchestrator.core.policies.freshness import LONGEST_DAYS
from data_source_orchestrator.core.policies.health import LONGEST_WINDOW
from data_source_orchestrator.core.source import UPDATE_INTERVALS
from data_source_orchestrator.core.telling import did_you_mean
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.settings.written import written
from data_source_orchestrator.web.policy import COUNTS, HttpPolicy

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION_FORM = 'seconds as a number, or text such as "30s", "500ms", "2m" or "1h"'
AGE_FORM = 'seconds as a number, or text such as "90s", "6h" or "2d"'

YES = ("true", "yes", "on", "1", "t", "y")
NO = ("false", "no", "off", "0", "f", "n")

_DURATION = re.compile(r"([+-]?[0-9]{1,300}(?:\.[0-9]{1,15})?)\s*(ms|s|m|h|d)?")
_WHOLE = re.compile(r"[0-9]{1,15}")
_MOST_MS = int(LONGEST * 1000)


def limit(value: object) -> float:
    """Read a duration of more than 0 and at most an hour, in seconds."""
    return _duration(value, zero=False)


def wait(value: object) -> float:
    """Read a duration of 0 to an hour, in seconds."""
    return _duration(value, zero=True)


def age(value: object) -> float:
    """Read how old data may be, in seconds: nothing to ten years."""
    match = _DURATION.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    amount = value if match is None else _amount(match)
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise ConfigurationError(f"is {written(value)}; give {AGE_FORM}")
    if not 0 <= amount <= OLDEST:
        raise ConfigurationError(f"is {written(value)}; give 0 or more and at most {OLDEST / UNITS['d']:g} days")
    return abs(float(amount))


def whole(value: object) -> int:
    """Read a whole number of 0 or more."""
    return _whole(value, WholeNumber(0))


def positive(value: object) -> int:
    """Read a whole number of 1 or more."""
    return _whole(value, WholeNumber(1))


def window(value: object) -> int:
    """Read how many executions are the recent ones: no more than are remembered."""
    return _whole(value, WholeNumber(1, LONGEST_WINDOW))


def days(value: object) -> int:
    """Read over how many days freshness is measured: no more than are remembered."""
    return _whole(value, WholeNumber(1, LONGEST_DAYS))


def samples(value: object) -> int:
    """Read how many latencies have to be known: no more than are remembered."""
    return _whole(value, WholeNumber(1, LATENCIES_KEPT))


def rank(value: object) -> int:
    """Read any whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"is {written(value)}; give a whole number")
    if abs(value) > MOST:
        raise ConfigurationError(f"is {written(value)}; give a whole number from -{MOST} to {MOST}")
    return value


def portion(value: object) -> float:
    """Read a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigurationError(f"is {written(value)}; give a number from 0 to 1")
    return float(value)


def inside(value: object) -> float:
    """Read a number above 0 and below 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ConfigurationError(f"is {written(value)}; give a number above 0 and below 1")
    return value


def factor(value: object) -> float:
    """Read a number above 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 < value <= LONGEST:
        raise ConfigurationError(f"is {written(value)}; give a number above 1 and at most {LONGEST:g}")
    return float(value)


def switch(value: object) -> bool:
    """Read a boolean as TOML writes it."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"is {written(value)}; give true or false, without quotation marks")
    return value


def jitter(value: object) -> bool | str:
    """Read whether and how waits are spread."""
    if isinstance(value, bool):
        return value
    return _one_of(value, JITTERS, "true, false or one of ")


def frequency(value: object) -> str:
    """Read the word for an upstream's rhythm."""
    return _one_of(value, tuple(UPDATE_INTERVALS), "one of ")


def mode(value: object) -> str:
    """Read what becomes of a payload that breaks its contract."""
    return _one_of(value, tuple(ContractMode), "one of ")


def names(value: object) -> tuple[str, ...]:
    """Read a list of names."""
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and name for name in value):
        raise ConfigurationError(f'is {written(value)}; give a list of names such as ["cod"], or [] for none')
    return tuple(value)


def name(value: object) -> str:
    """Read a name."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ConfigurationError(f"is {written(value)}; give a name, as text in one line")
    return value


def faults(value: object) -> tuple[FailureKind, ...]:
    """Read a list of failure kinds."""
    words = tuple(FailureKind)
    if not isinstance(value, list | tuple):
        raise ConfigurationError(f'is {written(value)}; give a list of failure kinds such as ["timeout", "server"]')
    for word in value:
        if not isinstance(word, str) or word not in words:
            meant = did_you_mean(word, words)
            raise ConfigurationError(f"holds {written(word)}; give some of {', '.join(words)}{meant}")
    return tuple(map(FailureKind, value))


def several(value: object) -> tuple[object, ...]:
    """Read a list of anything."""
    if not isinstance(value, list | tuple):
        raise ConfigurationError(f"is {written(value)}; give a list, such as [[]] for one empty list")
    return tuple(value)


def seed(value: object) -> int:
    """Read a whole number of as many bits as a seed has."""
    if isinstance(value, bool) or not isinstance(value, int) or value.bit_length() > SEED_BITS:
        raise ConfigurationError(f"is {written(value)}; give a whole number of up to {SEED_BITS} bits")
    return value


def line(value: object) -> str:
    """Read one line of text that can stand in a header."""
    if not isinstance(value, str) or not value.strip() or not (value.isascii() and value.isprintable()):
        raise ConfigurationError(f"is {written(value)}; give one line of printable ASCII")
    return value


def addresses(value: object) -> tuple[str, ...]:
    """Read a list of addresses and networks; whether they are any is the policy's to say."""
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
        accepted = 'give a list of addresses or networks such as ["127.0.0.1", "10.0.0.0/8"]'
        raise ConfigurationError(f"is {written(value)}; {accepted}")
    return tuple(value)


_BY_TYPE: Mapping[Any, Callable[[object], Any]] = {
    Seconds: limit,
    str | None: line,
    bool: switch,
    tuple[str, ...]: addresses,
}


def of_http(name: str) -> Callable[[object], Any]:
    """Return what reads a member of the HTTP policy: by its type, and then as the policy itself takes it."""
    if name in COUNTS:
        return lambda value: _whole(value, COUNTS[name])
    read = _BY_TYPE.get(get_type_hints(HttpPolicy)[name], _as_given)

    def check(value: object) -> Any:
        settled = read(value)
        try:
            HttpPolicy(**{name: settled})
        except ConfigurationError as error:
            raise ConfigurationError(str(error).removeprefix(f"http.{name} ")) from None
        return settled

    return check


def location(value: object) -> Path:
    """Read the path of a folder."""
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ConfigurationError(f"is {written(value)}; give the path of a folder")
    return Path(value)


def milliseconds(text: str) -> float:
    """Read a variable's whole milliseconds as seconds."""
    if _WHOLE.fullmatch(text) and 1 <= int(text) <= _MOST_MS:
        return int(text) / 1000
    raise ConfigurationError(
        f"is {written(text)}; give a whole number of milliseconds from 1 to {_MOST_MS}{_meant_milliseconds(text)}"
    )


def whole_number(text: str) -> int:
    """Read a variable's whole number of 0 or more."""
    if not _WHOLE.fullmatch(text):
        raise ConfigurationError(f"is {written(text)}; give {WholeNumber(0).form}, in digits alone")
    return int(text)


def yes_or_no(text: str) -> bool:
    """Read a variable's boolean in any of the usual spellings, whatever their case."""
    word = text.lower()
    if word not in YES + NO:
        raise ConfigurationError(f"is {written(text)}; give true or false (or yes, no, on, off, 1, 0)")
    return word in YES


def _as_given(value: object) -> object:
    return value


def _whole(value: object, accepted: WholeNumber) -> int:
    if not accepted.holds(value):
        raise ConfigurationError(f"is {written(value)}; give {accepted.instead_of(value)}")
    return value


def _duration(value: object, *, zero: bool) -> float:
    if isinstance(value, str):
        return _told_duration(value, zero=zero)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"is {written(value)}; give {DURATION_FORM}")
    if value < 0:
        raise ConfigurationError(f"is {written(value)}; give {_floor(zero=zero)} and at most {LONGEST:g} seconds")
    return seconds(value, "", zero=zero)


def _told_duration(text: str, *, zero: bool) -> float:
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ConfigurationError(f"is {written(text)}; give {DURATION_FORM}")
    amount = _amount(match)
    if 0 < amount <= LONGEST or (zero and amount == 0):
        return abs(amount)
    mistaken = LONGEST < amount <= LONGEST * 1000 and match[2] in {None, "s"}
    hint = f"; the unit is seconds; did you mean {amount / 1000:g}?" if mistaken else ""
    raise ConfigurationError(f"is {written(text)}; give {_floor(zero=zero)} and at most {LONGEST:g} seconds{hint}")


def _amount(match: re.Match[str]) -> float:
    return float(match[1]) * UNITS[match[2] or "s"]


def _floor(*, zero: bool) -> str:
    return "0 or more" if zero else "more than 0"


def _meant_milliseconds(text: str) -> str:
    """Offer the milliseconds of a duration that was given with its unit."""
    if not text[-1:].isalpha():
        return ""
    try:
        return f"; did you mean {limit(text) * 1000:.0f}?"
    except ConfigurationError:
        return ""


def _one_of(value: object, words: tuple[str, ...], also: str) -> str:
    if isinstance(value, str) and value in words:
        return value
    raise ConfigurationError(f"is {written(value)}; give {also}{', '.join(words)}{did_you_mean(value, words)}")
