"""Many answers, one truth: which claims still live, which of them is published, what that changes, and whether it may.

Pure: values in, values out. It knows no game, no clock, no store and no source's payload.
"""

from data_source_orchestrator.reconcile.canonical import content_digest
from data_source_orchestrator.reconcile.difference import Difference, compare
from data_source_orchestrator.reconcile.expiry import living
from data_source_orchestrator.reconcile.gate import judge
from data_source_orchestrator.reconcile.survivorship import merge

__all__ = ["Difference", "compare", "content_digest", "judge", "living", "merge"]
