"""JSON text inside a page into values, and JSON values into typed rows; both strictly.

msgspec refuses NaN, Infinity and trailing characters. Of two equal keys in one object it silently keeps the last, as
the browsers do for which a page's state is made; nothing here can tell that there were two.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from data_source_orchestrator.core.errors import FetchError
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
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        truncated = bool(text.strip()) and "truncated" in str(error)
        raise FetchError(FailureKind.CONTENT, f"{what} is not JSON: {error}", truncated=truncated) from error
    except (ValueError, RecursionError) as error:
        raise FetchError(FailureKind.CONTENT, f"{what} is not JSON that can be read: {error}") from error


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
