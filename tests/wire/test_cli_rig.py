"""The command as a person meets it, for the tests beside it: in this process for speed, in one of its own where that is
the subject."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from data_source_orchestrator.cli.app import run

MAIN = (sys.executable, "-c", "from data_source_orchestrator.cli import main; main()")
"""The command in a process of its own."""

UPSTREAMS = ("CODARMORY_", "WZSTATS_", "CODMUNITY_")

OURS = ("DSO_", "DATA_ORCHESTRATOR_", *UPSTREAMS, "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONUNBUFFERED")
"""How the names of variables begin that no test may inherit."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left: its exit status, and both its streams."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one document on standard output."""
        told: dict[str, Any] = json.loads(self.out)
        return told

    @property
    def quiet(self) -> bool:
        """Whether nobody was shown a traceback."""
        return not any(word in self.out + self.err for word in ("Traceback", "Exception ignored", 'File "'))


class Dso:
    """The command with a data folder and a working folder of its own, over made-up upstreams unless told otherwise."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._monkeypatch = monkeypatch
        for name in [name for name in os.environ if name.startswith(OURS)]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(folder)

    def set(self, **variables: str) -> None:
        """Set variables for all later commands."""
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def write(self, toml: str) -> None:
        """Write the settings file."""
        (self.folder / "dso.toml").write_text(toml)

    def typed(self, verb: str, *more: str, sandbox: bool = True) -> list[str]:
        """Return a command's words."""
        return [verb, *more, "--data-dir", str(self.data), *(["--sandbox"] if sandbox else [])]

    def __call__(self, verb: str, *more: str, sandbox: bool = True) -> Ended:
        """Run a command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run(self.typed(verb, *more, sandbox=sandbox))
        ended = Ended(status, out.getvalue(), err.getvalue())
        assert ended.quiet
        return ended

    def apart(self, verb: str, *more: str, sandbox: bool = True, **options: Any) -> Ended:
        """Run a command in a process of its own."""
        words = [*MAIN, *self.typed(verb, *more, sandbox=sandbox)]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        ended = subprocess.run(words, text=True, timeout=60, check=False, **options)  # noqa: S603 — our own words
        return Ended(ended.returncode, ended.stdout or "", ended.stderr or "")


def environment(**variables: str) -> Mapping[str, str]:
    """Return this process's variables, without those that are ours, and with these."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | variables


@pytest.fixture
def dso(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dso:
    """Give the command with nothing stored yet."""
    return Dso(tmp_path, monkeypatch)


def test_the_rig_runs_the_same_command_both_ways(dso: Dso):
    here, apart = dso("sources", "--json"), dso.apart("sources", "--json")
    assert here.status == apart.status == 0
    assert here.document == apart.document
    assert apart.quiet
