"""The settings file as pydantic models: which keys there are, and what each accepts.

The only module that imports pydantic. Defaults are not written here: what nobody set is absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, create_model

from data_source_orchestrator.settings import values
from data_source_orchestrator.settings.spelling import Key
from data_source_orchestrator.settings.written import written
from data_source_orchestrator.web.policy import HttpPolicy

ABSENT: Any = None
"""Stands for whatever the engine's own default is; it is never read."""

Limit = Annotated[float, PlainValidator(values.limit)]
Wait = Annotated[float, PlainValidator(values.wait)]
Age = Annotated[float, PlainValidator(values.age)]
Whole = Annotated[int, PlainValidator(values.whole)]
Positive = Annotated[int, PlainValidator(values.positive)]
Window = Annotated[int, PlainValidator(values.window)]
Days = Annotated[int, PlainValidator(values.days)]
Samples = Annotated[int, PlainValidator(values.samples)]
Rank = Annotated[int, PlainValidator(values.rank)]
Portion = Annotated[float, PlainValidator(values.portion)]
Inside = Annotated[float, PlainValidator(values.inside)]
Factor = Annotated[float, PlainValidator(values.factor)]
Switch = Annotated[bool, PlainValidator(values.switch)]
Jitter = Annotated[bool | str, PlainValidator(values.jitter)]
Frequency = Annotated[str, PlainValidator(values.frequency)]
Mode = Annotated[str, PlainValidator(values.mode)]
Name = Annotated[str, PlainValidator(values.name)]
Faults = Annotated[tuple[str, ...], PlainValidator(values.faults)]
Several = Annotated[tuple[object, ...], PlainValidator(values.several)]
Seed = Annotated[int, PlainValidator(values.seed)]
Names = Annotated[tuple[str, ...], PlainValidator(values.names)]
Folder = Annotated[Path, PlainValidator(values.location)]


class Table(BaseModel):
    """A table of the file, in which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BudgetTable(Table):
    """`[run.budget]` and `[sources.KEY.budget]`."""

    tokens: Whole = ABSENT
    retry_cost: Whole = ABSENT
    timeout_cost: Whole = ABSENT
    refund: Whole = ABSENT
    hedge_cost: Whole = ABSENT
    probe_cost: Whole = ABSENT
    refresh_cost: Whole = ABSENT
    reserve: Whole = ABSENT
    charge_refused: Switch = ABSENT


class RunTable(Table):
    """`[run]`."""

    timeout: Limit = ABSENT
    max_retries: Whole = ABSENT
    parallel_execution: Switch = ABSENT
    fail_fast: Switch = ABSENT
    min_successful_sources: Whole = ABSENT
    accept_stale: Switch = ABSENT
    budget: BudgetTable = ABSENT


class RetryTable(Table):
    """`[retry]`."""

    max_retries: Whole = ABSENT
    base_delay: Wait = ABSENT
    max_delay: Wait = ABSENT
    exponential_backoff: Switch = ABSENT
    jitter: Jitter = ABSENT


class HealthTable(Table):
    """`[health]`."""

    degraded_after: Positive = ABSENT
    down_after: Positive = ABSENT
    recent_failures: Positive = ABSENT
    recent_window: Window = ABSENT
    slow_factor: Factor = ABSENT
    slow_share: Portion = ABSENT


class GateTable(Table):
    """`[gate]`."""

    enabled: Switch = ABSENT
    entities: Portion = ABSENT
    coverage: Portion = ABSENT
    fewest: Positive = ABSENT


class FreshnessTable(Table):
    """`[freshness]`."""

    objective: Inside = ABSENT
    days: Days = ABSENT


if TYPE_CHECKING:

    class HttpTable(Table):
        """`[http]`: every member of the HTTP policy, whatever they are."""

else:
    _MEMBERS = {
        member.name: (Annotated[Any, PlainValidator(values.of_http(member.name))], ABSENT)
        for member in fields(HttpPolicy)
    }
    HttpTable = create_model("HttpTable", __base__=Table, **_MEMBERS)


class RateTable(Table):
    """`[limits.rate]`, and the same of a host and of a source."""

    limit: Positive = ABSENT
    per: Limit = ABSENT
    burst: Positive = ABSENT


class ConcurrencyTable(Table):
    """`[limits.concurrency]`, and the same of a host and of a source."""

    limit: Positive = ABSENT
    adaptive: Switch = ABSENT
    least: Positive = ABSENT
    most: Positive = ABSENT
    decrease: Inside = ABSENT


class LimitsTable(Table):
    """`[limits]`, `[hosts.HOST.limits]` and `[sources.KEY.limits]`."""

    rate: RateTable = ABSENT
    concurrency: ConcurrencyTable = ABSENT


class HostTable(Table):
    """`[hosts.HOST]`."""

    limits: LimitsTable = ABSENT


class StoreTable(Table):
    """`[store]`."""

    data_dir: Folder = ABSENT


class ContractTable(Table):
    """`[sources.KEY.contract]`: what an operator may change of it; the fields are the source's own."""

    mode: Mode = ABSENT
    minimum_rows: Whole = ABSENT
    maximum_rows: Positive = ABSENT
    largest_shrink: Portion = ABSENT
    largest_quarantine: Portion = ABSENT


class BreakerTable(Table):
    """`[sources.KEY.breaker]`."""

    failures: Positive = ABSENT
    cool_down: Limit = ABSENT
    max_cool_down: Limit = ABSENT
    spread: Portion = ABSENT
    attempt_failures: Positive = ABSENT
    failure_ratio: Portion = ABSENT
    slow_ratio: Portion = ABSENT
    slow_after: Limit = ABSENT
    minimum_throughput: Positive = ABSENT
    window: Positive = ABSENT
    window_seconds: Limit = ABSENT
    probes: Positive = ABSENT
    success_threshold: Positive = ABSENT


class HedgeTable(Table):
    """`[sources.KEY.hedge]`."""

    quantile: Inside = ABSENT
    least: Wait = ABSENT
    delay: Wait = ABSENT
    minimum_samples: Samples = ABSENT


class CacheTable(Table):
    """`[sources.KEY.cache]`."""

    ttl: Age = ABSENT
    stale_while_revalidate: Age = ABSENT
    stale_if_error: Age = ABSENT
    max_entries: Positive = ABSENT


class ChaosTable(Table):
    """`[sources.KEY.chaos]`: all but behaviours, which are functions."""

    fault_rate: Portion = ABSENT
    faults: Faults = ABSENT
    latency_rate: Portion = ABSENT
    latency: Wait = ABSENT
    outcome_rate: Portion = ABSENT
    outcomes: Several = ABSENT
    seed: Seed = ABSENT


class SourceTable(Table):
    """`[sources.KEY]`."""

    enabled: Switch = ABSENT
    priority: Rank = ABSENT
    timeout: Limit = ABSENT
    attempt_timeout: Limit = ABSENT
    max_retries: Whole = ABSENT
    update_frequency: Frequency = ABSENT
    reliability: Portion = ABSENT
    host: Name = ABSENT
    serve_stale: Age = ABSENT
    max_data_age: Age = ABSENT
    contract: ContractTable = ABSENT
    robots: Switch = ABSENT
    robots_reason: Name = ABSENT
    breaker: BreakerTable = ABSENT
    limits: LimitsTable = ABSENT
    budget: BudgetTable = ABSENT
    hedge: HedgeTable = ABSENT
    cache: CacheTable = ABSENT
    chaos: ChaosTable = ABSENT


class SettingsTable(Table):
    """The whole file."""

    plugins: Names = ABSENT
    run: RunTable = ABSENT
    retry: RetryTable = ABSENT
    health: HealthTable = ABSENT
    gate: GateTable = ABSENT
    freshness: FreshnessTable = ABSENT
    http: HttpTable = ABSENT
    limits: LimitsTable = ABSENT
    hosts: dict[str, HostTable] = ABSENT
    store: StoreTable = ABSENT
    sources: dict[str, SourceTable] = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing wrong: at which key, whether the key itself is unknown, and else what to say of its value."""

    key: Key
    value: object
    unknown: bool
    message: str


def validate(document: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Flaw, ...]]:
    """Return what was set, checked, as nested plain mappings; or, beside nothing, everything that is wrong."""
    try:
        return SettingsTable.model_validate(document).model_dump(exclude_unset=True), ()
    except ValidationError as error:
        return {}, tuple(_flaw(found) for found in error.errors(include_url=False))


def _flaw(found: Mapping[str, Any]) -> Flaw:
    refusal = found.get("ctx", {}).get("error")
    return Flaw(
        key=tuple(map(str, found["loc"])),
        value=found["input"],
        unknown=found["type"] == "extra_forbidden",
        message=str(refusal).strip() if refusal else f"is {written(found['input'])}; give a table",
    )
