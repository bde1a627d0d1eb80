"""How runs and calls behave: frozen records, each default written once, checked when built; one idea per file."""

from data_source_orchestrator.core.policies.breaker import BreakerPolicy
from data_source_orchestrator.core.policies.budget import BudgetPolicy, Purpose
from data_source_orchestrator.core.policies.cache import CachePolicy
from data_source_orchestrator.core.policies.chaos import Behaviour, ChaosPolicy, Fault
from data_source_orchestrator.core.policies.concurrency import ConcurrencyPolicy
from data_source_orchestrator.core.policies.freshness import FreshnessPolicy
from data_source_orchestrator.core.policies.gate import GatePolicy
from data_source_orchestrator.core.policies.health import HealthPolicy
from data_source_orchestrator.core.policies.hedge import LATENCIES_KEPT, HedgePolicy
from data_source_orchestrator.core.policies.limits import LimitPolicy
from data_source_orchestrator.core.policies.rate_limit import RateLimitPolicy
from data_source_orchestrator.core.policies.retry import JITTERS, Jitter, RetryConfig
from data_source_orchestrator.core.policies.run import OrchestratorConfig

__all__ = [
    "JITTERS",
    "LATENCIES_KEPT",
    "Behaviour",
    "BreakerPolicy",
    "BudgetPolicy",
    "CachePolicy",
    "ChaosPolicy",
    "ConcurrencyPolicy",
    "Fault",
    "FreshnessPolicy",
    "GatePolicy",
    "HealthPolicy",
    "HedgePolicy",
    "Jitter",
    "LimitPolicy",
    "OrchestratorConfig",
    "Purpose",
    "RateLimitPolicy",
    "RetryConfig",
]
