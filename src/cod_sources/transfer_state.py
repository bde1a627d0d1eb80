"""The JSON that an Angular server leaves in its page for the browser, and the answer wanted out of it.

An entry is `{"u": request, "s": status, "b": body}` under a key that changes from release to release, so that it is
found by its request, then by what it holds, never by its key. Nothing here knows what a weapon is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain, islice
from operator import itemgetter
from typing import Any
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from cod_sources.decoding import decode_json
from cod_sources.words import quoted, shortened
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind

STATE_ID = "serverApp-state"

MOST_SCRIPTS = 8
"""JSON scripts that are read in one page; real ones have one or two."""

MOST_CANDIDATES = 50
"""Scripts with "json" in their opening tags that are looked at in one page; to understand a tag takes its time."""

LONGEST_TAG = 2000
"""Characters of a script's opening tag; what is longer is none that a page needs."""

_COMMENT_OR_SCRIPT = re.compile(r"<!--|<script(?=[\s/>])", re.IGNORECASE)
_TAG = re.compile(r"<script(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>", re.IGNORECASE)
_JSON = re.compile("json", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</script(?=[\s/>])", re.IGNORECASE)

_ESCAPES = {"&q;": '"', "&a;": "&", "&s;": "'", "&l;": "<", "&g;": ">"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The answer looked for: by a part of its request's path, and by the keys that it holds.

    Of several answers the one whose path holds `rather` is meant; one whose path fits `never` is another page's.
    """

    path: str
    rather: str
    never: re.Pattern[str]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    status: object
    content: Any


def find_answer(text: str, wanted: Wanted, what: str) -> dict[str, Any]:
    """Return the wanted answer out of a page, or out of a text that is the JSON itself.

    Raise `FetchError`: `server` where the page tells that its own request failed with 5xx, else `content`.
    """
    states = _states(text, what)
    states = [state for state in states if _holders([state], wanted.keys)][:1] or states
    asked = [entry for entry in _entries(states) if wanted.path in entry.path]
    if not asked:
        return _only(_holders(states, wanted.keys), wanted, what)
    good = [entry for entry in asked if entry.status in (HTTPStatus.OK, None)]
    if not good:
        raise _failed(asked[0], what)
    meant = [entry for entry in good if wanted.rather in entry.path] or good
    if stray := next((entry for entry in meant if wanted.never.search(entry.path)), None):
        raise FetchError(
            FailureKind.CONTENT, f"{what} came with the answer to {shortened(stray.path)}, which is not the one wanted"
        )
    return _only(_holders([entry.content for entry in meant], wanted.keys), wanted, what)


def _states(text: str, what: str) -> list[Any]:
    """Return the states that can be read; where none can, raise what is wrong with the first."""
    if text.lstrip()[:1] in ("{", "["):
        return [decode_json(text, what)]
    scripts = _scripts(text)
    if not scripts:
        raise FetchError(
            FailureKind.CONTENT, f"{what} holds no script of type application/json, where its data was expected"
        )
    states: list[Any] = []
    errors: list[FetchError] = []
    for script in scripts:
        try:
            states.append(decode_json(_unescaped(script), f"the state in {what}"))
        except FetchError as error:
            errors.append(error)
    if not states:
        raise errors[0]
    return states


def _scripts(html: str) -> list[str]:
    """Return the text of the first JSON scripts, the one that Angular names before the others."""
    scripts: list[tuple[bool, str]] = []
    candidates = (element for element in _script_elements(html) if _JSON.search(element[0]))
    for tag, content in islice(candidates, MOST_CANDIDATES):
        attributes = _attributes(tag)
        if (attributes.get("type") or "").partition(";")[0].strip().lower() == "application/json":
            scripts.append((attributes.get("id") != STATE_ID, content))
        if len(scripts) == MOST_SCRIPTS:
            break
    return [content for _, content in sorted(scripts, key=itemgetter(0))]


def _script_elements(html: str) -> Iterator[tuple[str, str]]:
    """Yield the opening tag and the content of each script outside comments, in one pass over the page.

    No tree is built of the page: a few kilobytes of formatting tags can be made to grow to gigabytes of nodes. No part
    of it is searched twice: a tag that does not end soon goes on through all that was searched for its end.
    """
    position = 0
    while found := _COMMENT_OR_SCRIPT.search(html, position):
        start = found.start()
        if found.group() == "<!--":
            position = html.find("-->", start)
            if position < 0:
                return
        elif (tag := _TAG.match(html, start, start + LONGEST_TAG)) is None:
            position = start + LONGEST_TAG
        else:
            end = _SCRIPT_END.search(html, tag.end())
            yield tag.group(), html[tag.end() : end.start() if end else len(html)]
            position = end.end() if end else len(html)


def _attributes(tag: str) -> dict[str, str | None]:
    node = LexborHTMLParser(f"{tag}</script>").css_first("script")
    return dict(node.attributes) if node is not None else {}


def _unescaped(script: str) -> str:
    """Undo the escapes of older Angular, which leave no quotation mark in the script."""
    if '"' in script:
        return script
    return re.sub(r"&[qaslg];", lambda match: _ESCAPES[match.group()], script)


def _entries(states: list[Any]) -> Iterator[_Entry]:
    for node in chain.from_iterable(_levels(states)):
        request = node.get("u")
        if isinstance(request, str):
            yield _Entry(_path(request), node.get("s"), node)


def _path(request: str) -> str:
    try:
        return unquote(urlsplit(request).path)
    except ValueError:
        return ""


def _holders(roots: list[Any], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the outermost objects that have all these keys."""
    for level in _levels(roots):
        if found := [node for node in level if all(key in node for key in keys)]:
            return found
    return []


def _levels(roots: list[Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the objects of a JSON value level by level; no recursion, however deep it is."""
    level = roots
    while level:
        yield [node for node in level if isinstance(node, dict)]
        children = (node.values() if isinstance(node, dict) else node for node in level)
        level = [child for inner in children for child in inner if isinstance(child, dict | list)]


def _only(found: list[dict[str, Any]], wanted: Wanted, what: str) -> dict[str, Any]:
    """Return the one answer; several that differ leave open which is meant, and are refused."""
    if not found:
        raise FetchError(
            FailureKind.CONTENT,
            f"{what} has no answer to {wanted.path} that holds {' and '.join(wanted.keys)};"
            " the upstream has changed its page, and nothing of it is used",
        )
    if any(other != found[0] for other in found[1:]):
        raise FetchError(
            FailureKind.CONTENT, f"{what} has {len(found)} different answers to {wanted.path}; none is believed"
        )
    return found[0]


def _failed(entry: _Entry, what: str) -> FetchError:
    status = entry.status
    server = isinstance(status, int) and status >= HTTPStatus.INTERNAL_SERVER_ERROR
    kind = FailureKind.SERVER if server else FailureKind.CONTENT
    return FetchError(
        kind,
        f"{what} came without its data: its own request for {shortened(entry.path)} was answered {quoted(status)}",
    )
