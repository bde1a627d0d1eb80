"""Bytes to text: byte order mark, then header, then an HTML page's own word, then UTF-8; nothing is guessed."""

import codecs
import json
import re

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PARAMETER = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]+?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_META_WITHIN = 1024

_NO_CHARSETS = frozenset({"unicode-escape", "raw-unicode-escape", "punycode", "idna", "undefined", "utf-7", "mbcs"})
"""Codecs of Python's that no upstream may choose: they are no charsets of the web, or dangerous ones."""

_SAMPLE = b"\0\0\0\0"


def decode_text(body: bytes, content_type: str) -> str:
    """Return a body as text; raises `UnicodeDecodeError` where its charset does not fit it."""
    return _decode(body, _declared(content_type) or _in_meta(body, content_type) or "utf-8")


def decode_json(body: bytes, content_type: str) -> str:
    """Return a JSON body as text, which without any word of its charset is UTF-8, -16 or -32 (RFC 4627)."""
    return _decode(body, _declared(content_type) or json.detect_encoding(body))


def _decode(body: bytes, charset: str) -> str:
    for mark, marked in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(marked)
    return body.decode(charset)


def _declared(content_type: str) -> str | None:
    found = _PARAMETER.search(content_type)
    return _known(found[1]) if found else None


def _in_meta(body: bytes, content_type: str) -> str | None:
    if "html" not in content_type.lower() and (content_type or not body.lstrip().startswith(b"<")):
        return None
    found = _META.search(body[:_META_WITHIN])
    charset = _known(found[1].decode("ascii")) if found else None
    # A page whose ASCII could be read is not UTF-16, whatever it says of itself (the HTML standard's own rule).
    return "utf-8" if charset and charset.startswith(("utf-16", "utf-32")) else charset


def _known(label: str) -> str | None:
    """Return Python's name for a charset, or None for a label that means nothing and is passed over."""
    try:
        name = codecs.lookup(label).name
        _SAMPLE.decode(name)
    except (LookupError, ValueError):  # unknown, or no text encoding, as "hex"
        return None
    return None if name.replace("_", "-") in _NO_CHARSETS else name
