"""The three sites, each as one origin: which paths it has, what is there, and how it speaks.

The one place where documents meet HTTP; it opens no socket.
"""

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cod_sources.sandbox import codarmory, codmunity, rankings, wzstats
from cod_sources.sandbox.answers import HTML, JSON, PLAIN, Answer, Manners, Request, missing, page
from cod_sources.sandbox.rows import Thrown


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One site: the source it stands for, the variables that point there, its paths, and what answers."""

    key: str
    variables: tuple[str, ...]
    paths: tuple[str, ...]
    answer: Callable[[Request, Thrown], Answer]


def _codarmory(request: Request, thrown: Thrown) -> Answer:
    document = codarmory.document(request.path, thrown)
    if document is None:
        return missing(request.path, PLAIN)
    return page(request, PLAIN, json.dumps(document, ensure_ascii=False, indent=4), _RAW, thrown)


def _wzstats(request: Request, thrown: Thrown) -> Answer:
    document = wzstats.document(request.path, request.query, thrown)
    if document is None:
        return missing(request.path, HTML)
    return page(request, JSON, _compact(document), _EXPRESS, thrown)


def _codmunity(request: Request, thrown: Thrown) -> Answer:
    if request.path == codmunity.PAGE:
        return page(request, HTML, codmunity.page(thrown), _EXPRESS, thrown)
    document = rankings.document(request.path, thrown)
    if document is None:
        return missing(request.path, JSON if request.path.startswith("/website/") else HTML)
    return page(request, JSON, _compact(document), _EXPRESS, thrown)


def _compact(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


_RAW = Manners(headers={"cache-control": "max-age=300", "x-content-type-options": "nosniff"}, weak_etags=False)
_EXPRESS = Manners(headers={"x-powered-by": "Express"}, weak_etags=True)

ORIGINS = (
    Origin(key="codarmory", variables=("CODARMORY_BASE_URL",), paths=codarmory.PATHS, answer=_codarmory),
    Origin(key="wzstats", variables=("WZSTATS_BASE_URL",), paths=wzstats.PATHS, answer=_wzstats),
    Origin(
        key="codmunity",
        variables=("CODMUNITY_BASE_URL", "CODMUNITY_API_BASE_URL"),
        paths=(codmunity.PAGE, *rankings.PATHS),
        answer=_codmunity,
    ),
)
"""In the order of their ports."""


def index(origin: Origin, thrown: Thrown, variables: Mapping[str, str]) -> str:
    """Return the page that tells a person what this origin is."""
    links = "\n".join(f'<li><a href="{html.escape(path)}">{html.escape(path)}</a></li>' for path in origin.paths)
    settings = html.escape("\n".join(f"{name}={url}" for name, url in variables.items()))
    faults = " + ".join(f"{name}={value:g}" for name, value in thrown.items()) or "none"
    return (
        f"<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'><title>Sandbox: {origin.key}</title></head>\n"
        f"<body><h1>A made-up {origin.key}</h1>\n"
        "<p>Every weapon and every figure here is invented; only the shapes are real.</p>\n"
        f"<ul>\n{links}\n</ul>\n<p>Faults thrown: {faults}</p>\n<pre>{settings}</pre></body></html>\n"
    )
