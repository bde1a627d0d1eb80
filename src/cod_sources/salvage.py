"""What of a row can be read where not all of it can: each field on its own, and each element of a list.

Only rows that do not fit as a whole come here. Nothing here knows what a row is about.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, make_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

from cod_sources.words import quoted

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

VITAL: Mapping[str, bool] = {"vital": True}
"""The metadata of a field that may be absent but never odd: without it, the row would be taken for another one."""

_WORDS: Mapping[type[inspect.Type], str] = {
    inspect.StrType: "a text",
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.VarTupleType: "a list of texts",
    inspect.DictType: "an object of fitting objects",
}
"""What the kinds of our rows' fields are called."""


@dataclass(frozen=True, slots=True)
class Odd:
    """What a row is read without, by its name upstream, and why."""

    what: str
    why: str


def salvage(
    given: Mapping[str, tuple[str, object]], row_type: type["DataclassInstance"]
) -> tuple[dict[str, object], tuple[Odd, ...]]:
    """Return the values that fit their fields, and what is odd about the others.

    `given` holds each field's key upstream and its value, None where it is absent. Raise ValueError for a field that
    the row cannot do without.
    """
    sound: dict[str, object] = {}
    odd: list[Odd] = []
    for check in _checks(row_type):
        key, value = given[check.field]
        if value is None:
            _refuse_missing(check, key)
            continue
        kept = check.kept(value)
        if kept is not value:
            odd.append(check.odd(key, value, kept))
            _refuse_odd(check, odd[-1])
        if kept is not None:
            sound[check.field] = kept
    return sound, tuple(dict.fromkeys(odd))  # two fields may stand in for each other under one key


def expected(kind: inspect.Type) -> str:
    """Return what a type accepts, as a sentence says it; null is not told, because it is absent."""
    if isinstance(kind, inspect.UnionType):
        return " or ".join(expected(one) for one in kind.types if not _is_implied(one, kind.types))
    return f"{_WORDS[type(kind)]}{_between(kind)}"


class _Check:
    """What one field of a row accepts, worked out once: that takes a hundred times as long as to try a value."""

    __slots__ = ("_alone", "_takes_list", "_wanted", "field", "required", "vital")

    def __init__(self, field: Field[Any]) -> None:
        self.field = field.name
        self.required = field.default is MISSING and field.default_factory is MISSING
        self.vital = self.required or "vital" in field.metadata
        self._alone = make_dataclass("Alone", [("value", field.type)])  # msgspec remembers a dataclass, not a bare type
        self._takes_list = self._fits([])
        self._wanted = f"{expected(inspect.type_info(field.type))} was expected"

    def kept(self, value: object) -> object:
        """Return what of a value fits: all of it, a list without its odd elements, or None.

        Where no element is left, the list is not either: an empty one would be a statement.
        """
        if self._fits(value):
            return value
        elements = value if isinstance(value, list) and self._takes_list else []
        return [one for one in elements if self._fits([one])] or None

    def odd(self, key: str, value: Any, kept: Any) -> Odd:
        """Say what was wrong with a value of which not everything is kept."""
        if kept is None:
            return Odd(key, f"{key} is {quoted(value)}, and {self._wanted}")
        first = next(one for one in value if not self._fits([one]))
        lost = f"{len(value) - len(kept)} of {len(value)} elements"
        return Odd(f"a part of {key}", f"{key} holds {quoted(first)}, and {self._wanted}; left out: {lost}")

    def _fits(self, value: object) -> bool:
        try:
            msgspec.convert({"value": value}, self._alone)
        except msgspec.ValidationError:
            return False
        return True


@cache
def _checks(row_type: type["DataclassInstance"]) -> tuple[_Check, ...]:
    return tuple(_Check(field) for field in fields(row_type))


def _refuse_missing(check: _Check, key: str) -> None:
    if check.required:
        raise ValueError(f"it has no {key}")


def _refuse_odd(check: _Check, odd: Odd) -> None:
    if check.vital:
        raise ValueError(odd.why)


def _is_implied(kind: inspect.Type, kinds: tuple[inspect.Type, ...]) -> bool:
    """Tell whether nothing need be said of a kind: null is absent, and a whole number is a number."""
    numbers = any(isinstance(one, inspect.FloatType) for one in kinds)
    return isinstance(kind, inspect.NoneType) or (numbers and isinstance(kind, inspect.IntType))


def _between(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.StrType) and kind.max_length is not None:
        return f" of at most {kind.max_length:,} characters"
    if not isinstance(kind, inspect.IntType | inspect.FloatType) or kind.ge is None or kind.le is None:
        return ""
    return f" from {kind.ge:,.0f} to {kind.le:,.0f}"
