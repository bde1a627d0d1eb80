"""What goes wrong, and which failure kind that is: one table for everybody, and what a source adds to it.

Read by whoever judges an answer on the wire and whoever judges an error; it imports no library whose errors it knows.
"""

from data_source_orchestrator.core.classification.own import Classification
from data_source_orchestrator.core.classification.signs import SIGNS, Sign
from data_source_orchestrator.core.classification.table import (
    RETRIED,
    TABLE,
    Means,
    Row,
    kind_of_status,
    meaning_of_class,
)

__all__ = ["RETRIED", "SIGNS", "TABLE", "Classification", "Means", "Row", "Sign", "kind_of_status", "meaning_of_class"]
