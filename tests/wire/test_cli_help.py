"""What `--help` tells, and what it costs."""

import subprocess
import sys
from dataclasses import fields
from importlib.metadata import version
from typing import Any, get_args

import pytest
from test_cli_rig import MAIN, Dso, dso, environment
from typer.models import OptionInfo

from data_source_orchestrator.cli.app import VERBS, Verb

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

HEAVY = ("pydantic", "aiohttp", "msgspec", "selectolax", "sqlite3", "asyncio", "cod_sources", "platformdirs")


def names_of(options: type[Any]) -> list[str]:
    """Return every option that a verb takes."""
    infos = [info for field in fields(options) for info in get_args(field.type)[1:] if isinstance(info, OptionInfo)]
    return [name for info in infos for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_help_of_a_verb_mentions_every_option_of_it(dso: Dso, verb: Verb):
    dso.set(COLUMNS="120")
    told = dso(verb.name, "--help").out
    wanted = names_of(verb.options)
    assert {"--json", "--config", "--data-dir", "--sandbox"} <= {*wanted}
    assert [name for name in wanted if name not in told] == []


def test_the_help_of_the_command_mentions_every_verb_and_the_exit_status():
    told = subprocess.run([*MAIN, "--help"], capture_output=True, text=True, check=True, env=environment()).stdout  # noqa: S603 — our own
    assert [verb.name for verb in VERBS if f" {verb.name} " not in told] == []
    assert "Exit status" in told


def test_the_version_is_that_of_the_package():
    told = subprocess.run([*MAIN, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 — our own
    assert told == f"dso {version('data-source-orchestrator')}\n"


def test_help_loads_nothing_of_what_the_verbs_need():
    listing = (
        "import sys\nfrom data_source_orchestrator.cli.app import run\nrun(['--help'])\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)  # noqa: S603 — our own
    assert told.stderr == "[]\n"
