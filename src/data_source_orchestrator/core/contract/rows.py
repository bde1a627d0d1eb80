"""How a contract looks at a row, whatever kind of row it is: by the names of its fields."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from data_source_orchestrator.core.claim import Record
from data_source_orchestrator.core.telling import told

ENTITY = "entity"
"""The field of a `Record` that names what it is about."""

_NAMING = (ENTITY, "id", "key", "name")
"""Fields by which a row is called in a sentence, the first that there is."""


class Rows:
    """The rows of one payload, and their fields by name."""

    def __init__(self, rows: Sequence[object]) -> None:
        self.rows = rows
        self._fields = [_fields_of(row) for row in rows]
        self._columns: dict[str, list[object]] = {}
        self._below: dict[str, list[tuple[int, str, object]]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[object]:
        """Return every row's value of a field, None where it is not carried."""
        if name not in self._columns:
            self._columns[name] = self._column(name)
        return self._columns[name]

    def below(self, prefix: str) -> list[tuple[int, str, object]]:
        """Return the place of a row, a name of a field with that prefix, and its value, for all that are carried."""
        if prefix not in self._below:
            names = {name for name in self._names if name.startswith(prefix)}
            self._below[prefix] = [
                (place, name, value)
                for place, fields in enumerate(self._fields)
                for name, value in fields.items()
                if name in names and value is not None
            ]
        return self._below[prefix]

    def carrying(self, name: str, prefix: str | None) -> set[int]:
        """Return the places of the rows that carry a field, or any of a prefix."""
        if prefix is not None:
            return {place for place, _, _ in self.below(prefix)}
        return {place for place, value in enumerate(self.column(name)) if value is not None}

    @property
    def _names(self) -> set[str]:
        return {name for name in set[object]().union(*self._fields) if isinstance(name, str)}

    def called(self, place: int) -> str:
        """Return what a sentence calls a row: its number from 1, and the name that it has."""
        row, fields = self.rows[place], self._fields[place]
        names = [row.entity] if isinstance(row, Record) else map(fields.get, _NAMING)
        name = next((name for name in names if isinstance(name, str) and name), None)
        return f"row {place + 1}" + (f" ({told(name)[1:-1]})" if name else "")

    def _column(self, name: str) -> list[object]:
        values = [fields.get(name) for fields in self._fields]
        if name == ENTITY:
            return [
                row.entity if isinstance(row, Record) else value for row, value in zip(self.rows, values, strict=True)
            ]
        if "." not in name:
            return values
        path = name.split(".")
        return [
            _walk(fields, path) if value is None else value for fields, value in zip(self._fields, values, strict=True)
        ]


def _fields_of(row: Any) -> Mapping[Any, object]:
    """Return a row's fields by name; a row that has none, as a number, has none."""
    if isinstance(row, Record):
        row = row.fields
    if isinstance(row, (dict, Mapping)):  # the commonest kind is asked first
        return row
    if dataclasses.is_dataclass(row):
        return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    names = getattr(row, "__struct_fields__", None) or getattr(row, "_fields", None)
    if names:
        return {name: getattr(row, name) for name in names}
    return getattr(row, "__dict__", {})


def _walk(fields: Mapping[Any, object], path: Sequence[str]) -> object:
    value: object = fields
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
