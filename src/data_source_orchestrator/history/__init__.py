"""What is kept between runs: documents, runs, contributions, entities and snapshots.

It knows how to keep values whole, and nothing of what they mean: no sources' rules, no merging, no face.
"""

from data_source_orchestrator.history.cache import SqliteCache
from data_source_orchestrator.history.responses import SqliteResponses
from data_source_orchestrator.history.store import SqliteStore

__all__ = ["SqliteCache", "SqliteResponses", "SqliteStore"]
