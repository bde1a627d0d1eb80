"""Who waits on an event loop, and where: the line in which each task's innermost coroutine stands."""

import asyncio
from types import FrameType
from typing import Any

MOST = 10
"""Tasks that are named; of more there is only a count."""


def told_waits(loop: asyncio.AbstractEventLoop) -> str:
    """Return a sentence that names the tasks of a loop which wait, the oldest names first, and where each stands."""
    waits = sorted(f"{task.get_name()} at {standing_at(task)}" for task in asyncio.all_tasks(loop))
    if not waits:
        return "no task is left either"
    more = f", and {len(waits) - MOST} more" if len(waits) > MOST else ""
    return f"waiting: {', '.join(waits[:MOST])}{more}"


def standing_at(task: "asyncio.Task[Any]") -> str:
    """Return the file, line and function in which a task's innermost coroutine waits."""
    frame = _innermost(task.get_coro())
    if frame is None:
        return "no line that can be told"
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"


def _innermost(awaited: object) -> FrameType | None:
    """Follow what is awaited inwards, to the last that is written in Python."""
    frame: FrameType | None = None
    while awaited is not None:
        frame = _first_of(awaited, "cr_frame", "ag_frame", "gi_frame") or frame
        awaited = _first_of(awaited, "cr_await", "ag_await", "gi_yieldfrom")
    return frame


def _first_of(thing: object, *names: str) -> Any:
    return next((found for name in names if (found := getattr(thing, name, None)) is not None), None)
