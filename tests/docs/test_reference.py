"""The documents say what the code is: made pages are up to date, links lead somewhere, promises have proofs."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest
from snippets import ROOT

import data_source_orchestrator as dso

LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

PROMISES = [
    *(f"B{number:02d}" for number in range(1, 20)),
    *(f"A{number:02d}" for number in range(1, 26)),
    *(f"D{number:02d}" for number in range(1, 46)),
    *("X1", "X2", "X3", "C1", "R1"),
    *(f"S{number}" for number in range(3, 22)),
]


PAGES = [
    "settings.md",
    "events.md",
    "errors.md",
    "classification.md",
    "promises.md",
    "commands.md",
    "names.md",
    "pairs.md",
]


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the script that makes the pages."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("reference")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_made_from_the_code_is_up_to_date(page: str, maker: ModuleType):
    written = (ROOT / "docs" / "reference" / page).read_text()
    assert written == maker.PAGE_MAKERS[page](), "run `uv run scripts/reference.py`"


def test_every_page_that_is_made_is_held_up_to_date(maker: ModuleType):
    assert sorted(maker.PAGE_MAKERS) == sorted(PAGES)


@pytest.mark.usefixtures("maker")
def test_every_pair_of_strategies_has_a_test_that_would_fail_if_they_were_swapped():
    pairs = importlib.import_module("strategy_pairs")
    proved = pairs.proofs_in(ROOT / "tests")
    assert [pair for pair in pairs.PAIRS if pair not in proved] == []
    assert [pair for pair in proved if pair not in pairs.PAIRS] == [], "a pair is named from the outside in"
    assert len(pairs.PAIRS) == len(pairs.ORDER) * (len(pairs.ORDER) - 1) / 2 == 78


@pytest.mark.parametrize("name", dso.__all__)
def test_every_public_name_is_told_with_what_it_is_for(name: str):
    page = (ROOT / "docs" / "reference" / "names.md").read_text()
    [section] = re.findall(rf"^## {name}\n\n(`.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert len(section.split("\n\n", 1)[1].strip()) > len("What it is.")


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_is_proved_by_a_test_that_names_it_or_is_said_to_wait(promise: str):
    listed = (ROOT / "docs" / "reference" / "promises.md").read_text()
    assert f"- **{promise}**" in listed


@pytest.mark.parametrize("document", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in DOCUMENTS])
def test_every_link_leads_to_a_file(document: Path):
    for target in LINK.findall(document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_readme_holds_the_two_commands_word_for_word():
    readme = (ROOT / "README.md").read_text()
    ci = (ROOT / ".ci" / "run").read_text()
    assert "python -m pip install uv && uv run dso sync --sandbox\n" in readme
    assert "python -m pip install uv && uv run pytest\n" in readme
    assert ci.rstrip().endswith("python -m pip install uv && uv run pytest")
