"""Every setting in one table: its key, what it does, its default and the variable that sets it too.

The reference docs are made from it, and a test holds it against the model. Defaults stay written where they act.
"""

from dataclasses import MISSING, dataclass, fields
from typing import Any

from data_source_orchestrator.core.contract import Contract
from data_source_orchestrator.core.policies import BreakerPolicy, HealthPolicy, OrchestratorConfig, RetryConfig
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.web.policy import HttpPolicy

CONFIG_VARIABLE = "DSO_CONFIG"

ANY_KEY = "KEY"
"""Stands for a source's key in the table of settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: `key` is its place in the file, dotted, with `KEY` for a source's key.

    `variable` is the environment variable that sets it too; a `default` of None means what `meaning` says.
    """

    key: str
    meaning: str
    default: object
    variable: str | None = None


def _defaults(settled: type[Any]) -> dict[str, object]:
    """Return a record's defaults as its class states them."""
    return {member.name: member.default for member in fields(settled) if member.default is not MISSING}


_RUN = _defaults(OrchestratorConfig)
_RETRY = _defaults(RetryConfig)
_HEALTH = _defaults(HealthPolicy)
_HTTP = _defaults(HttpPolicy)
_SOURCE = _defaults(Source) | _defaults(Contract)
_BREAKER = _defaults(BreakerPolicy)

_OF_HTTP = {
    "max_body": "The most bytes that a body may have when it is decoded.",
    "max_wire": "The most bytes that a body may have as it comes, before it is decoded.",
    "max_header": "The most bytes of the status line, and of each header line.",
    "max_redirects": "How many redirects of one request are followed.",
    "max_json_depth": "How deeply arrays and objects of a JSON body may be nested, up to 500.",
    "max_json_nodes": "How many values a JSON body may hold, arrays and objects included.",
    "max_connections": "How many requests are on the wire at one time; the others wait within their own time.",
    "connect_timeout": "The limit of looking a name up, connecting and TLS together.",
    "user_agent": "Who is asking, as upstreams read it; absent gives the project's name and version.",
    "trusted": "Addresses and networks to which a redirect may lead although they are not public.",
}
"""A member of the policy that is not told here is told in general words."""

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
    return Setting(key=f"sources.{ANY_KEY}.{name}", meaning=meaning, default=_SOURCE[name])


def _breaker(name: str, meaning: str) -> Setting:
    return Setting(key=f"sources.{ANY_KEY}.breaker.{name}", meaning=meaning, default=_BREAKER[name])


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
    *map(_http, _HTTP),
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
    _source("minimum_rows", "An answer with fewer rows than this is a failure; 0 accepts any."),
    _breaker("failures", "Consecutive failed executions that make the breaker open."),
    _breaker("cool_down", "The wait before an open breaker lets an attempt through to find out."),
    _breaker("max_cool_down", "The longest such wait; it doubles with each attempt that fails."),
    _breaker("spread", "The share by which such a wait varies at random, from 0 to 1."),
    _breaker("attempt_failures", "Consecutive failed attempts that make it open; absent counts executions alone."),
    _breaker("failure_ratio", "The share of the window's attempts that have to fail; absent means no such rule."),
    _breaker("slow_ratio", "The share of the window's attempts that have to be slow; absent means no such rule."),
    _breaker("slow_after", "The time from which an attempt is slow; it goes with `slow_ratio`."),
    _breaker("minimum_throughput", "The attempts that a window has to hold before a ratio is taken of it."),
    _breaker("window", "How many of the last attempts, up to 10000, a ratio is taken over."),
    _breaker("window_seconds", "The time whose attempts a ratio is taken over, in place of `window`."),
    _breaker("probes", "How many attempts at once a half-open breaker lets through."),
    _breaker("success_threshold", "How many of those have to succeed for it to close."),
)
"""Every key of the settings file, in the order in which the docs tell them."""

VARIABLES: tuple[str, ...] = tuple(s.variable for s in (CONFIG, *SETTINGS) if s.variable)
"""The environment variables that are settings."""
