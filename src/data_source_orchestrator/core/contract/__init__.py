"""What a payload must be before it counts as data: declared with its source, judged purely."""

from data_source_orchestrator.core.contract.baseline import NO_BASELINE, Baseline, Tally
from data_source_orchestrator.core.contract.checks import ContractMode
from data_source_orchestrator.core.contract.fields import Field
from data_source_orchestrator.core.contract.judgement import ACCEPTED, Judgement
from data_source_orchestrator.core.contract.policy import ANYTHING, Contract

__all__ = [
    "ACCEPTED",
    "ANYTHING",
    "NO_BASELINE",
    "Baseline",
    "Contract",
    "ContractMode",
    "Field",
    "Judgement",
    "Tally",
]
