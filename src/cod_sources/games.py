"""Which game a weapon comes from, and which mode a ranking is about.

Known by the shape of the name, whole words only, so that next year's game needs no release of ours; whatever has
another shape is another game's data.
"""

import re

from cod_sources.words import quoted
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind

LONGEST_LABEL = 200
"""Characters of a game's or a mode's label; what is longer means neither."""

_ROMAN = {"ix": 9, "viii": 8, "vii": 7, "vi": 6, "v": 5, "iv": 4, "iii": 3, "ii": 2, "i": 1}

_NUMBER = rf"(?P<number>[1-9][0-9]?|{'|'.join(_ROMAN)})"
_SHAPES = {
    "mw": re.compile(rf"(?:call of duty )?(?:mw ?|modern warfare ){_NUMBER}"),
    "bo": re.compile(rf"(?:call of duty )?(?:bo ?|black ops ){_NUMBER}"),
}
_WARZONE = re.compile(r"(?:warzone|wz)(?: ?[0-9]+)?(?: .*)?")


def origin_game(label: str) -> str:
    """Return the game that a weapon comes from, as `mw2` or `bo7`; raise `FetchError(content)` for any other label.

    `MWII`, `MW2` and `Modern Warfare II` are one game. A mode, as `warzone-2`, is no origin.
    """
    words = _words(label)
    for series, shape in _SHAPES.items():
        if match := shape.fullmatch(words):
            number = match["number"]
            return f"{series}{_ROMAN.get(number, number)}"
    raise FetchError(
        FailureKind.CONTENT,
        f"{quoted(label)} is not a game of these sources, whose games look like mw2 or bo7;"
        " the whole answer is refused, because it may be about another game",
    )


def is_warzone(mode: str) -> bool:
    """Tell whether a mode's label, as `warzone-2`, `warzone` or `wz2`, means Warzone."""
    return _WARZONE.fullmatch(_words(mode)) is not None


def _words(label: str) -> str:
    if len(label) > LONGEST_LABEL:
        return ""
    return " ".join(re.findall(r"[a-z0-9]+", label.lower()))
