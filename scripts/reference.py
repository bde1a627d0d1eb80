"""Write the reference pages that are made from the code; a test holds them against it.

Run it with `uv run scripts/reference.py`.
"""

import ast
import dataclasses
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import public_names
import strategy_pairs
import typer

from cod_sources import plugin
from data_source_orchestrator.cli.app import EPILOG, build
from data_source_orchestrator.core import errors, events
from data_source_orchestrator.core.classification import SIGNS, TABLE, Row, Sign
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict
from data_source_orchestrator.settings import CONFIG, SETTINGS, Setting

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "reference"
MADE = "<!-- made by scripts/reference.py -->\n"
PROMISE = re.compile(r"\b([ABDSXCR]\d{1,2})\b")

LATER: dict[str, str] = {}
"""Rows that wait, wholly or in part, for what is not built yet."""


def first_sentence(thing: object) -> str:
    """Return the first paragraph of a docstring as one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


SETTINGS_INTRO = """# Settings

Defaults < `dso.toml` < environment (`.env` below the real one) < flags. Durations are seconds, or `"500ms"`, `"30s"`,
`"2m"`, `"1h"`; ages of kept data may be days, as `"2d"`. `KEY` stands for a source's key, `HOST` for a host's name. An
unknown key or a bad value is told with what is accepted and the nearest right key, and nothing is fetched. So is an
unknown variable that begins with `DATA_ORCHESTRATOR_` or `DSO_`, and one that begins with a source's key, or is nearly
one of those that its plug-in declares. A variable that is set to nothing counts as not set. `dso config` tells what
holds here, and where it was set.

A table that is there switches on what it is about, even where it is empty: `[sources.KEY.hedge]` alone hedges with the
defaults. What a plug-in's source sets itself is its default here.
"""

EVENTS_INTRO = """# Events

What `orchestrator.coordinator.hub.listen(listener)` hears, or `guard(on_event=listener)`. `at` is aware UTC in every
one.

A listener is a plain function of one event. It is called in a daemon thread of its own, in order: it may raise, take
its time or hang, and no run notices. Whatever it wants of a loop it asks for by that loop's `call_soon_threadsafe`.
Kinds may be named: `hub.listen(listener, BreakerChanged, HealthChanged)`. `hub.leave(listener)` ends it, and `await
hub.heard_out()` waits until all has been heard. `hub.listeners` tells of each its name, on how many events it raised
(`errors`), for how many it took longer than half a second (`slow`, `slowest`), how many wait for it (`waiting`) and
how many it missed because ten thousand waited already (`dropped`). What goes wrong is told in the log when it begins,
not for each event. A program that ends gives listeners one second more.

`hub.follow(fold)` calls at once, in the emitter's own thread, and is for what never waits: it would hold up
everybody.
"""

KINDS = """## Failure kinds

{kinds}.

Retried: timeout, connection, server, rate_limited, unknown, and content whose body ended early.
Not retried: blocked, client, other content, empty, bug.

## Skip reasons

{reasons}.

They say nothing about the source.

## Verdicts

{verdicts}.
"""

CLASSIFICATION_INTRO = """# What goes wrong, and which kind that is

One table for everybody. It is read once, where a fetch has failed; retry, breaker, health and metrics all use the kind
that it gave. The first of these that fits decides:

1. A `FetchError(kind)` says its kind itself; our own HTTP client raises nothing else.
2. What the source says of its own errors, statuses and pages: `Source(classification=Classification(…))`.
3. The table: an error is known by its class or its nearest ancestor in it, whatever library it comes from; a group of
   errors by its first one that is no cancellation.
"""

CLASSIFICATION_OWN = """## What a source may add

```python
from data_source_orchestrator import Classification, FailureKind, Sign, Source


class SoldOutError(Exception):
    pass


async def prices() -> list[int]:
    raise SoldOutError("nothing left")


shop = Source(
    key="shop",
    fetcher=prices,
    classification=Classification(
        errors={SoldOutError: "empty"},  # with all its subclasses
        statuses={404: "empty", 202: "server"},  # good ones too: here 202 means "not ready yet"
        signs=(
            Sign(kind=FailureKind.SERVER, told="is down for maintenance", body=rb".*?be right back", wait=300),
            Sign(kind=FailureKind.BLOCKED, told="wants a captcha", header=("x-guard", "captcha")),
        ),
    ),
)
```

A sign is looked for in the headers, or in the first 4096 bytes of a body, of what our own client is answered, good
statuses included. Its `body` is a pattern of bytes that begins where the body does, whatever the case; `statuses` names
those under which alone it counts. `wait` is in seconds, for an answer that names none itself.
"""

PROMISES_INTRO = """# Promises and their proofs

The first README's promises (B), the ambiguities it left (A), and the mistakes of its program (D, X, C, R, S), each with
the tests that carry its number.
"""


def settings_page() -> str:
    """Return every setting, and every variable of the plug-ins."""
    settings = [_setting_row(setting) for setting in (CONFIG, *SETTINGS)]
    variables = [(f"`{variable.name}`", variable.meaning, f"`{variable.default}`") for variable in plugin.variables]
    return page(
        SETTINGS_INTRO,
        table(("setting", "meaning", "default", "variable"), settings),
        "## Variables of the plug-in `cod`\n",
        table(("variable", "meaning", "default"), variables),
    )


def _setting_row(setting: Setting) -> tuple[str, ...]:
    default = "" if setting.default in {None, (None,)} else f"`{_written(setting.default)}`"
    variable = f"`{setting.variable}`" if setting.variable else ""
    return f"`{setting.key}`", setting.meaning, default, variable


def _written(default: object) -> str:
    """Return a default as the file writes it; what TOML has no word for is told in words."""
    return json.dumps(default) if isinstance(default, tuple) else str(default).lower()


def events_page() -> str:
    """Return every event with its members."""
    return page(EVENTS_INTRO, "\n".join(_event(kind) for kind in _classes(events, events.Event)))


def _event(kind: type[events.Event]) -> str:
    members = ", ".join(f"`{member.name}`" for member in dataclasses.fields(kind) if member.name != "at")
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    return f"- **`{name}`** ({members}): {first_sentence(kind)}"


def errors_page() -> str:
    """Return the errors, the failure kinds, the skip reasons, and the sandbox's faults."""
    tree = (errors.__doc__ or "").split("\n\n")[1].strip()
    kinds = KINDS.format(kinds=_listed(FailureKind), reasons=_listed(SkipReason), verdicts=_listed(Verdict))
    faults = [(f"`{fault.spelling}`", fault.meaning, ", ".join(fault.sources)) for fault in plugin.faults()]
    return page(
        f"# Errors and kinds\n\n```\n{tree}\n```\n",
        "\n".join(f"- `{kind.__name__}`: {first_sentence(kind)}" for kind in _classes(errors, errors.DsoError)) + "\n",
        kinds,
        "## Faults of the sandbox\n",
        table(("fault", "meaning", "sources"), faults),
    )


def classification_page() -> str:
    """Return the table from what goes wrong to its kind, and the signs that are looked for."""
    rows = [(row.seen, _meant(row), _again(row), _statuses(row), _classes_of(row)) for row in TABLE]
    signs = [(_sign(sign), ", ".join(map(str, sorted(sign.statuses))) or "any", f"`{sign.kind}`") for sign in SIGNS]
    return page(
        CLASSIFICATION_INTRO,
        "## The table\n",
        table(("what", "kind", "retried", "statuses", "classes"), rows),
        "## Signs\n",
        table(("sign", "statuses", "kind"), signs),
        CLASSIFICATION_OWN,
    )


def _meant(row: Row) -> str:
    return f"`{row.kind}`" if row.kind else f"by its {row.means}"


def _again(row: Row) -> str:
    return {True: "yes", False: "no", None: ""}[row.retried]


def _statuses(row: Row) -> str:
    told = (f"{each.start}" if len(each) == 1 else f"{each.start} to {each.stop - 1}" for each in row.statuses)
    return ", ".join(told)


def _classes_of(row: Row) -> str:
    return ", ".join(f"`{name.removeprefix('builtins.')}`" for name in row.classes.split())


def _sign(sign: Sign) -> str:
    wait = f"; without a wait of its own, {sign.wait:g} s" if sign.wait else ""
    if sign.header is not None:
        return f"`{': '.join(sign.header)}`"
    pattern = (sign.body or b"").decode().replace("|", "\\|")
    return f"a body that begins as `{pattern}`{wait}"


def promises_page() -> str:
    """Return which tests prove which promise, by the names that they carry."""
    proofs: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, told in _tests(path):
            for promise in sorted(set(PROMISE.findall(told))):
                proofs.setdefault(promise, []).append(f"`{path.name}`: {name.removeprefix('test_').replace('_', ' ')}")
    promises = sorted(proofs | LATER, key=lambda promise: (promise[0], int(promise[1:])))
    return page(PROMISES_INTRO, "\n".join(_proven(promise, proofs.get(promise, [])) for promise in promises))


def _proven(promise: str, proofs: list[str]) -> str:
    later = f" (waiting: {LATER[promise]})" if promise in LATER else ""
    return "\n".join([f"- **{promise}**{later}", *(f"  - {proof}" for proof in proofs)])


def page(*parts: str) -> str:
    """Return a page of these parts, marked as made."""
    return "\n".join((MADE, *parts)).rstrip() + "\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _classes(module: object, above: type[T]) -> Iterator[type[T]]:
    for thing in vars(module).values():
        if inspect.isclass(thing) and issubclass(thing, above) and thing is not above:
            yield thing


def _tests(path: Path) -> Iterator[tuple[str, str]]:
    """Return each test's name, and the text that may name promises: its name, its docstring and its module's."""
    module = ast.parse(path.read_text())
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            words = " ".join(word.upper() if PROMISE.fullmatch(word.upper()) else word for word in node.name.split("_"))
            yield node.name, f"{words} {ast.get_docstring(node) or ''} {ast.get_docstring(module) or ''}"


COMMANDS_INTRO = """# Commands

`dso VERB [OPTIONS]`; its long name is `data-source-orchestrator`, and `python -m data_source_orchestrator` is the same.
With `--json` exactly one document goes to standard output, and everything else to standard error.

{exit_status}

A document is printed whole, when the command has reached its end. A command that Ctrl-C or SIGTERM ends before prints
none: standard output stays empty, and the exit status is 130 or 143. `dso sync` has stored by then what the sources
gave that had succeeded, and a line on standard error names them; `dso sources --json` tells by `checked_at` whose data
that is. `dso fetch` stores no data. `dso sandbox` prints its document when it begins to serve.
"""


def commands_page() -> str:
    """Return every verb with its arguments and options."""
    commands = vars(typer.main.get_command(build()))["commands"]
    verbs = [_verb(name, command) for name, command in commands.items()]
    return page(COMMANDS_INTRO.format(exit_status=EPILOG), *verbs)


def _verb(name: str, command: Any) -> str:
    options = [(_spelling(each), " ".join((each.help or "").split())) for each in command.params]
    return f"## `dso {name}`\n\n{command.help}\n\n" + table(("option", "meaning"), options)


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    return ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))


def names_page() -> str:
    """Return every public name."""
    return page(public_names.INTRO, *public_names.sections())


def pairs_page() -> str:
    """Return which tests hold which two strategies to their order."""
    return page(strategy_pairs.INTRO, *strategy_pairs.sections(ROOT / "tests"))


PAGE_MAKERS: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "events.md": events_page,
    "errors.md": errors_page,
    "classification.md": classification_page,
    "promises.md": promises_page,
    "commands.md": commands_page,
    "names.md": names_page,
    "pairs.md": pairs_page,
}


def main() -> None:
    """Write every page."""
    for name, make in PAGE_MAKERS.items():
        (PAGES / name).write_text(make())
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
