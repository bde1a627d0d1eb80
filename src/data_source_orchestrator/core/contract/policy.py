"""A source's contract: what its payloads have to be, and what becomes of those that are not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any

from data_source_orchestrator.core.claim import Record
from data_source_orchestrator.core.contract import payload_rules
from data_source_orchestrator.core.contract.baseline import NO_BASELINE, Baseline, Tally
from data_source_orchestrator.core.contract.checks import (
    ContractMode,
    check_fields,
    check_row_type,
    check_rules,
    check_unique,
    mode_of,
)
from data_source_orchestrator.core.contract.fields import Field
from data_source_orchestrator.core.contract.findings import Findings, bounded
from data_source_orchestrator.core.contract.judgement import ACCEPTED, Judgement
from data_source_orchestrator.core.contract.row_rules import (
    Rule,
    judge_field,
    judge_rule,
    judge_type,
    judge_unique,
    name_of,
)
from data_source_orchestrator.core.contract.rows import ENTITY, Rows
from data_source_orchestrator.core.durations import count, share
from data_source_orchestrator.core.errors import ConfigurationError, FetchError
from data_source_orchestrator.core.verdicts import FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a payload's rows have to be before they count as data.

    `minimum_rows` and `maximum_rows` bound their number; `largest_shrink` is the share of the median of the last good
    payloads' rows that may be missing, 1 for any. `row_type` is the type of every row, `fields` what is demanded of
    them field by field, `unique` the keys that no two rows share, each a field's name or a tuple of names, all of them
    required. `rules` are functions of a row that return what is wrong across its fields, or None. `mode` tells what
    becomes of a breach, and `largest_quarantine` which share of the rows may be set aside.
    """

    mode: ContractMode | str = ContractMode.ENFORCE
    minimum_rows: int = 0
    maximum_rows: int | None = None
    largest_shrink: float = 0.2
    largest_quarantine: float = 0.1
    row_type: type[Any] | None = None
    fields: tuple[Field, ...] = ()
    unique: tuple[str | tuple[str, ...], ...] = ()
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", mode_of(self.mode))
        count(self.minimum_rows, "contract.minimum_rows")
        if self.maximum_rows is not None:
            count(self.maximum_rows, "contract.maximum_rows", least=1)
            if self.minimum_rows > self.maximum_rows:
                raise ConfigurationError(
                    f"contract.minimum_rows is {self.minimum_rows} and contract.maximum_rows {self.maximum_rows};"
                    " no payload has both: lower the one or raise the other"
                )
        share(self.largest_shrink, "contract.largest_shrink")
        share(self.largest_quarantine, "contract.largest_quarantine")
        check_row_type(self.row_type)
        check_fields(self.fields)
        check_rules(self.rules)
        check_unique(self.unique, self._required)

    @property
    def _required(self) -> set[str]:
        """The names that every row is sure to have."""
        named = {ENTITY} if self.row_type is not None and issubclass(self.row_type, Record) else set[str]()
        return named | {one.name for one in self.fields if one.required}

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """The unique keys, each as the names of its fields."""
        return tuple((key,) if isinstance(key, str) else key for key in self.unique)

    @property
    def rule_names(self) -> tuple[str, ...]:
        """What its rules are called."""
        return tuple(map(name_of, self.rules))

    @property
    def watched(self) -> tuple[Field, ...]:
        """The fields whose words are compared with those of the last good payloads."""
        return tuple(one for one in self.fields if one.known is not None)

    @property
    def steady(self) -> tuple[Field, ...]:
        """The fields that no fewer rows may carry than in the last good payloads."""
        return tuple(one for one in self.fields if one.steady)

    @property
    def compares(self) -> bool:
        """Whether a payload is compared with the last good ones."""
        return self.largest_shrink < 1 or bool(self.watched or self.steady)

    def judge(self, rows: Sequence[object], baseline: Baseline = NO_BASELINE, *, source: str = "KEY") -> Judgement:
        """Judge a payload's rows against this contract, and against the last good payloads of its `source`.

        Nothing is changed: the caller adds the judgement's `tally` to the baseline. What a rule raises passes.
        """
        if _demands_nothing(self):
            return ACCEPTED
        many = list(payload_rules.too_many(len(rows), self.maximum_rows))
        if many and self.mode is not ContractMode.WARN:
            return _refused(many)  # and not looked at: there may be any number of them
        return _Judging(self, Rows(rows), baseline, source).judgement()


class _Judging:
    """One payload before its contract."""

    def __init__(self, contract: Contract, rows: Rows, baseline: Baseline, source: str) -> None:
        self._contract = contract
        self._rows = rows
        self._baseline = baseline
        self._source = source
        self._way_out: list[str] = []
        self._findings = Findings(len(rows))

    def judgement(self) -> Judgement:
        contract, findings = self._contract, self._findings
        self._judge_rows()
        aside = frozenset(findings.bad) if contract.mode is ContractMode.QUARANTINE else frozenset()
        if len(aside) > contract.largest_quarantine * len(self._rows):
            return _refused([*bounded(findings.sentences), self._quarantine_full(len(aside))])
        good = [place for place in range(len(self._rows)) if place not in aside]
        words = {field.name: payload_rules.words(self._rows, good, field) for field in contract.watched}
        carried = {field.name: payload_rules.carriers(self._rows, good, field) for field in contract.steady}
        now = Tally(len(good), MappingProxyType(words), MappingProxyType(carried))
        of_rows = [] if contract.mode is ContractMode.QUARANTINE else findings.sentences
        wrong = [*bounded([*of_rows, *self._wrong_with_all(good, now)]), *self._way_out]
        if wrong and contract.mode is not ContractMode.WARN:
            return _refused(wrong)
        told = [f"set aside: {sentence}" for sentence in bounded(findings.sentences)] if aside else []
        told += [f"its contract is broken: {sentence}" for sentence in wrong]
        return Judgement(
            set_aside=aside,
            warnings=(*told, *self._new(now)),
            tally=now if contract.compares else None,
        )

    def _judge_rows(self) -> None:
        rows, contract, findings = self._rows, self._contract, self._findings
        judge_type(rows, contract.row_type, findings)
        for one in contract.fields:
            judge_field(rows, one, findings)
        sound = [place for place in range(len(rows)) if place not in findings.bad]  # a rule may rely on the fields
        for rule in contract.rules:
            judge_rule(rows, rule, findings, sound)
        for key in contract.keys:
            judge_unique(rows, key, findings)

    def _wrong_with_all(self, good: Sequence[int], now: Tally) -> Iterator[str]:
        contract = self._contract
        if few := list(payload_rules.too_few(len(good), contract.minimum_rows)):
            yield from few  # whatever else is missing is missing with the rows
            return
        yield from payload_rules.too_many(len(good), contract.maximum_rows)
        for one in contract.fields:
            yield from payload_rules.coverage(self._rows, good, one)
        strange = {one.name: list(payload_rules.strange(one, now.words[one.name])) for one in contract.watched}
        yield from chain.from_iterable(strange.values())
        lost = list(self._lost(now, [one for one in contract.watched if not strange[one.name]]))
        if lost:
            self._way_out = [f"where that is true and lasting, `dso contract {self._source} --accept` accepts it"]
        yield from lost

    def _lost(self, now: Tally, watched: Sequence[Field]) -> Iterator[str]:
        """Say what the last good payloads had and this one has not; `watched` are the fields whose words to compare."""
        baseline, contract = self._baseline, self._contract
        yield from payload_rules.shrunk(now.rows, baseline, contract.largest_shrink)
        for one in contract.steady:
            yield from payload_rules.thinned(one, now.carried[one.name], baseline, contract.largest_shrink)
        for one in watched:
            yield from payload_rules.vanished(one, now.words[one.name], baseline)

    def _new(self, now: Tally) -> Iterator[str]:
        fields = self._contract.watched
        return chain.from_iterable(payload_rules.new(one, now.words[one.name], self._baseline) for one in fields)

    def _quarantine_full(self, aside: int) -> str:
        most = self._contract.largest_quarantine
        return f"{aside:,} of {len(self._rows):,} rows would be set aside, and more than {most:.0%} are not"


def _refused(wrong: Sequence[str]) -> Judgement:
    return Judgement(breach=FetchError(FailureKind.CONTENT, "; ".join(wrong)))


def _demands_nothing(contract: Contract) -> bool:
    """Return whether any payload will do; asked for every answer. Only fields have words that could be watched."""
    return not (
        contract.fields
        or contract.unique
        or contract.rules
        or contract.minimum_rows
        or contract.row_type is not None
        or contract.maximum_rows is not None
        or contract.largest_shrink < 1
    )


ANYTHING = Contract(largest_shrink=1.0)
"""The contract of a source that declares none: whatever is not None is data."""
