"""Where settings come from: each origin as flat keys with their values, merged key by key, later ones over earlier.

Nothing is judged here but what only the origin itself can judge: the text of a variable, an unknown name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_source_orchestrator.core.errors import ConfigurationError, nearest
from data_source_orchestrator.settings.reference import SETTINGS, VARIABLES
from data_source_orchestrator.settings.spelling import Key, spelled, table
from data_source_orchestrator.settings.values import milliseconds, whole_number, yes_or_no

PREFIXES = ("DATA_ORCHESTRATOR_", "DSO_")
"""Variables that begin so are ours, and an unknown one is a mistake."""

LET_THROUGH = "DSO_TEST_"
"""Variables that begin so steer the project's own tests."""

READERS: Mapping[str, Callable[[str], object]] = {
    "DATA_ORCHESTRATOR_TIMEOUT_MS": milliseconds,
    "DATA_ORCHESTRATOR_MAX_RETRIES": whole_number,
    "DATA_ORCHESTRATOR_PARALLEL_EXECUTION": yes_or_no,
    "DSO_DATA_DIR": str,
}

FLAGS: Mapping[str, Key] = {
    name: (section, name)
    for section, _, name in (setting.key.partition(".") for setting in SETTINGS)
    if section in {"run", "store"} and "." not in name
}
"""The settings that a command line may set, by the name of their flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value as somebody gave it.

    `origin` names it in their words, `file` is the settings file if it stands in one, and a relative path starts
    from `base`.
    """

    value: object
    origin: str
    base: Path
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one origin gives, and the sentences on what it gives wrongly."""

    given: Mapping[Key, Given] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The variables that are set to something, those of `.env` below the process's own."""

    values: Mapping[str, str]
    from_file: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()

    def origin(self, name: str) -> str:
        """Return what a person calls the variable."""
        return f"variable {name} (file .env)" if name in self.from_file else f"variable {name}"


def from_document(document: Mapping[str, Any], file: str, base: Path) -> Layer:
    """Flatten a settings file."""
    given = {}
    for key, value in _leaves(document, ()):
        name = table(key) if isinstance(value, dict) else spelled(key)
        given[key] = Given(value=value, origin=f"file {file} {name}", base=base, file=file)
    return Layer(given=given)


def from_environment(environment: Environment, base: Path) -> Layer:
    """Take the variables that are settings, and refuse those that look like one and are none."""
    given: dict[Key, Given] = {}
    problems: list[str] = []
    for setting in SETTINGS:
        name = setting.variable
        text = environment.values.get(name, "").strip() if name else ""
        if not name or not text:
            continue
        origin = environment.origin(name)
        try:
            given[tuple(setting.key.split("."))] = Given(value=READERS[name](text), origin=origin, base=base)
        except ConfigurationError as error:
            problems.append(f"{origin} {error}")
    problems += [unknown(environment.origin(name), name, VARIABLES) for name in environment.values if _strange(name)]
    return Layer(given=given, problems=tuple(problems))


def from_flags(flags: Mapping[str, object], base: Path) -> Layer:
    """Take the flags that were given: those that are not None."""
    told = {name: value for name, value in flags.items() if value is not None}
    return Layer(
        given={
            FLAGS[name]: Given(value=value, origin=f"flag {_flag(name)}", base=base)
            for name, value in told.items()
            if name in FLAGS
        },
        problems=tuple(
            unknown(f"flag {_flag(name)}", _flag(name), map(_flag, FLAGS)) for name in told if name not in FLAGS
        ),
    )


def merge(layers: Iterable[Layer]) -> dict[Key, Given]:
    """Lay each layer over those before it.

    A layer that sets the number of retries means every source that sets none itself, so it also outdoes
    what an earlier layer wrote under `[retry]`.
    """
    merged: dict[Key, Given] = {}
    for layer in layers:
        if ("run", "max_retries") in layer.given:
            merged.pop(("retry", "max_retries"), None)
        merged.update(layer.given)
    return merged


def nested(merged: Mapping[Key, Given]) -> dict[str, Any]:
    """Return the tables that flat keys stand for; where a table's place is taken by a value, the value stays."""
    document: dict[str, Any] = {}
    for key in sorted(merged, key=len):
        place: Any = document
        for part in key[:-1]:
            place = place.setdefault(part, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            value = merged[key].value
            place[key[-1]] = {} if value == {} else value
    return document


def unknown(origin: str, name: str, known: Iterable[str]) -> str:
    """Say of a name that is none what was meant, or what there is."""
    by_lower = {each.lower(): each for each in known}
    near = nearest(name, by_lower)
    hint = f"did you mean {by_lower[near]}?" if near else f"there are {', '.join(by_lower.values())}"
    return f"{origin} is not known; {hint}"


def _leaves(tables: Mapping[str, Any], above: Key) -> Iterable[tuple[Key, object]]:
    for name, value in tables.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _strange(name: str) -> bool:
    return name.startswith(PREFIXES) and not name.startswith(LET_THROUGH) and name not in VARIABLES


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
