"""Which members of objects are named by data, as ids, dates and modes are, and are one place rather than many fields.

The rules look at names and at shapes, never at values, and at all objects of one place together, in no order.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

Columns = Mapping[str, Sequence[object]]
"""The values of all objects of one place, by the name that they have there."""

ALIKE = 8
"""Sibling lists or objects of one shape from which on they are entries of a map."""

MOST_SCALARS = 64
"""Sibling texts or numbers beyond which they are entries of a map; the widest known record has 35 of one kind."""

LONGEST_NAME = 80
"""Characters beyond which a name is no field's."""

MOST_FIELDS = 256
"""Fields of one place; where there are more names, they are data, whatever they look like."""

_NESTED = (Mapping, list, tuple)

_FEW = 3
"""Objects from which on it can be told whether names recur."""

_DATA = re.compile(r"(?=\D*\d)(?:[\W\d_]+|[0-9a-fA-F-]{8,})|\d{4}-[\dWQ]\d.*", re.DOTALL)


def data_names(columns: Columns, objects: int) -> set[str]:
    """Return the names that are data, of the members of that many objects of one place.

    These are: names without letters but with a digit, long hexadecimal ones, dates, and whatever has more than 80
    characters; eight or more lists or objects of one shape, and more than 64 scalars, unless the objects have most of
    them in common; and all, where they are more than 256.
    """
    data = {name for name in columns if len(name) > LONGEST_NAME or _DATA.fullmatch(name)}
    rest = {name: values for name, values in columns.items() if name not in data}
    if len(rest) > MOST_FIELDS:
        return data | rest.keys()
    if len(rest) < ALIKE or _recur(rest.values(), objects):
        return data
    scalars, nested = _parted(rest)
    for names in (_alike(nested), scalars if len(scalars) > MOST_SCALARS else []):
        if len(names) >= ALIKE and not _recur([rest[name] for name in names], objects):
            data |= set(names)
    return data


def _recur(columns: Collection[Sequence[object]], objects: int) -> bool:
    """Return whether several objects have most of these members in common, as a list's records have their fields."""
    return objects >= _FEW and 2 * sum(map(len, columns)) >= objects * len(columns)


def _parted(columns: Columns) -> tuple[list[str], Columns]:
    """Return the names that have scalars, and the columns that have objects or lists."""
    nested = {name: values for name, values in columns.items() if any(isinstance(v, _NESTED) for v in values)}
    return [name for name in columns if name not in nested], nested


def _alike(columns: Columns) -> list[str]:
    """Return the names whose values have the features that most of the columns have."""
    features = {name: _features(values) for name, values in columns.items()}
    told = [each for each in features.values() if each]
    counts = Counter(chain.from_iterable(told))
    common = {feature for feature, count in counts.items() if 2 * count >= len(told)}
    if not common:
        return []
    return [name for name, own in features.items() if not own or 2 * len(own & common) >= len(own | common)]


def _features(values: Iterable[object]) -> set[str]:
    """Return what values of one place are made of: the names in their objects, and the kinds in their lists."""
    features: set[str] = set()
    for value in values:
        if isinstance(value, Mapping):
            features.update(map(str, value))
        elif isinstance(value, (list, tuple)):
            features.update(chain.from_iterable(map(_of_element, value)))
    return features


def _of_element(value: object) -> Iterable[str]:
    return map(str, value) if isinstance(value, Mapping) else (f"\0{type(value).__name__}",)
