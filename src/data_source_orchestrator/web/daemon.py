"""One blocking call in a daemon thread, so that neither the event loop nor the end of the program waits for it."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def in_daemon_thread(call: Callable[[], T], *, name: str = "dso-http") -> T:
    """Return what the call returns, or raise what it raises; a cancelled wait abandons the thread."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()

    def put(how: Callable[[Any], None], what: object) -> None:
        if not ended.done():
            how(what)

    def deliver(how: Callable[[Any], None], what: object) -> None:
        with suppress(RuntimeError):  # the loop has closed meanwhile, and nobody waits any longer
            loop.call_soon_threadsafe(put, how, what)

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 — handed over whole to whoever waits
            deliver(ended.set_exception, error)
        else:
            deliver(ended.set_result, result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await ended
