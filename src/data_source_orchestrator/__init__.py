"""One call that fetches from many unreliable sources at once and returns one answer that can be trusted.

Every name is loaded when it is first used: importing this package loads nothing else, so that the command can answer
Ctrl-C from its first moment on.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from data_source_orchestrator.assemble import orchestrator, source_coordinator
    from data_source_orchestrator.core.allowance import Allowance
    from data_source_orchestrator.core.claim import Contribution, MergeRules, Record
    from data_source_orchestrator.core.classification import Classification, Sign
    from data_source_orchestrator.core.clock import Chance, Clock, ManualClock, SystemClock
    from data_source_orchestrator.core.context import FetchContext, HttpClient, HttpResponse
    from data_source_orchestrator.core.contract import Baseline, Contract, ContractMode, Field, Judgement, Tally
    from data_source_orchestrator.core.deadline import Deadline
    from data_source_orchestrator.core.errors import (
        ConfigurationError,
        DsoError,
        FetchError,
        InsufficientSourcesError,
        NotAskedError,
        PermitError,
        SourceFailedError,
        StoreError,
        UnknownSourceError,
    )
    from data_source_orchestrator.core.held import Gate, GateDecision, Held, Loss
    from data_source_orchestrator.core.listening import Listening
    from data_source_orchestrator.core.outcome import Executed, Failure, Outcome, Skipped, Success
    from data_source_orchestrator.core.plugin import Plugin, Variable
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
        LimitPolicy,
        OrchestratorConfig,
        Purpose,
        RateLimitPolicy,
        RetryConfig,
    )
    from data_source_orchestrator.core.result import FetchResult, Metadata, MetaResult
    from data_source_orchestrator.core.served import Served
    from data_source_orchestrator.core.snapshot import Entity, Snapshot, SnapshotChange
    from data_source_orchestrator.core.source import Source, source
    from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
    from data_source_orchestrator.fanout.coordinator import SourceCoordinator
    from data_source_orchestrator.health.freshness import Freshness
    from data_source_orchestrator.health.metrics import Metrics, SourceMetrics
    from data_source_orchestrator.health.reports import HealthReport, OverallHealth
    from data_source_orchestrator.health.status import HealthStatus
    from data_source_orchestrator.history.cache import SqliteCache
    from data_source_orchestrator.history.responses import SqliteResponses
    from data_source_orchestrator.history.store import SqliteStore
    from data_source_orchestrator.orchestration.orchestrator import DataSourceOrchestrator
    from data_source_orchestrator.orchestration.sync import SyncReport
    from data_source_orchestrator.resilience.backoff import Backoff
    from data_source_orchestrator.resilience.breaker import BreakerState, BreakerStatistics, CircuitBreaker, Permit
    from data_source_orchestrator.resilience.budget import RetryBudget
    from data_source_orchestrator.resilience.cache import ResultCache
    from data_source_orchestrator.resilience.concurrency import ConcurrencyLimiter, Slot
    from data_source_orchestrator.resilience.guarded import Guarded, guard
    from data_source_orchestrator.resilience.memory_cache import MemoryCache
    from data_source_orchestrator.resilience.rate_limiter import Decision, RateLimiter
    from data_source_orchestrator.web.policy import HttpPolicy
    from data_source_orchestrator.web.pool import HttpPool

_HOMES = {
    "assemble": ("orchestrator", "source_coordinator"),
    "core.claim": ("Contribution", "MergeRules", "Record"),
    "core.classification": ("Classification", "Sign"),
    "core.clock": ("Chance", "Clock", "ManualClock", "SystemClock"),
    "core.context": ("FetchContext", "HttpClient", "HttpResponse"),
    "core.contract": ("Baseline", "Contract", "ContractMode", "Field", "Judgement", "Tally"),
    "core.deadline": ("Deadline",),
    "core.errors": (
        "ConfigurationError",
        "DsoError",
        "FetchError",
        "InsufficientSourcesError",
        "NotAskedError",
        "PermitError",
        "SourceFailedError",
        "StoreError",
        "UnknownSourceError",
    ),
    "core.held": ("Gate", "GateDecision", "Held", "Loss"),
    "core.listening": ("Listening",),
    "core.outcome": ("Executed", "Failure", "Outcome", "Skipped", "Success"),
    "core.plugin": ("Plugin", "Variable"),
    "core.allowance": ("Allowance",),
    "core.policies": (
        "ConcurrencyPolicy",
        "LimitPolicy",
        "RateLimitPolicy",
        "BreakerPolicy",
        "BudgetPolicy",
        "CachePolicy",
        "ChaosPolicy",
        "FreshnessPolicy",
        "GatePolicy",
        "HealthPolicy",
        "HedgePolicy",
        "OrchestratorConfig",
        "Purpose",
        "RetryConfig",
    ),
    "core.result": ("FetchResult", "MetaResult", "Metadata"),
    "core.served": ("Served",),
    "core.snapshot": ("Entity", "Snapshot", "SnapshotChange"),
    "core.source": ("Source", "source"),
    "core.verdicts": ("FailureKind", "SkipReason", "Verdict"),
    "fanout.coordinator": ("SourceCoordinator",),
    "health.freshness": ("Freshness",),
    "health.metrics": ("Metrics", "SourceMetrics"),
    "health.reports": ("HealthReport", "OverallHealth"),
    "health.status": ("HealthStatus",),
    "history.cache": ("SqliteCache",),
    "history.responses": ("SqliteResponses",),
    "history.store": ("SqliteStore",),
    "orchestration.orchestrator": ("DataSourceOrchestrator",),
    "orchestration.sync": ("SyncReport",),
    "resilience.backoff": ("Backoff",),
    "resilience.rate_limiter": ("Decision", "RateLimiter"),
    "resilience.concurrency": ("ConcurrencyLimiter", "Slot"),
    "resilience.breaker": ("BreakerState", "BreakerStatistics", "CircuitBreaker", "Permit"),
    "resilience.budget": ("RetryBudget",),
    "resilience.cache": ("ResultCache",),
    "resilience.guarded": ("Guarded", "guard"),
    "resilience.memory_cache": ("MemoryCache",),
    "web.policy": ("HttpPolicy",),
    "web.pool": ("HttpPool",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Allowance",
    "Backoff",
    "Baseline",
    "BreakerPolicy",
    "BreakerState",
    "BreakerStatistics",
    "BudgetPolicy",
    "CachePolicy",
    "Chance",
    "ChaosPolicy",
    "CircuitBreaker",
    "Classification",
    "Clock",
    "ConcurrencyLimiter",
    "ConcurrencyPolicy",
    "ConfigurationError",
    "Contract",
    "ContractMode",
    "Contribution",
    "DataSourceOrchestrator",
    "Deadline",
    "Decision",
    "DsoError",
    "Entity",
    "Executed",
    "Failure",
    "FailureKind",
    "FetchContext",
    "FetchError",
    "FetchResult",
    "Field",
    "Freshness",
    "FreshnessPolicy",
    "Gate",
    "GateDecision",
    "GatePolicy",
    "Guarded",
    "HealthPolicy",
    "HealthReport",
    "HealthStatus",
    "HedgePolicy",
    "Held",
    "HttpClient",
    "HttpPolicy",
    "HttpPool",
    "HttpResponse",
    "InsufficientSourcesError",
    "Judgement",
    "LimitPolicy",
    "Listening",
    "Loss",
    "ManualClock",
    "MemoryCache",
    "MergeRules",
    "MetaResult",
    "Metadata",
    "Metrics",
    "NotAskedError",
    "OrchestratorConfig",
    "Outcome",
    "OverallHealth",
    "Permit",
    "PermitError",
    "Plugin",
    "Purpose",
    "RateLimitPolicy",
    "RateLimiter",
    "Record",
    "ResultCache",
    "RetryBudget",
    "RetryConfig",
    "Served",
    "Sign",
    "SkipReason",
    "Skipped",
    "Slot",
    "Snapshot",
    "SnapshotChange",
    "Source",
    "SourceCoordinator",
    "SourceFailedError",
    "SourceMetrics",
    "SqliteCache",
    "SqliteResponses",
    "SqliteStore",
    "StoreError",
    "Success",
    "SyncReport",
    "SystemClock",
    "Tally",
    "UnknownSourceError",
    "Variable",
    "Verdict",
    "guard",
    "orchestrator",
    "source",
    "source_coordinator",
]


def __getattr__(name: str) -> "Any":
    """Load a public name from the module where it lives."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 — nothing is loaded before a name is asked for

    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
