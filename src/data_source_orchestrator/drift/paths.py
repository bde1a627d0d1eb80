"""How a place in a document is written: `weapons[].name`, `wzStatsTierList.{}.META[]`, `["a.b"]`.

A path is a tuple of segments, each with its own punctuation; joined they are the text, and can be told apart again.
"""

import json
import re

Path = tuple[str, ...]

ROOT: Path = ()

ROWS = "[]"
"""The segment that stands for all the elements of a list, whatever their places."""

ANY = ".{}"
"""The segment that stands for all the members of an object whose names are data: ids, dates, modes."""

_PLAIN = re.compile(r"[^\s.\[\]{}\"\\](?:[^.\[\]{}\"\\]*[^\s.\[\]{}\"\\])?")
_SEGMENT = re.compile(r'\[\]|\.\{\}|\["(?:[^"\\]|\\.)*"\]|\.[^.\[\]]+')


def segment(name: str) -> str:
    """Return the segment of an object's member; a name that would be misread, or not be shown, is quoted as in JSON."""
    return f".{name}" if name.isprintable() and _PLAIN.fullmatch(name) else f"[{json.dumps(name)}]"


def written(path: Path) -> str:
    """Return a path as text; `split` reads it again."""
    return "".join(path)


def split(text: str) -> Path:
    """Return the path that was written so."""
    return tuple(_SEGMENT.findall(text))


def shown(text: str) -> str:
    """Return a written path as people read it; the document itself has an empty one."""
    return text.removeprefix(".") or "the document itself"
