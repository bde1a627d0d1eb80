"""What the troubleshooting list is answered from, and what an answer is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import HealthPolicy, OrchestratorConfig
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.health.reports import HealthReport, OverallHealth
from data_source_orchestrator.health.state import Execution
from data_source_orchestrator.orchestration.views import SourceView

Verdict = Literal["ok", "look here", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found on one line of the list, and the command to type next."""

    verdict: Verdict
    told: str
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the set-up, after every enabled source was probed.

    `readmitted` are those that this very probe let through their breakers again. `recent` are each source's last
    executions, the newest first. `variables` are those that are set and read by
    somebody here, `origins` where settings come from that are no defaults, `file` is the settings file's name. `dso`
    makes a command of a verb.
    """

    views: Mapping[str, SourceView]
    reports: Mapping[str, HealthReport]
    readmitted: tuple[str, ...]
    recent: Mapping[str, tuple[Execution, ...]]
    overall: OverallHealth
    run: OrchestratorConfig
    retries: int
    health: HealthPolicy
    variables: Mapping[str, str]
    origins: Mapping[str, str]
    file: str
    dso: Callable[[str], str]

    @property
    def enabled(self) -> tuple[str, ...]:
        """The keys of the sources that are enabled."""
        return tuple(key for key, view in self.views.items() if view.source.enabled)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The keys of the enabled sources whose probe found no good answer."""
        checks = {key: self.reports[key].last_check for key in self.enabled}
        return tuple(key for key, check in checks.items() if check is None or not check.ok)

    @property
    def run_limit(self) -> float:
        """The run's limit in seconds."""
        return in_seconds(self.run.timeout)

    @property
    def edit(self) -> str:
        """The command that opens the settings file."""
        return f"${{EDITOR:-vi}} {self.file}"

    def timeout(self, key: str) -> float:
        """Return a source's whole budget in seconds."""
        return in_seconds(self.views[key].source.timeout)

    def failed_lately(self, *kinds: FailureKind) -> dict[str, list[Execution]]:
        """Return the recent executions that failed in one of these ways, by source; sources without any are absent."""
        found = {key: [one for one in executions if one.kind in kinds] for key, executions in self.recent.items()}
        return {key: executions for key, executions in found.items() if executions}

    @property
    def ever_ran(self) -> bool:
        """Whether there is any execution to judge by."""
        return any(self.recent.values())
