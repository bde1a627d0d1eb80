"""Shows a board while a person watches: one line for each source, redrawn ten times a second.

On a terminal that cannot redraw, a line for each change; nothing where nobody watches.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import assert_never

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from data_source_orchestrator.cli.progress import Asking, Board, Checked, Ended, Line, Pausing, SwitchedOff, Waiting
from data_source_orchestrator.cli.screen import Screen, ascii_only, columns
from data_source_orchestrator.cli.words import BAD, BUSY, GOOD, NEITHER, PAUSED, WAITING, Mark, size, span
from data_source_orchestrator.core.age import Age
from data_source_orchestrator.core.events import Event, RetryScheduled, SourceFinished, SourceUnreached
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped, Success
from data_source_orchestrator.fanout.hub import Hub

FRAMES_PER_SECOND = 10

ROOMY = 60
"""Columns from which bytes are shown too."""

STATE_WIDTH = 34


@contextmanager
def watching(screen: Screen, board: Board, hub: Hub) -> Iterator[None]:
    """Keep a board up to date, and show it while a person watches."""
    hub.follow(board)
    try:
        with _shown(screen, board, hub):
            yield
    finally:
        hub.leave(board)


def frame(board: Board, console: Console) -> list[Text]:
    """Return the board's lines as they look now."""
    now, lines = board.now, board.lines
    widest = max((cell_len(line.title) for line in lines), default=0)
    return [_drawn(line, now, widest, console) for line in lines]


def told(line: Line, now: float, room: int = STATE_WIDTH) -> tuple[Mark, str]:
    """Return the mark and the words for a source's state, in few words where there is little room."""
    match line.state:
        case Waiting():
            return WAITING, "waiting"
        case SwitchedOff():
            return NEITHER, "disabled"
        case Asking(attempt=attempt):
            return BUSY, "asking" if attempt == 1 else f"asking, attempt {attempt}"
        case Pausing(attempt=attempt, until=until, kind=kind):
            wait = f"in {max(0.0, until - now):.1f} s"
            return PAUSED, f"retry {wait}" if room < STATE_WIDTH else f"attempt {attempt} {wait} ({_words(kind)})"
        case Ended(outcome=outcome):
            return ending(outcome)
        case Checked(answered=answered):
            return (GOOD, "answered") if answered else (BAD, "no good answer")
    assert_never(line.state)


def ending(outcome: Outcome[object]) -> tuple[Mark, str]:
    """Return the mark and the words for how a source's part ended."""
    match outcome:
        case Success(age=Age(seconds=seconds)):
            return GOOD, f"from the cache, {span(seconds)} old"
        case Success():
            return GOOD, "done"
        case Failure(kind=kind):
            return BAD, f"failed: {_words(kind)}"
        case Skipped(reason=reason):
            return NEITHER, f"skipped: {_words(reason)}"
    assert_never(outcome)


def _shown(screen: Screen, board: Board, hub: Hub) -> AbstractContextManager[object]:
    if screen.watched is not None:
        return _live(screen.watched, board)
    return _line_by_line(screen, hub) if screen.read_along else nullcontext()


def _words(name: str) -> str:
    return name.replace("_", " ")


def _live(console: Console, board: Board) -> Live:
    return Live(
        get_renderable=lambda: Group(*frame(board, console)),
        console=console,
        refresh_per_second=FRAMES_PER_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        vertical_overflow="crop",
    )


@contextmanager
def _line_by_line(screen: Screen, hub: Hub) -> Iterator[None]:
    unreached: list[Outcome[object]] = []

    def hear(event: Event) -> None:
        match event:
            case RetryScheduled(source=key, attempt=attempt, delay=delay, kind=kind):
                screen.tell(
                    f"{key}: attempt {attempt - 1} failed ({_words(kind)}); attempt {attempt} follows in {span(delay)}"
                )
            case SourceFinished(executed=executed) if executed.outcome in unreached:
                unreached.remove(executed.outcome)  # that it had ended was told when it had
            case SourceUnreached(executed=executed) | SourceFinished(executed=executed):
                outcome = executed.outcome
                screen.tell(f"{outcome.source}: {ending(outcome)[1]} after {span(outcome.duration)}")
                if isinstance(event, SourceUnreached):
                    unreached.append(outcome)
            case _:
                pass

    hub.follow(hear)
    try:
        yield
    finally:
        hub.leave(hear)


def _drawn(line: Line, now: float, title_width: int, console: Console) -> Text:
    width = columns(console) or console.width
    elapsed = line.elapsed(now)
    figures = [f"{'' if elapsed is None else f'{elapsed:.1f} s':>7}"]
    if width >= ROOMY:
        figures.insert(0, f"{size(line.received) if line.received else '':>8}")
    title_width = min(title_width, width // 3)
    room = min(STATE_WIDTH, width - title_width - 4 - sum(2 + len(figure) for figure in figures))
    mark, words = told(line, now, room)
    cells = [set_cell_size(line.title, title_width), set_cell_size(words, room), *figures]
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{mark.ascii if ascii_only(console) else mark.shape} ", mark.style)
    return text.append("  ".join(cells).rstrip())
