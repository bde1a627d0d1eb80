"""What a run gives back: the data of every source, and how each of them ended."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from data_source_orchestrator.core.errors import (
    ConfigurationError,
    InsufficientSourcesError,
    SourceFailedError,
    UnknownSourceError,
)
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped, Success


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A run in numbers: `sources` are the keys that succeeded, `stale` those that served older data instead.

    `success_count + failure_count + skipped_count` is the number of sources asked. `total_duration` is seconds.
    `offline` are the sources that were not reached because our own network was down, which is not held against them.
    """

    run_id: str
    fetched_at: datetime
    total_duration: float
    sources: tuple[str, ...]
    success_count: int
    failure_count: int
    skipped_count: int
    required: int
    sufficient: bool
    stale: tuple[str, ...] = ()
    offline: tuple[str, ...] = ()


def metadata_of(  # noqa: PLR0913 — each is another number of the run
    outcomes: Iterable[Outcome[object]],
    *,
    run_id: str,
    fetched_at: datetime,
    total_duration: float,
    required: int,
    accept_stale: bool = False,
    offline: tuple[str, ...] = (),
) -> Metadata:
    """Count outcomes into a run's metadata; `required` successes make it sufficient, if anybody was asked at all.

    With `accept_stale` older data counts as much as a success there, also of a source that could not be asked.
    """
    ended = tuple(outcomes)
    succeeded = tuple(outcome.source for outcome in ended if isinstance(outcome, Success))
    stale = tuple(o.source for o in ended if not isinstance(o, Success) and o.stale_data is not None)
    asked = {outcome.source for outcome in ended if not isinstance(outcome, Skipped)}
    accepted = stale if accept_stale else ()
    return Metadata(
        run_id=run_id,
        fetched_at=fetched_at,
        total_duration=total_duration,
        sources=succeeded,
        success_count=len(succeeded),
        failure_count=sum(isinstance(outcome, Failure) for outcome in ended),
        skipped_count=sum(isinstance(outcome, Skipped) for outcome in ended),
        required=required,
        sufficient=len(succeeded) + len(accepted) >= required and bool(asked.union(accepted)),
        stale=stale,
        offline=offline,
    )


TOLD_AT_MOST = 10
"""Outcomes that a result's `repr` tells; asyncio makes one of whatever `asyncio.run` returns."""


class FetchResult(Mapping[str, Any]):
    """The data of one run, by source key, with every outcome beside it.

    `result["x"]` gives the data or raises `SourceFailedError`; `result.get("x")` and `result.x` give the data,
    or None where the source is registered but has none. `result["x"]` of a source that this run did not ask raises
    `ConfigurationError`. A name that nobody registered raises `UnknownSourceError`, as an attribute
    `AttributeError`, with the nearest key.
    """

    outcomes: Mapping[str, Outcome[Any]]
    metadata: Metadata

    def __init__(
        self, outcomes: Mapping[str, Outcome[Any]], metadata: Metadata, registered: Iterable[str] = ()
    ) -> None:
        self.outcomes = dict(outcomes)
        self.metadata = metadata
        self._registered = tuple(dict.fromkeys((*outcomes, *registered)))

    def __getitem__(self, key: str) -> Any:
        outcome = self._outcome(key)
        if isinstance(outcome, Success):
            return outcome.data
        if outcome is None:
            asked = ", ".join(self.outcomes) or "no source"
            raise ConfigurationError(
                f"{key} was not asked in this run, which asked {asked}; name it among the sources to fetch"
            )
        raise SourceFailedError(outcome) from (outcome.error if isinstance(outcome, Failure) else None)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a registered source's data, or `default` where this run has none."""
        outcome = self._outcome(key)
        return outcome.data if isinstance(outcome, Success) else default

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.get(name)
        except UnknownSourceError as error:
            raise AttributeError(f"a result has no member {name!r}, and {error}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.metadata.sources)

    def __len__(self) -> int:
        return len(self.metadata.sources)

    def __bool__(self) -> bool:
        """Return True always: an empty result is a result; ask `metadata.sufficient`."""
        return True

    def __contains__(self, key: object) -> bool:
        return key in self.metadata.sources

    def __repr__(self) -> str:
        told = [str(outcome) for outcome in islice(self.outcomes.values(), TOLD_AT_MOST)]
        more = len(self.outcomes) - len(told)
        told += [f"and {more} more"] if more else []
        return f"<FetchResult {self.metadata.run_id}: {'; '.join(told) or 'no source was asked'}>"

    def raise_if_insufficient(self) -> None:
        """Raise `InsufficientSourcesError` unless enough sources succeeded."""
        if not self.metadata.sufficient:
            raise InsufficientSourcesError(self, self.metadata.required, self.outcomes.values())

    def _outcome(self, key: str) -> Outcome[Any] | None:
        if key in self.outcomes:
            return self.outcomes[key]
        if key in self._registered:
            return None
        raise UnknownSourceError(key, self._registered)


class MetaResult(list[Any]):
    """The rows of the sources asked, in order of priority, with the run they came from."""

    def __init__(self, rows: Iterable[Any], result: FetchResult) -> None:
        super().__init__(rows)
        self.result = result

    @property
    def metadata(self) -> Metadata:
        """The run in numbers."""
        return self.result.metadata

    def raise_if_insufficient(self) -> None:
        """Raise `InsufficientSourcesError` unless enough sources succeeded."""
        self.result.raise_if_insufficient()


def refuse_shadowing(key: str) -> None:
    """Refuse a source key that would hide a member of the result."""
    if hasattr(FetchResult, key) or key in {"outcomes", "metadata"}:
        raise ConfigurationError(
            f"a source cannot be called {key!r}: a result has a member of that name; choose another key"
        )
