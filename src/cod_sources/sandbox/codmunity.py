"""CODMunity, made up: the page with its transfer state, as Angular leaves it in the HTML, and the API.

Knows the envelope; what is inside comes from the comparator and the rankings.
"""

import json

from cod_sources.sandbox import comparator
from cod_sources.sandbox.rows import Row, Thrown

PAGE = "/weapon-stats/warzone"
"""The page whose transfer state holds the comparator."""

_API = "https://api.codmunity.gg/website/pages/"
"""What the real page names as the address of each entry; nothing here asks it."""

_KEY = "2718281828"
_RENAMED_KEY = "comparator-page-v7"


def transfer_state(thrown: Thrown) -> Row:
    """Return the state of the page: several entries, each under a number, among them what is no entry at all."""
    key = _RENAMED_KEY if "renamed_state_key" in thrown else _KEY
    return {
        "1414213562": _entry("menu", {"games": ["warzone-2", "bo7", "bo6"]}),
        key: _entry("stats-comparator/warzone", comparator.document(thrown)),
        "1732050807": _entry("banner/warzone", None, status=404),
        "__nghData__": [{}],
    }


def page(thrown: Thrown) -> str:
    """Return the page."""
    state = json.dumps(transfer_state(thrown), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return _PAGE.format(state=state)


def _entry(path: str, body: Row | None, *, status: int = 200) -> Row:
    text = "OK" if body is not None else "Not Found"
    return {"b": body, "h": {}, "s": status, "st": text, "u": _API + path, "rt": "json"}


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Weapon stats (made up)</title>
<script type="application/ld+json">{{"@context":"https://schema.org","@type":"WebPage","name":"made up"}}</script>
</head><body>
<app-root ng-version="19.0.0" ng-server-context="ssr"><h1>Weapon stats, made up for the sandbox</h1></app-root>
<script id="serverApp-state" type="application/json">{state}</script>
</body></html>
"""
