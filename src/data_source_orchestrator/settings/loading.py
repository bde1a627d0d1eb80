"""Settings from defaults, file, environment and flags, each over the one before, checked once and told at once.

The environment and the folder are handed in; nothing is built from the settings here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import (
    BudgetPolicy,
    FreshnessPolicy,
    GatePolicy,
    HealthPolicy,
    LimitPolicy,
    OrchestratorConfig,
    RetryConfig,
)
from data_source_orchestrator.settings.files import SettingsFile, read_environment, read_settings_file
from data_source_orchestrator.settings.layers import (
    Environment,
    Given,
    Layer,
    from_document,
    from_environment,
    from_flags,
    merge,
    nested,
)
from data_source_orchestrator.settings.laying import laid_over, limits_laid_over
from data_source_orchestrator.settings.overrides import SourceOverrides
from data_source_orchestrator.settings.reference import CONFIG_VARIABLE, SETTLED_HTTP
from data_source_orchestrator.settings.spelling import Key, table, unknown
from data_source_orchestrator.web.policy import HttpPolicy

if TYPE_CHECKING:
    from data_source_orchestrator.settings.model import Flaw

R = TypeVar("R")

DEFAULT_FILE = "dso.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that was settled before a run.

    `budget` is what the extra calls of one run may spend together, `limits` hold for all sources, and `hosts` by the
    host that a source names. `data_dir` None means the user's own data folder, `plugins` None every installed plug-in.
    `environment` is what plug-ins read, `.env` included, and `from_dotenv` the names that only that file gives.
    `origins` tells, by dotted key, where each value came from that is not a default.
    """

    run: OrchestratorConfig = OrchestratorConfig()
    budget: BudgetPolicy = BudgetPolicy()
    retry: RetryConfig = RetryConfig()
    health: HealthPolicy = HealthPolicy()
    gate: GatePolicy = GatePolicy()
    freshness: FreshnessPolicy = FreshnessPolicy()
    http: HttpPolicy = SETTLED_HTTP
    limits: LimitPolicy | None = None
    hosts: Mapping[str, LimitPolicy] = field(default_factory=dict)
    data_dir: Path | None = None
    plugins: tuple[str, ...] | None = None
    sources: Mapping[str, SourceOverrides] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    from_dotenv: frozenset[str] = frozenset()
    origins: Mapping[str, str] = field(default_factory=dict)

    def origin_of(self, variable: str) -> str:
        """Return what a person calls a variable of the environment."""
        return Environment(values=self.environment, from_file=self.from_dotenv).origin(variable)


def load(
    *,
    environ: Mapping[str, str],
    folder: Path,
    config: Path | None = None,
    flags: Mapping[str, object] = MappingProxyType({}),
) -> Settings:
    """Return the settings for a working folder; `config` is the file that a flag named, if any.

    Flags go by the names of their settings (`timeout`, `data_dir`, …); None means not given. Raises
    `ConfigurationError` with one line for each thing that is wrong.
    """
    environment = read_environment(environ, folder)
    layers = (
        _file_layer(config, environment, folder),
        from_environment(environment, folder),
        from_flags(flags, folder),
    )
    merged = merge(layers)
    values, flaws = _validate(merged)
    problems = [*environment.problems, *(told for layer in layers for told in layer.problems)]
    _raise([*problems, *(_sentence(flaw, merged) for flaw in flaws)])
    return _settings(values, merged, environment)


def _validate(merged: Mapping[Key, Given]) -> "tuple[dict[str, Any], tuple[Flaw, ...]]":
    from data_source_orchestrator.settings.model import validate  # noqa: PLC0415 — pydantic is loaded when needed

    return validate(nested(merged))


def _file_layer(config: Path | None, environment: Environment, folder: Path) -> Layer:
    try:
        file = _find(config, environment, folder)
    except ConfigurationError as error:
        return Layer(problems=(str(error),))
    return from_document(file.document, file.name, file.path.parent)


def _find(config: Path | None, environment: Environment, folder: Path) -> SettingsFile:
    if config is not None:
        return read_settings_file(_located(config, folder, environment), str(config), demanded_by="--config")
    named = environment.values.get(CONFIG_VARIABLE, "").strip()
    if named:
        path = _located(Path(named), folder, environment)
        return read_settings_file(path, named, demanded_by=environment.origin(CONFIG_VARIABLE))
    return read_settings_file(folder / DEFAULT_FILE, DEFAULT_FILE)


def _located(path: Path, base: Path, environment: Environment) -> Path:
    """Return a path in full: `~` is the home folder, and a relative one starts from `base`."""
    home = environment.values.get("HOME")
    if home and path.parts[:1] == ("~",):
        return Path(home, *path.parts[1:])
    return base / path


def _sentence(flaw: "Flaw", merged: Mapping[Key, Given]) -> str:
    origin = _origin(flaw.key, merged)
    return f"{origin} {unknown(flaw.key, flaw.value)}" if flaw.unknown else f"{origin} {flaw.message}"


def _origin(key: Key, merged: Mapping[Key, Given]) -> str:
    """Return what the person calls a key; a table is called by the heading that the file gave it."""
    if key in merged:
        return merged[key].origin
    file = next(given.file for below, given in merged.items() if below[: len(key)] == key)
    return f"file {file} {table(key)}"


def _settings(values: Mapping[str, Any], merged: Mapping[Key, Given], environment: Environment) -> Settings:
    building = _Building(merged)
    run = {name: value for name, value in values.get("run", {}).items() if name != "budget"}
    settled = Settings(
        run=building.policy(OrchestratorConfig, ("run",), run),
        budget=building.policy(BudgetPolicy, ("run", "budget"), values.get("run", {}).get("budget", {})),
        retry=building.policy(RetryConfig, ("retry",), values.get("retry", {})),
        health=building.policy(HealthPolicy, ("health",), values.get("health", {})),
        gate=building.policy(GatePolicy, ("gate",), values.get("gate", {})),
        freshness=building.policy(FreshnessPolicy, ("freshness",), values.get("freshness", {})),
        http=building.policy(HttpPolicy, ("http",), values.get("http", {}), own=SETTLED_HTTP),
        limits=building.limits(("limits",), values["limits"]) if values.get("limits") else None,
        hosts=MappingProxyType(
            {
                host: building.limits(("hosts", host, "limits"), members.get("limits", {}))
                for host, members in values.get("hosts", {}).items()
            }
        ),
        data_dir=_data_dir(values, merged, environment),
        plugins=values.get("plugins"),
        sources=MappingProxyType(
            {
                key: SourceOverrides(**members, origin=_origin(("sources", key), merged))
                for key, members in values.get("sources", {}).items()
            }
        ),
        environment=MappingProxyType(dict(environment.values)),
        from_dotenv=environment.from_file,
        origins=MappingProxyType({".".join(key): given.origin for key, given in merged.items()}),
    )
    _raise(building.problems)
    return settled


class _Building:
    """Builds policies; values that are good alone and bad together are a problem told by all that were given."""

    def __init__(self, merged: Mapping[Key, Given]) -> None:
        self.problems: list[str] = []
        self._merged = merged

    def policy(self, kind: type[R], table: Key, members: Mapping[str, Any], own: R | None = None) -> R:
        """Return a policy of which all members have defaults, those of `own` where it is given."""
        try:
            return laid_over(own, kind, members, ".".join(table))
        except ConfigurationError as error:
            self._note(error, table, members)
            return kind()

    def limits(self, table: Key, members: Mapping[str, Any]) -> LimitPolicy:
        """Return the limits of one scope."""
        try:
            return limits_laid_over(None, members)
        except ConfigurationError as error:
            self._note(error, table, {})
            return LimitPolicy()

    def _note(self, error: ConfigurationError, table: Key, members: Iterable[str]) -> None:
        told = [_origin((*table, name), self._merged) for name in members if name in str(error)]
        self.problems.append(f"{' and '.join(told) or _origin(table, self._merged)}: {error}")


def _data_dir(values: Mapping[str, Any], merged: Mapping[Key, Given], environment: Environment) -> Path | None:
    path = values.get("store", {}).get("data_dir")
    return None if path is None else _located(path, merged["store", "data_dir"].base, environment)


def _raise(problems: list[str]) -> None:
    if problems:
        raise ConfigurationError("\n".join(problems))
