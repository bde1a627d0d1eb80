"""A call in a daemon thread holds up neither the event loop nor whoever no longer wants it."""

import asyncio
import gc
import logging
import threading

import pytest

from data_source_orchestrator.web.daemon import in_daemon_thread

pytestmark = pytest.mark.real_time


async def test_a_call_runs_in_a_daemon_thread_of_the_given_name():
    thread = await in_daemon_thread(threading.current_thread, name="dso-fetcher-x")
    assert (thread.name, thread.daemon) == ("dso-fetcher-x", True)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_wait_ends_at_once_and_what_comes_late_is_dropped_silently(
    fails: bool, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG, logger="asyncio")
    opened = threading.Event()

    def slow() -> None:
        opened.wait()
        if fails:
            raise OSError

    waiting = asyncio.ensure_future(in_daemon_thread(slow, name="dso-fetcher-slow"))
    await asyncio.sleep(0)
    (thread,) = [one for one in threading.enumerate() if one.name == "dso-fetcher-slow"]
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert thread.is_alive()
    opened.set()
    while thread.is_alive():  # noqa: ASYNC110 — a thread has no event of the loop's
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    gc.collect()
    assert [record for record in caplog.records if "exception" in record.getMessage()] == []
