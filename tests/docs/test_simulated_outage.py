"""The how-to on outages shows the example that is shipped, and what it really prints."""

import tomllib

import pytest
from snippets import ROOT
from typer.testing import CliRunner

from data_source_orchestrator.cli.app import build

PAGE = (ROOT / "docs" / "how-to" / "simulate-an-outage.md").read_text()
EXAMPLE = ROOT / "examples" / "outage.toml"

pytestmark = pytest.mark.real_time


def fenced(after: str) -> str:
    """Return what a fence of the page holds."""
    return PAGE.split(after, 1)[1].split("\n```", 1)[0]


def test_the_page_shows_the_example_that_is_shipped():
    assert tomllib.loads(fenced("```toml\n")) == tomllib.loads(EXAMPLE.read_text())


def test_the_page_shows_what_the_example_prints(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("COLUMNS", raising=False)
    ended = CliRunner().invoke(build(), ["simulate", "--scenario", "examples/outage.toml"])
    assert ended.output.rstrip() == fenced("$ dso simulate --scenario examples/outage.toml\n")
