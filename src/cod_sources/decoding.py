"""JSON text inside a page into values, and JSON values into typed rows; both strictly."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.strict_json import parse_json
from data_source_orchestrator.core.verdicts import FailureKind

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")

Number = Annotated[int, Meta(ge=0, le=10**6)] | Annotated[float, Meta(ge=0, le=1e6)]
"""A measure as upstreams give it: an int stays an int, and nothing is negative or beyond reason."""

Whole = Annotated[int, Meta(ge=0, le=10**6)]
"""A count."""

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


def decode_row(raw: object, row_type: type[R], keys: Keys = _OWN_NAMES) -> R:
    """Return a typed row of what an object gives, or raise ValueError; null, "" and missing are all absent."""
    if not isinstance(raw, Mapping):
        raise ValueError(f"it is {type(raw).__name__}, and an object was expected")  # noqa: TRY004 — bad data, no bug
    given = {name: _first(raw, keys.get(name, (name,))) for name in row_type.__dataclass_fields__}
    return msgspec.convert({name: value for name, value in given.items() if value is not None}, row_type)


def _first(raw: Mapping[Any, Any], keys: tuple[str, ...]) -> object:
    for key in keys:
        value = raw.get(key)
        value = value.strip() if isinstance(value, str) else value
        if value is not None and value != "":
            return value
    return None
