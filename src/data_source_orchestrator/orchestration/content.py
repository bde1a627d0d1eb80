"""What a source last said, by its digest, and since when it has said that: `unchanged since`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.claim import Contribution, Json
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.health.strict import items, moment, text
from data_source_orchestrator.reconcile.canonical import content_digest

KIND = "content"
REMEMBERED = 5
"""Contents of a source that are remembered, so that an older one is known again."""


@dataclass(frozen=True, slots=True)
class Content:
    """A digest of what a source said, and the moment from which it said that."""

    digest: str
    since: datetime


Contents = tuple[Content, ...]
"""What a source has said, the present last."""


def contents_of(document: Json) -> Contents:
    """Return what is stored of a source; what cannot be read is as if nothing were known."""
    try:
        return tuple(Content(text(digest), moment(since)) for digest, since in map(items, items(document)))
    except ValueError:
        return ()


def took(contents: Contents, digest: str, at: datetime) -> Contents:
    """Return the contents after the source has said this at that moment."""
    if contents and contents[-1].digest == digest:
        return contents
    return (*contents, Content(digest, at))[-REMEMBERED:]


def went_back(contents: Contents) -> bool:
    """Tell whether a source says again what it had said before something else: an older copy, most likely."""
    return any(earlier.digest == contents[-1].digest for earlier in contents[:-1])


def put_contents(transaction: Transaction, taken: Sequence[Contribution]) -> None:
    """Note what sources say now."""
    stored = transaction.documents(KIND)
    for contribution in taken:
        before = contents_of(stored.get(contribution.source))
        after = took(before, content_digest(contribution.records), contribution.checked_at)
        if after != before:
            _put(transaction, contribution.source, after)


def take_back(transaction: Transaction, contribution: Contribution) -> str | None:
    """Note that a source is believed to say this again, and return the digest of what it said last instead."""
    contents = contents_of(transaction.documents(KIND).get(contribution.source))
    if not contents:
        return None
    digest, rejected = content_digest(contribution.records), contents[-1].digest
    kept = contents
    while kept and kept[-1].digest != digest:
        kept = kept[:-1]
    _put(transaction, contribution.source, kept or (Content(digest, contribution.checked_at),))
    return rejected


def _put(transaction: Transaction, source: str, contents: Contents) -> None:
    transaction.put_document(KIND, source, [[each.digest, each.since.isoformat()] for each in contents])
