"""How what a source's last good payloads were like outlasts the process, and counts those of other processes too."""

from collections.abc import Iterable, Mapping

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.contract import NO_BASELINE, Baseline, Tally
from data_source_orchestrator.core.events import BaselineForgotten, SourceFinished, SourceForgotten
from data_source_orchestrator.core.outcome import Success
from data_source_orchestrator.core.ports import Transaction
from data_source_orchestrator.health.strict import items, members, text, whole
from data_source_orchestrator.orchestration.happened import SourceHappened, source_of

KIND = "baseline"
"""The kind of the documents."""

SCHEMA = "dso.baseline/1"


def stored_baselines(transaction: Transaction) -> dict[str, Baseline]:
    """Return the baselines that the store holds, by source."""
    return {key: from_json(document) for key, document in transaction.documents(KIND).items()}


def put_baselines(transaction: Transaction, happened: Iterable[SourceHappened]) -> None:
    """Add what happened to the stored baselines."""
    stored = stored_baselines(transaction)
    moved: dict[str, Baseline] = {}
    for each in happened:
        key = source_of(each)
        before = moved.get(key, stored.get(key, NO_BASELINE))
        after = moved_by(before, each)
        if after != before or key in moved:
            moved[key] = after
    for key, baseline in moved.items():
        transaction.put_document(KIND, key, to_json(baseline))


def moved_by(baseline: Baseline, happened: SourceHappened) -> Baseline:
    """Return a baseline after one thing that happened to its source."""
    match happened:
        case SourceFinished():
            outcome = happened.executed.outcome
            tally = outcome.tally if isinstance(outcome, Success) else None
            return baseline if tally is None else baseline.after(tally)
        case SourceForgotten() | BaselineForgotten():
            return NO_BASELINE
        case _:
            return baseline


def to_json(baseline: Baseline) -> Json:
    """Return the document: of each payload its rows, the words of its watched fields, and who carried steady ones."""
    tallies: list[Json] = [
        [tally.rows, {name: sorted(words) for name, words in sorted(tally.words.items())}, dict(tally.carried)]
        for tally in baseline.tallies
    ]
    return {"schema": SCHEMA, "tallies": tallies}


def from_json(document: Json) -> Baseline:
    """Return the baseline that a document holds, or none where the document is not one of ours."""
    try:
        baseline = NO_BASELINE
        for rows, words, carried in map(items, items(members(document, SCHEMA)["tallies"])):
            baseline = baseline.after(Tally(whole(rows), _words(words), _counts(carried)))
    except (KeyError, TypeError, ValueError):
        return NO_BASELINE
    return baseline


def _words(held: Json) -> dict[str, frozenset[str]]:
    return {name: frozenset(map(text, items(words))) for name, words in _named(held).items()}


def _counts(held: Json) -> dict[str, int]:
    return {name: whole(count) for name, count in _named(held).items()}


def _named(held: Json) -> Mapping[str, Json]:
    if not isinstance(held, Mapping):
        raise TypeError(f"{held!r} is no mapping")
    return held
