"""An accepted answer, wholly read: as bytes, as text, as strict JSON."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data_source_orchestrator.core.classification.signs import CHALLENGE_PAGE, HEAD
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.strict_json import MOST_LEVELS, MOST_NODES, parse_json
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.charset import decode_json, decode_text
from data_source_orchestrator.web.judgement import by_sign
from data_source_orchestrator.web.redaction import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What an upstream served; `status` is 2xx, names of `headers` are matched whatever their case.

    Of one that is `from_cache` the body was kept: upstream has just confirmed it where it is `revalidated`, and else
    was not asked, or has failed with what `instead_of` tells. `age` is the seconds since its origin gave or confirmed
    it, as far as anybody told; 0 for an answer that is not from the cache.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    from_cache: bool = False
    revalidated: bool = False
    age: float = 0.0
    instead_of: FetchError | None = None
    known_digest: str = field(default="", repr=False)
    kept_as: tuple[str, str] | None = field(default=None, repr=False)
    max_json_depth: int = field(default=MOST_LEVELS, repr=False)
    max_json_nodes: int = field(default=MOST_NODES, repr=False)

    @property
    def digest(self) -> str:
        """The body's SHA-256 in hexadecimal."""
        return self.known_digest or hashlib.sha256(self.body).hexdigest()

    def text(self) -> str:
        """Return the body as text, in the charset of its byte order mark, header or page, else UTF-8.

        Raises `FetchError(content)` where that charset does not fit.
        """
        try:
            return decode_text(self.body, self._content_type)
        except UnicodeError as error:
            raise self._unreadable(error) from None

    def json(self) -> Any:
        """Return the body as strict JSON, whatever its content type says.

        Raises `FetchError`: blocked for a challenge page; content for an empty body, HTML, a wrong charset and
        what strict JSON refuses (`parse_json`).
        """
        head = self.body[:HEAD].strip()
        if not head and not self.body.strip():
            raise self._content("sent an empty body where JSON was expected")
        if CHALLENGE_PAGE.is_in(head):
            raise by_sign(CHALLENGE_PAGE, self.url)
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise self._content("sent HTML where JSON was expected")
        try:
            text = decode_json(self.body, self._content_type)
            return parse_json(text, max_depth=self.max_json_depth, max_nodes=self.max_json_nodes)
        except UnicodeError as error:
            raise self._unreadable(error) from None
        except json.JSONDecodeError as error:
            wrong = f"{error.msg} at line {error.lineno}, column {error.colno}"
            raise self._content(f"sent what is no JSON: {wrong}") from None
        except ValueError as error:
            raise self._content(f"sent JSON that is not accepted: {error}") from None

    @property
    def _content_type(self) -> str:
        return self.headers.get("content-type", "")

    def _unreadable(self, error: UnicodeError) -> FetchError:
        if isinstance(error, UnicodeDecodeError):
            return self._content(f"sent text that is no {error.encoding}, from byte {error.start} on")
        return self._content("sent text that cannot be decoded")

    def _content(self, what: str) -> FetchError:
        return FetchError(FailureKind.CONTENT, f"{shown(self.url)} {what}")
