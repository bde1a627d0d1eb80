"""The copies of robots.txt that outlast the process, so that a sync every hour asks for each of them twice a day."""

from collections.abc import Mapping

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.web.robots_copy import copy_of

KIND = "robots"
"""The kind of the documents."""


def stored_robots(transaction: Transaction) -> Mapping[str, Json]:
    """Return the copies that the store holds, by origin."""
    return transaction.documents(KIND)


def put_robots(transaction: Transaction, offered: Mapping[str, Json]) -> None:
    """Keep the copies that this process has read later than what the store holds."""
    stored = stored_robots(transaction)
    for origin, document in offered.items():
        held, mine = copy_of(stored.get(origin)), copy_of(document)
        if mine is not None and (held is None or held.read_at < mine.read_at):
            transaction.put_document(KIND, origin, document)
