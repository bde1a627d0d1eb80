"""How much of what is published may be missing from a new snapshot before it is held back."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import count, flag, share


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """How much a new snapshot may have lost against the published one and still be published.

    `entities` is the share of all entities that may vanish at once; `coverage` the share of those that carried a
    field, or belonged to a group, that may cease to. Fewer than `fewest` lost ones never hold anything back.
    `enabled` False publishes whatever was merged.
    """

    enabled: bool = True
    entities: float = 0.1
    coverage: float = 0.2
    fewest: int = 3

    def __post_init__(self) -> None:
        flag(self.enabled, "gate.enabled")
        object.__setattr__(self, "entities", share(self.entities, "gate.entities"))
        object.__setattr__(self, "coverage", share(self.coverage, "gate.coverage"))
        count(self.fewest, "gate.fewest", least=1)
