"""How every test runs: coroutines on a virtual-time loop, unless marked `real_time`."""

import asyncio
import inspect
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from data_source_orchestrator.testing import VirtualClock, run_virtual

UPSTREAM = Path(__file__).parents[2] / "shared" / "upstream"

# How long an example takes says more of the machine than of the code.
settings.register_profile("tests", deadline=None, suppress_health_check=(HealthCheck.too_slow,))
settings.load_profile("tests")

# For mutation testing: the same examples for every mutant, and no search for the smallest that kills it.
settings.register_profile(
    "mutation",
    settings.get_profile("tests"),
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test to its end, in no real time unless its subject is real."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: value for name, value in pyfuncitem.funcargs.items() if name in wanted}
    run = asyncio.run if pyfuncitem.get_closest_marker("real_time") else run_virtual
    run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture
def clock() -> VirtualClock:
    """Give the running loop's virtual time."""
    return VirtualClock()


@pytest.fixture
def upstream() -> Path:
    """Give the folder of captured upstream files, or skip where it is not beside the checkout."""
    if not UPSTREAM.is_dir():
        pytest.skip("the captured upstream files are not beside this checkout")
    return UPSTREAM


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Keep out of the log what is broken on purpose."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)  # this, and no hand, also lets each logger forget that it was disabled
