"""The `.env` file: one `NAME=value` a line, with `export`, quotes and comments; nothing is substituted.

It only reads text; who wants which variable is not known here.
"""

import re

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)", re.DOTALL)
_SINGLE = re.compile(r"'(?P<text>[^']*)'\s*(?:#.*)?")
_DOUBLE = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"\s*(?:#.*)?')
_COMMENT = re.compile(r"(?:^|\s)#.*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str, file: str) -> tuple[dict[str, str], tuple[str, ...]]:
    r"""Return the variables of a file's text, and a sentence for each line that cannot be read.

    Of a name given twice the last value counts. A value in double quotes knows `\n`, `\t` and `\"`.
    """
    values: dict[str, str] = {}
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        read = _read(stripped)
        if read is None:
            problems.append(
                f"file {file}, line {number}: cannot be read; give NAME=value, with quotes closed on its line"
            )
        else:
            values[read[0]] = read[1]
    return values, tuple(problems)


def _read(line: str) -> tuple[str, str] | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    value = _value(match["value"])
    return None if value is None else (match["name"], value)


def _value(text: str) -> str | None:
    if text.startswith("'"):
        single = _SINGLE.fullmatch(text)
        return single["text"] if single else None
    if text.startswith('"'):
        double = _DOUBLE.fullmatch(text)
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), double["text"]) if double else None
    return _COMMENT.sub("", text).strip()
