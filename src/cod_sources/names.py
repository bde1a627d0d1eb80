"""What a weapon is called by all three sources: origin game, collapsed name, conversion kit.

Names are compared whole and exactly once collapsed; nothing here looks for one name inside another.
"""

import re
import unicodedata
from urllib.parse import unquote

from cod_sources.games import origin_game
from cod_sources.words import quoted

LONGEST = 100
"""Letters and digits of the longest name that is believed to be one."""

LONGEST_GIVEN = 200
"""Characters of a name as it is given; one of more is none, and never normalised: NFKD makes 18 letters of U+FDFA."""


def collapse(name: str) -> str:
    """Return the letters and digits of a name: NFKD, without combining marks, lower case, `[a-z0-9]` only.

    What is too long to be a name has none.
    """
    if len(name) > LONGEST_GIVEN:
        return ""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", name).lower())


def collapse_slug(slug: str) -> str:
    """Collapse a name as it stands in addresses, where `ä` may be written `%C3%A4`."""
    return "" if len(slug) > LONGEST_GIVEN else collapse(unquote(slug))


def entity_id(name: str, game: str, kit: str | None = None) -> str:
    """Return a weapon's id, as `m4-mw2` or `mcw-mw3+jakravenkit`.

    `game` is any label of the origin game; `kit` a conversion kit's slug. Raise ValueError where the name or the
    kit holds no letter or digit to know it by, or far too many, and `FetchError(content)` for a wrong game.
    """
    origin = origin_game(game)
    weapon = f"{_known(collapse(name), name)}-{origin}"
    return f"{weapon}+{_known(collapse_slug(kit), kit)}" if kit else weapon


def _known(collapsed: str, name: str) -> str:
    if len(name) > LONGEST_GIVEN or len(collapsed) > LONGEST:
        raise ValueError(f"it has no identity: {quoted(name)} goes on for {len(name)} characters")
    if not collapsed:
        raise ValueError(f"it has no identity: {quoted(name)} holds no letter or digit to know it by")
    return collapsed
