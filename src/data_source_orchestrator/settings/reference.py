"""Every setting in one table: its key, what it does, its default and the variable that sets it too.

The reference docs are made from it, and a test holds it against the model. Defaults stay written where they act.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from data_source_orchestrator.core.contract import Contract
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    BudgetPolicy,
    CachePolicy,
    ChaosPolicy,
    ConcurrencyPolicy,
    FreshnessPolicy,
    GatePolicy,
    HealthPolicy,
    HedgePolicy,
    OrchestratorConfig,
    RateLimitPolicy,
    RetryConfig,
)
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.web.policy import HttpPolicy

CONFIG_VARIABLE = "DSO_CONFIG"

ANY = {"sources": "KEY", "hosts": "HOST"}
"""What stands for a source's key, and for a host's name, in the table of settings."""

SOURCE = f"sources.{ANY['sources']}"
HOST = f"hosts.{ANY['hosts']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: `key` is its place in the file, dotted, with `KEY` for a source's key and `HOST` for a host's name.

    `variable` is the environment variable that sets it too; a `default` of None means what `meaning` says.
    """

    key: str
    meaning: str
    default: object
    variable: str | None = None


def _defaults(settled: type[Any]) -> dict[str, object]:
    """Return a record's defaults as its class states them."""
    return {member.name: member.default for member in fields(settled) if member.default is not MISSING}


SETTLED_HTTP = HttpPolicy(cache=True)
"""The HTTP policy of whatever is built from settings: only one made by hand keeps no answers."""

_RUN = _defaults(OrchestratorConfig)
_RETRY = _defaults(RetryConfig)
_HEALTH = _defaults(HealthPolicy)
_HTTP = {name: getattr(SETTLED_HTTP, name) for name in _defaults(HttpPolicy)}
_SOURCE = _defaults(Source)

_OF_HTTP = {
    "max_body": "The most bytes that a body may have when it is decoded.",
    "max_wire": "The most bytes that a body may have as it comes, before it is decoded.",
    "max_header": "The most bytes of the status line, and of each header line.",
    "max_redirects": "How many redirects of one request are followed.",
    "max_json_depth": "How deeply arrays and objects of a JSON body may be nested, up to 500.",
    "max_json_nodes": "How many values a JSON body may hold, arrays and objects included.",
    "max_connections": "How many requests are on the wire at one time; the others wait within their own time.",
    "connect_timeout": "The limit of looking a name up, connecting and TLS together.",
    "user_agent": "Who is asking, as upstreams read it; absent gives the project's name, its version and `contact`.",
    "contact": "Where a site's owner can write to whoever runs this; absent tells no address.",
    "trusted": "Addresses and networks to which a redirect may lead although they are not public.",
    "cache": "Whether answers are kept, so that upstream need not send again what has not changed.",
    "cache_bytes": "The most bytes of all answers that are kept together.",
    "cache_entry_bytes": "The most bytes of one answer that is kept.",
}
"""A member of the policy that is not told here is told in general words."""

_OF_GATE = {
    "enabled": "Whether a snapshot that lost too much is held; false publishes whatever was merged.",
    "entities": "The share of all entities that may vanish from one snapshot to the next, from 0 to 1.",
    "coverage": "The share of a field's or a group's entities that may lose it or vanish, from 0 to 1.",
    "fewest": "Fewer lost ones than this never hold a snapshot back.",
}

_OF_FRESHNESS = {
    "objective": "The share of the time in which each source is meant to be fresh, between 0 and 1.",
    "days": "Over how many days that is measured, up to 90.",
}

_OF_CONTRACT = {
    "mode": "What becomes of a payload that breaks its contract: enforce, warn or quarantine.",
    "minimum_rows": "An answer with fewer rows than this breaks the contract; 0 accepts any.",
    "maximum_rows": "An answer with more rows than this breaks the contract; absent accepts any.",
    "largest_shrink": "The share of the median rows of the last 7 good payloads that may be missing; 1 accepts any.",
    "largest_quarantine": "The share of the rows that may be set aside before the whole answer breaks the contract.",
}

_OF_BREAKER = {
    "failures": "Consecutive failed executions that make the breaker open.",
    "cool_down": "The wait before an open breaker lets an attempt through to find out.",
    "max_cool_down": "The longest such wait; it doubles with each attempt that fails.",
    "spread": "The share by which such a wait varies at random, from 0 to 1.",
    "attempt_failures": "Consecutive failed attempts that make it open; absent counts executions alone.",
    "failure_ratio": "The share of the window's attempts that have to fail; absent means no such rule.",
    "slow_ratio": "The share of the window's attempts that have to be slow; absent means no such rule.",
    "slow_after": "The time from which an attempt is slow; it goes with `slow_ratio`.",
    "minimum_throughput": "The attempts that a window has to hold before a ratio is taken of it.",
    "window": "How many of the last attempts, up to 10000, a ratio is taken over.",
    "window_seconds": "The time whose attempts a ratio is taken over, in place of `window`.",
    "probes": "How many attempts at once a half-open breaker lets through.",
    "success_threshold": "How many of those have to succeed for it to close.",
}

_OF_BUDGET = {
    "tokens": "How many tokens there are at most, and at the beginning; every extra call costs some.",
    "retry_cost": "What each retry costs.",
    "timeout_cost": "What each retry costs after a timeout, which may find the same hang.",
    "refund": "What a success gives back.",
    "hedge_cost": "What the second of two hedged calls costs.",
    "probe_cost": "What a health check costs that nobody asked for by hand.",
    "refresh_cost": "What fetching anew in the background costs.",
    "reserve": "Nothing is paid that would leave fewer tokens than these.",
    "charge_refused": "Whether what is refused is paid for all the same, as far as there are tokens.",
}

_OF_RATE = {
    "limit": "How many calls may begin in any time of `per`, evenly spaced; either needs the other.",
    "per": "The time in which `limit` calls may begin, up to an hour.",
    "burst": "How many calls may begin at once; absent means one.",
}

_OF_CONCURRENCY = {
    "limit": "How many calls may be under way at one time; an adaptive limit begins there.",
    "adaptive": "Whether the limit follows what the upstream bears.",
    "least": "An adaptive limit never falls below this.",
    "most": "An adaptive limit never rises above this; absent means five times `limit`.",
    "decrease": "By what an overload multiplies an adaptive limit, between 0 and 1.",
}

_OF_HEDGE = {
    "quantile": "A second call joins one that lasts longer than this share of the latest successes, between 0 and 1.",
    "least": "The second call never begins before this time.",
    "delay": "A fixed time before the second call, in place of the quantile; 0 starts both at once.",
    "minimum_samples": "Successes that must have been seen before a quantile is told, up to 100.",
}

_OF_CACHE = {
    "ttl": "The age below which a kept answer is served without asking; it has to be given, and 0 always asks.",
    "stale_while_revalidate": "The age up to which it is served while a new one is fetched behind; 0 is never.",
    "stale_if_error": "The age up to which it stands beside a failure; 0 is never.",
    "max_entries": "How many answers are kept of a source that is asked for several things.",
}

_OF_CHAOS = {
    "fault_rate": "The share of calls that fail on purpose; chaos is off unless a rate is set.",
    "faults": "The failure kinds of which such a call gets one.",
    "latency_rate": "The share of calls that are made to wait.",
    "latency": "How much longer they wait.",
    "outcome_rate": "The share of calls that are not made, and give one of `outcomes`.",
    "outcomes": "What such a call gives; absent means nothing at all, which is a failure of kind empty.",
    "seed": "A whole number that makes the same calls go wrong again; absent draws one.",
}

CONFIG = Setting(
    key="config",
    meaning="The settings file, by `--config` or the variable; absent means `dso.toml` in the working folder, if any.",
    default=None,
    variable=CONFIG_VARIABLE,
)
"""Where the settings are read from: the one setting that cannot stand in the file."""


def _run(name: str, meaning: str, variable: str | None = None) -> Setting:
    return Setting(key=f"run.{name}", meaning=meaning, default=_RUN[name], variable=variable)


def _retry(name: str, meaning: str) -> Setting:
    return Setting(key=f"retry.{name}", meaning=meaning, default=_RETRY[name])


def _health(name: str, meaning: str) -> Setting:
    return Setting(key=f"health.{name}", meaning=meaning, default=_HEALTH[name])


def _http(name: str) -> Setting:
    meaning = _OF_HTTP.get(name, f"How far an upstream is trusted: `{name}` of the HTTP policy.")
    return Setting(key=f"http.{name}", meaning=meaning, default=_HTTP[name])


def _source(name: str, meaning: str) -> Setting:
    return Setting(key=f"{SOURCE}.{name}", meaning=meaning, default=_SOURCE[name])


def _members(table: str, policy: type[Any], meanings: Mapping[str, str]) -> tuple[Setting, ...]:
    """Return the settings of a table that holds a policy; a member that has to be given has no default."""
    defaults = _defaults(policy)
    return tuple(
        Setting(key=f"{table}.{name}", meaning=meaning, default=defaults.get(name))
        for name, meaning in meanings.items()
    )


def _limits(above: str) -> tuple[Setting, ...]:
    rate = _members(f"{above}limits.rate", RateLimitPolicy, _OF_RATE)
    return (*rate, *_members(f"{above}limits.concurrency", ConcurrencyPolicy, _OF_CONCURRENCY))


SETTINGS: tuple[Setting, ...] = (
    Setting(
        key="plugins",
        meaning="The plug-ins to load, by entry-point name; absent means all that are installed, `[]` none.",
        default=None,
    ),
    _run(
        "timeout",
        "The whole run's limit, at most an hour; the variable is in milliseconds.",
        "DATA_ORCHESTRATOR_TIMEOUT_MS",
    ),
    _run(
        "max_retries",
        "How often a failed source is tried again where neither it nor `[retry]` says so.",
        "DATA_ORCHESTRATOR_MAX_RETRIES",
    ),
    _run(
        "parallel_execution",
        "Whether all sources are asked at once; false asks them one after another, by priority.",
        "DATA_ORCHESTRATOR_PARALLEL_EXECUTION",
    ),
    _run("fail_fast", "Whether the first source that fails ends the run."),
    _run("min_successful_sources", "How many sources must succeed for a run to be sufficient."),
    _run("accept_stale", "Whether a source that served older data beside its failure counts there too."),
    *_members("run.budget", BudgetPolicy, _OF_BUDGET),
    _retry("max_retries", "How often a failed source is tried again; absent leaves it to `[run]`."),
    _retry("base_delay", "The wait before the first retry."),
    _retry("max_delay", "The longest wait between two attempts, jitter included."),
    _retry("exponential_backoff", "Whether each wait is twice the one before; false keeps to `base_delay`."),
    _retry("jitter", "How waits are spread: true or `quarter` (±25 %), `full`, `decorrelated`, false or `none`."),
    _health("degraded_after", "Consecutive failed executions from which a source is degraded."),
    _health("down_after", "Consecutive failed executions from which a source is down."),
    _health("recent_failures", "Failures among the recent executions that make a source degraded."),
    _health("recent_window", "How many executions, up to 100, are the recent ones."),
    _health("slow_factor", "A source is slow, and so degraded, above this many times its usual latency."),
    _health("slow_share", "A source is slow, and so degraded, above this share of its timeout."),
    *_members("gate", GatePolicy, _OF_GATE),
    *_members("freshness", FreshnessPolicy, _OF_FRESHNESS),
    *map(_http, _HTTP),
    *_limits(""),
    *_limits(f"{HOST}."),
    Setting(
        key="store.data_dir",
        meaning="The folder that holds the store; absent means the user's own data folder.",
        default=None,
        variable="DSO_DATA_DIR",
    ),
    _source("enabled", "Whether the source takes part in runs."),
    _source("priority", "The source's rank: a lower number comes first."),
    _source("timeout", "The source's whole budget in a run: attempts, waits and queueing."),
    _source("attempt_timeout", "The limit of one attempt; absent gives it what is left of `timeout`."),
    _source("max_retries", "How often this source is tried again; absent leaves it to `[retry]` and `[run]`."),
    _source("update_frequency", "How often the upstream changes: realtime, hourly, daily, weekly or monthly."),
    _source("reliability", "How far the source is trusted to answer, from 0 to 1."),
    _source("host", "The name of what it shares limits with other sources; they stand under `[hosts.HOST.limits]`."),
    _source(
        "serve_stale", "The age up to which a kept answer stands beside a failure; `cache.stale_if_error` otherwise."
    ),
    _source("max_data_age", "How long it may say the same before that is told as a flaw; absent is for ever."),
    *_members(f"{SOURCE}.contract", Contract, _OF_CONTRACT),
    _source("robots", "Whether its pages are asked for only as robots.txt allows; false takes a `robots_reason`."),
    _source("robots_reason", "Why robots.txt is not asked, as it is told to whoever reads the report."),
    *_members(f"{SOURCE}.breaker", BreakerPolicy, _OF_BREAKER),
    *_limits(f"{SOURCE}."),
    *_members(f"{SOURCE}.budget", BudgetPolicy, _OF_BUDGET),
    *_members(f"{SOURCE}.hedge", HedgePolicy, _OF_HEDGE),
    *_members(f"{SOURCE}.cache", CachePolicy, _OF_CACHE),
    *_members(f"{SOURCE}.chaos", ChaosPolicy, _OF_CHAOS),
)
"""Every key of the settings file, in the order in which the docs tell them."""

VARIABLES: tuple[str, ...] = tuple(s.variable for s in (CONFIG, *SETTINGS) if s.variable)
"""The environment variables that are settings."""
