"""JSON text inside a page into values, strictly; and JSON values into typed rows, field by field."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from cod_sources.bounds import MOST_IN_A_ROW, within
from cod_sources.salvage import Odd, salvage
from cod_sources.words import quoted
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.strict_json import parse_json
from data_source_orchestrator.core.verdicts import FailureKind

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
R = TypeVar("R", bound="DataclassInstance")

Number = Annotated[int, Meta(ge=0, le=10**6)] | Annotated[float, Meta(ge=0, le=1e6)]
"""A measure as upstreams give it: an int stays an int, and nothing is negative or beyond reason."""

Whole = Annotated[int, Meta(ge=0, le=10**6)]
"""A count."""

Name = Annotated[str, Meta(max_length=200)]
"""A name, an id or a label, of which the longest seen has 55 characters; some are said again of every weapon."""

Text = Annotated[str, Meta(max_length=2000)]
"""A text for people; the longest seen has 236 characters."""

Keys = Mapping[str, tuple[str, ...]]
"""The upstream's keys for a field of ours, the first that is given being taken.

A field that is not named has its own name; one with no keys is not read.
"""

_OWN_NAMES: Keys = {}


def decode_json(text: str, what: str) -> Any:
    """Return the value of a JSON text, or raise `FetchError(content)` with `what` it should have been."""
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        wrong = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise FetchError(
            FailureKind.CONTENT, f"{what} is not JSON: {wrong}", truncated=_ends_early(text, error)
        ) from None
    except ValueError as error:
        raise FetchError(FailureKind.CONTENT, f"{what} is JSON that is not accepted: {error}") from None


def _ends_early(text: str, error: json.JSONDecodeError) -> bool:
    """Return whether what is missing is only the rest of the text; of an empty one nobody knows."""
    written = text.rstrip()
    return bool(written) and (error.pos >= len(written) or error.msg.startswith("Unterminated string"))


@dataclass(frozen=True, slots=True)
class Decoded(Generic[T]):
    """A row, and what it was read without."""

    row: T
    odd: tuple[Odd, ...] = ()


def decode_row(raw: object, row_type: type[R], keys: Keys = _OWN_NAMES) -> Decoded[R]:
    """Return a typed row of what an object gives, without the fields that are odd; null, "" and missing are absent.

    Raise ValueError where a field is missing or odd that the row cannot do without, and `FetchError(content)` where one
    holds more than there can be in a row.
    """
    if not isinstance(raw, Mapping):
        raise ValueError(f"it is {quoted(raw)}, and an object was expected")  # noqa: TRY004 — bad data, no bug
    given = {field.name: _first(raw, keys.get(field.name, (field.name,))) for field in fields(row_type)}
    for key, value in given.values():
        within(value, MOST_IN_A_ROW, f"the field {key} of a row")
    try:
        return Decoded(msgspec.convert({n: value for n, (_, value) in given.items() if value is not None}, row_type))
    except msgspec.ValidationError:
        sound, odd = salvage(given, row_type)
        return Decoded(msgspec.convert(sound, row_type), odd)


def decode_whole(raw: object, row_type: type[R], keys: Keys = _OWN_NAMES) -> R:
    """Return a typed row of which every given field is as it should be, or raise ValueError."""
    decoded = decode_row(raw, row_type, keys)
    if decoded.odd:
        raise ValueError(decoded.odd[0].why)
    return decoded.row


def _first(raw: Mapping[Any, Any], keys: tuple[str, ...]) -> tuple[str, object]:
    """Return the first key that gives a value, with the value; all of them and None where none does."""
    for key in keys:
        value = raw.get(key)
        value = value.strip() if isinstance(value, str) else value
        if value is not None and value != "":
            return key, value
    return " or ".join(keys), None
