"""What a contract says of one field of a payload's rows."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from data_source_orchestrator.core.durations import flag, share
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import told

EVERY = ".*"
"""How the name of a field ends that stands for all fields of a prefix."""

MOST_TOLD = 8
"""Words of a list that a sentence names."""

LONGEST_WORD = 40
"""Characters of such a word that are told."""

_CALLED: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the rows: its name, how often it is carried, and which values are accepted.

    `name` is a key of a mapping, an attribute of an object or a field of a `Record`; a dotted name that is not there
    as it stands is looked for level by level. One that ends in `.*`, as `tier.*`, means every field with that prefix. A
    field that is absent or None is not carried.

    `required` demands it of every row, `coverage` of a share of them, from 0 to 1. Of a `steady` field no fewer rows
    than ever may carry it, within the contract's `largest_shrink`. `kind` is the type of its values, or
    a tuple of types; a `float` may be a whole number, and a `bool` is no number. `lowest` and `highest` bound numbers,
    in `unit`, which only sentences use. `allowed` are the only values accepted.

    `known` are the words in use: of a plain field its values, of a prefix the rest of the names. A payload that holds
    none of them is about something else; a word that was usual and is gone breaks the contract; one that was never
    seen is told as a warning. `()` knows none in advance; None, the default, does not watch.
    """

    name: str
    _: KW_ONLY
    required: bool = False
    coverage: float = 0.0
    steady: bool = False
    kind: type[Any] | tuple[type[Any], ...] | None = None
    lowest: float | None = None
    highest: float | None = None
    unit: str = ""
    allowed: tuple[object, ...] | None = None
    known: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not name.removesuffix(EVERY):
            raise ConfigurationError(f"a field's name is {told(self.name)}; give text, as 'price' or 'tier.*'")
        flag(self.required, self._called("required"))
        flag(self.steady, self._called("steady"))
        share(self.coverage, self._called("coverage"))
        if self.required and self.coverage:
            raise ConfigurationError(
                f"{self._called('coverage')} is {self.coverage:g} of a field that is required of every row;"
                " leave one of the two out"
            )
        self._check_kind()
        self._check_range()
        for listed in ("allowed", "known"):
            self._check_list(listed)

    @property
    def prefix(self) -> str | None:
        """What the names begin with for which this one stands, with its dot; None where it stands for itself."""
        return self.name[: -len(EVERY)] + "." if self.name.endswith(EVERY) else None

    @property
    def kinds(self) -> tuple[type[Any], ...]:
        """The types of its values; none where any is accepted."""
        if self.kind is not None:
            return self.kind if isinstance(self.kind, tuple) else (self.kind,)
        if self.lowest is not None or self.highest is not None:
            return (float,)
        return tuple(dict.fromkeys(type(value) for value in self.allowed or ()))

    @property
    def demands(self) -> bool:
        """Whether not every value is accepted."""
        return bool(self.kinds) or self.allowed is not None

    @property
    def accepted(self) -> str:
        """What is accepted, in words."""
        return self._bounds if self.allowed is None else f"one of {listed(self.allowed)}"

    @property
    def _bounds(self) -> str:
        """The range or the types that are accepted, in words."""
        unit = f" {self.unit}" if self.unit else ""
        if self.lowest is not None and self.highest is not None:
            return f"{self.lowest:,g} to {self.highest:,g}{unit}"
        if self.lowest is not None:
            return f"{self.lowest:,g}{unit} or more"
        if self.highest is not None:
            return f"{self.highest:,g}{unit} or less"
        return " or ".join(_CALLED.get(kind, kind.__name__) for kind in self.kinds) or "anything"

    def accepts_all(self, values: Sequence[object]) -> bool:
        """Return whether every value that is carried is accepted, where that is seen at a glance; else False."""
        kinds = set(map(type, values)) - {type(None)}
        if not kinds <= set(self._plain_kinds):
            return False
        if self.allowed is not None:
            try:
                return set(values) <= {None, *self.allowed}
            except TypeError:  # some cannot be hashed
                return False
        if kinds.isdisjoint((int, float)):
            return True
        lowest, highest = self._range
        return kinds <= {int, float} and not [
            value
            for value in values
            if value is not None and not lowest <= value <= highest  # type: ignore[operator]  # they are numbers
        ]

    def accepts(self, value: object) -> bool:
        """Return whether a value that is carried is accepted."""
        kinds = self._plain_kinds
        if kinds and not isinstance(value, kinds):
            return False
        if isinstance(value, bool):
            return (not kinds or bool in kinds) and (self.allowed is None or value in self.allowed)
        lowest, highest = self._range
        if isinstance(value, int | float) and not lowest <= value <= highest:
            return False
        return self.allowed is None or value in self.allowed

    @property
    def _plain_kinds(self) -> tuple[type[Any], ...]:
        """The types of its values; where a number is accepted, a whole one is."""
        return (*self.kinds, int) if float in self.kinds else self.kinds

    @property
    def _range(self) -> tuple[float, float]:
        """Between which numbers its values lie: not even at infinity where no bound is given."""
        most = sys.float_info.max
        return -most if self.lowest is None else self.lowest, most if self.highest is None else self.highest

    def _called(self, member: str) -> str:
        return f"contract.fields.{self.name}.{member}"

    def _check_kind(self) -> None:
        given = self.kind if isinstance(self.kind, tuple) else (self.kind,)
        if self.kind is not None and not (given and all(isinstance(kind, type) for kind in given)):
            raise ConfigurationError(f"{self._called('kind')} is {told(self.kind)}; give a type, or a tuple of types")

    def _check_range(self) -> None:
        for bound in ("lowest", "highest"):
            value = getattr(self, bound)
            if value is not None and not _is_number(value):
                raise ConfigurationError(f"{self._called(bound)} is {told(value)}; give a finite number, or None")
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise ConfigurationError(
                f"{self._called('lowest')} is {self.lowest:g} and {self._called('highest')} {self.highest:g};"
                " no number is both: lower the one or raise the other"
            )
        ranged = self.lowest is not None or self.highest is not None
        if ranged and not {int, float} & set(self.kinds):
            raise ConfigurationError(
                f"{self._called('kind')} is {told(self.kind)}, which has no range;"
                " give int or float, or leave lowest and highest out"
            )

    def _check_list(self, member: str) -> None:
        words = getattr(self, member)
        if words is None:
            return
        if not isinstance(words, tuple) or (member == "known" and not all(isinstance(one, str) for one in words)):
            kind = "words" if member == "known" else "values"
            raise ConfigurationError(f"{self._called(member)} is {told(words)}; give a tuple of {kind}, or None")
        if member == "allowed" and not words:
            raise ConfigurationError(
                f"{self._called(member)} is empty, so that no row could carry the field; give the values that may be"
                " in it, or None for any"
            )
        self._check_words(member, words)

    def _check_words(self, member: str, words: tuple[object, ...]) -> None:
        """Refuse words that no row could hold; of a prefix, `known` are parts of names and no values."""
        if member == "known" and self.prefix is not None:
            return
        accepted = self._bounds if member == "allowed" else self.accepted
        for word in words:
            if not self.accepts(word):
                raise ConfigurationError(
                    f"{self._called(member)} holds {told(word)}, and {accepted} is accepted; leave it out, or accept it"
                )


def listed(words: tuple[object, ...]) -> str:
    """Return the first of some words, and how many more there are."""
    first = ", ".join(word[:LONGEST_WORD] if isinstance(word, str) else told(word) for word in words[:MOST_TOLD])
    return first if len(words) <= MOST_TOLD else f"{first} and {len(words) - MOST_TOLD} more"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
