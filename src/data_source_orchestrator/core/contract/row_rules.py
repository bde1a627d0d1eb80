"""What a contract demands of each row by itself, and of two rows together: fields, values, rules and unique keys.

Fields are judged column by column: most are as they should be, and then nothing is said of any row.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from data_source_orchestrator.core.contract.fields import Field
from data_source_orchestrator.core.contract.findings import Demand, Findings
from data_source_orchestrator.core.contract.rows import Rows
from data_source_orchestrator.core.telling import told

Rule = Callable[[Any], str | None]
"""A rule across the fields of a row: returns what is wrong, or None. Its name is what the contract calls it."""


def name_of(rule: Rule) -> str:
    """Return what a rule is called."""
    return getattr(rule, "__name__", type(rule).__name__)


def judge_type(rows: Rows, row_type: type[Any] | None, findings: Findings) -> None:
    """Find the rows of another type than the contract's."""
    if row_type is None:
        return
    demand = Demand("row type", f"a row has to be a {row_type.__name__}", "are not")
    bad = ((place, row) for place, row in enumerate(rows.rows) if not isinstance(row, row_type))
    findings.add(demand, bad, lambda place, row: f"{rows.called(place)} is {told(row)}")


def judge_field(rows: Rows, field: Field, findings: Findings) -> None:
    """Find the rows that do not carry a required field, or carry it with a value that is not accepted."""
    if field.required:
        demand = Demand(field.name, "every row has to carry it", "do not")
        findings.add(demand, _missing(rows, field), lambda place, _: rows.called(place))
    if field.demands:
        demand = Demand(field.name, f"{field.accepted} is accepted", "hold something else")
        findings.add(demand, _odd(rows, field), lambda place, held: f"{rows.called(place)} holds {held()}")


def judge_unique(rows: Rows, key: Sequence[str], findings: Findings) -> None:
    """Find the rows whose key another row has: of rows that say the same all but the first, of others every one."""
    columns = [rows.column(name) for name in key]
    groups: dict[object, list[int]] = {}
    for place, values in enumerate(zip(*columns, strict=True)):
        if None not in values:
            groups.setdefault(_hashable(values), []).append(place)
    demand = Demand(" and ".join(key), "no two rows may have the same", "do")
    bad = ((place, of) for places in groups.values() if len(places) > 1 for place, of in _repeated(rows, places))
    findings.add(demand, sorted(bad), lambda place, of: f"{rows.called(place)} as row {of + 1}")


def judge_rule(rows: Rows, rule: Rule, findings: Findings, places: Iterable[int]) -> None:
    """Find the rows at these places that break a rule across their fields."""
    demand = Demand(name_of(rule), "every row has to keep this rule", "do not")
    judged = ((place, rule(rows.rows[place])) for place in places)
    broken = ((place, wrong) for place, wrong in judged if wrong is not None)
    findings.add(demand, broken, lambda place, wrong: f"{rows.called(place)}: {wrong}")


def _missing(rows: Rows, field: Field) -> Iterator[tuple[int, None]]:
    carrying = rows.carrying(field.name, field.prefix)
    return ((place, None) for place in range(len(rows)) if place not in carrying)


def _odd(rows: Rows, field: Field) -> Iterator[tuple[int, Callable[[], str]]]:
    """Yield the rows with a value that is not accepted, and what tells it; a column without one costs little."""
    if field.prefix is None:
        column = rows.column(field.name)
        if not field.accepts_all(column):
            for place, value in enumerate(column):
                if value is not None and not field.accepts(value):
                    yield place, partial(told, value)
        return
    carried = rows.below(field.prefix)
    if not field.accepts_all([value for _, _, value in carried]):
        for place, name, value in carried:
            if not field.accepts(value):
                yield place, partial("{} in {}".format, told(value), told(name)[1:-1])


def _hashable(values: tuple[object, ...]) -> object:
    """Return what two equal keys have in common; a list or a mapping inside one is known by how it is written."""
    try:
        hash(values)
    except TypeError:
        return repr(values)
    return values


def _repeated(rows: Rows, places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the places that are not believed of rows with one key, each with that of another such row."""
    first, *others = places
    same = all(bool(rows.rows[place] == rows.rows[first]) for place in others)
    if not same:
        yield first, others[0]
    for place in others:
        yield place, first
