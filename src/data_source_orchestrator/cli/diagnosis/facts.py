"""What the troubleshooting list is answered from, and what an answer is."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from data_source_orchestrator.core.durations import LONGEST, in_seconds
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.policies import HealthPolicy, OrchestratorConfig
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.health.reports import HealthReport, OverallHealth
from data_source_orchestrator.health.state import Cut, Execution
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
    makes a command of a verb; `elsewhere` is the one that looks again with another data folder. `files` are those of
    the store that are there, its database first. `breaches` are the folders of what sources served that was no data, by
    source, the newest first, and `drift` the open findings of each source's documents, none of those without.
    `trouble` is what keeps the `store` from being used: then nothing is known of what was before, and `dso` knows no
    command but to look again.
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
    elsewhere: str
    store: Path
    files: tuple[Path, ...] = ()
    breaches: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    trouble: StoreError | None = None
    drift: Mapping[str, int] = field(default_factory=dict)

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
    def offline(self) -> tuple[str, ...]:
        """The keys of the enabled sources whose probe was made while our own network was down."""
        checks = {key: self.reports[key].last_check for key in self.enabled}
        return tuple(key for key, check in checks.items() if check is not None and check.offline)

    @property
    def held(self) -> dict[str, float]:
        """The seconds for which upstreams asked to be left alone, by enabled source, where no run can wait so long."""
        asked = {key: self.views[key].held_for or 0.0 for key in self.enabled}
        return {key: wait for key, wait in asked.items() if wait > min(self.timeout(key), self.run_limit)}

    @property
    def promising(self) -> bool:
        """Whether a run could be kept and suffice now, by who answered."""
        willing = [key for key in self.enabled if key not in self.unanswered and key not in self.held]
        return self.trouble is None and bool(self.enabled) and len(willing) >= self.run.min_successful_sources

    @property
    def run_limit(self) -> float:
        """The run's limit in seconds."""
        return in_seconds(self.run.timeout)

    @property
    def edit(self) -> str:
        """The command that opens the settings file."""
        return f"${{EDITOR:-vi}} {self.file}"

    @property
    def longest(self) -> float:
        """The seconds that a run may need, if every enabled source takes all of its own time."""
        needed = [self.timeout(key) for key in self.enabled]
        return max(needed, default=0.0) if self.run.parallel_execution else sum(needed)

    @property
    def long_enough(self) -> str:
        """The command of a run that leaves every source its own time."""
        return self.dso(f"sync --timeout {math.ceil(min(self.longest, LONGEST))}")

    @property
    def cut_short(self) -> dict[str, tuple[Cut, ...]]:
        """The runs that left a source too little time to tell anything of it, by enabled source; others are absent."""
        return {key: self.reports[key].cut_short for key in self.enabled if self.reports[key].cut_short}

    def timeout(self, key: str) -> float:
        """Return a source's whole budget in seconds."""
        return in_seconds(self.views[key].source.timeout)

    def failed_lately(self, *kinds: FailureKind) -> dict[str, list[Execution]]:
        """Return the recent executions that failed in one of these ways, by source; sources without any are absent."""
        found = {key: [one for one in executions if one.kind in kinds] for key, executions in self.recent.items()}
        return {key: executions for key, executions in found.items() if executions}

    @property
    def silence(self) -> str | None:
        """Why there is no execution to judge by; None where there is one."""
        if any(self.recent.values()):
            return None
        if self.trouble is not None:
            return "what ran before is not known without the store"
        if any(self.reports[key].offline for key in self.enabled):
            return "our own network was down whenever something ran"
        return "the run's limit cut short all that has run" if self.cut_short else "nothing has run yet"

    @property
    def unjudged(self) -> Finding:
        """The finding where there is no execution to judge by."""
        if self.trouble is not None:
            return Finding("unknown", self.silence or "", self.dso("doctor"))
        return Finding("unknown", self.silence or "", self.long_enough if self.cut_short else self.dso("sync"))
