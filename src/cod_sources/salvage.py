"""What of a row can be read where not all of it can: each field on its own, and each element of a list.

Only rows that do not fit as a whole come here. Nothing here knows what a row is about.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
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
    for field in fields(row_type):
        key, value = given[field.name]
        if value is None:
            _refuse_missing(field, key)
            continue
        kept = _kept(value, field.type)
        if kept is not value:
            odd.append(_odd(key, value, kept, field.type))
            _refuse_odd(field, odd[-1])
        if kept is not None:
            sound[field.name] = kept
    return sound, tuple(dict.fromkeys(odd))  # two fields may stand in for each other under one key


def expected(kind: inspect.Type) -> str:
    """Return what a type accepts, as a sentence says it; null is not told, because it is absent."""
    if isinstance(kind, inspect.UnionType):
        return " or ".join(expected(one) for one in kind.types if not _is_implied(one, kind.types))
    return f"{_WORDS[type(kind)]}{_between(kind)}"


def _refuse_missing(field: Field[Any], key: str) -> None:
    if _is_required(field):
        raise ValueError(f"it has no {key}")


def _refuse_odd(field: Field[Any], odd: Odd) -> None:
    if _is_required(field) or "vital" in field.metadata:
        raise ValueError(odd.why)


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _kept(value: object, kind: Any) -> object:
    """Return what of a value fits: all of it, a list without its odd elements, or None.

    Where no element is left, the list is not either: an empty one would be a statement.
    """
    if _fits(value, kind):
        return value
    elements = value if isinstance(value, list) and _fits([], kind) else []
    return [one for one in elements if _fits([one], kind)] or None


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _odd(key: str, value: Any, kept: Any, kind: Any) -> Odd:
    wanted = f"{expected(inspect.type_info(kind))} was expected"
    if kept is None:
        return Odd(key, f"{key} is {quoted(value)}, and {wanted}")
    first = next(one for one in value if not _fits([one], kind))
    lost = f"{len(value) - len(kept)} of {len(value)} elements"
    return Odd(f"a part of {key}", f"{key} holds {quoted(first)}, and {wanted}; left out: {lost}")


def _is_implied(kind: inspect.Type, kinds: tuple[inspect.Type, ...]) -> bool:
    """Tell whether nothing need be said of a kind: null is absent, and a whole number is a number."""
    numbers = any(isinstance(one, inspect.FloatType) for one in kinds)
    return isinstance(kind, inspect.NoneType) or (numbers and isinstance(kind, inspect.IntType))


def _between(kind: inspect.Type) -> str:
    if not isinstance(kind, inspect.IntType | inspect.FloatType) or kind.ge is None or kind.le is None:
        return ""
    return f" from {kind.ge:,.0f} to {kind.le:,.0f}"
