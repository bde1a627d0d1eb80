import subprocess
import sys

import pytest

import data_source_orchestrator as dso
from data_source_orchestrator.assemble import live


def test_every_public_name_is_there_and_is_listed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: object):
    monkeypatch.chdir(str(tmp_path))
    for name in dso.__all__:
        assert getattr(dso, name) is not None
    live.cache_clear()
    assert sorted(dso.__all__) == sorted(dso._HOME_OF)
    assert dir(dso) == sorted(dso.__all__)


def test_an_unknown_name_is_an_ordinary_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'orchestrate'"):
        _ = dso.orchestrate


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import data_source_orchestrator", "pydantic aiohttp typer rich msgspec selectolax sqlite3 asyncio"),
        ("from data_source_orchestrator import DataSourceOrchestrator, source", "pydantic aiohttp typer rich"),
        ("import cod_sources", "pydantic aiohttp msgspec selectolax"),
    ],
)
def test_importing_loads_nothing_that_is_not_needed_yet(code: str, forbidden: str):
    program = f"{code}\nimport sys\nprint(*[n for n in {forbidden.split()} if n in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 — our own program
    assert ran.stdout.strip() == ""
