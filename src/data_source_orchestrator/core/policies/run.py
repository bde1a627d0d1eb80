"""How one run behaves."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import Seconds, count, flag, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorConfig:
    """How one run behaves.

    `timeout` is the whole run's limit in seconds. `min_successful_sources` is what makes a run sufficient; with
    `accept_stale` a source that served older data beside its failure counts there too, and nowhere else.
    """

    timeout: Seconds = 60.0
    max_retries: int = 3
    parallel_execution: bool = True
    fail_fast: bool = False
    min_successful_sources: int = 1
    accept_stale: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "timeout", seconds(self.timeout, "timeout"))
        count(self.max_retries, "max_retries")
        flag(self.parallel_execution, "parallel_execution")
        flag(self.fail_fast, "fail_fast")
        count(self.min_successful_sources, "min_successful_sources")
        flag(self.accept_stale, "accept_stale")
