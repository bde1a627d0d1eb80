"""Every settings file that the documents show is accepted as it stands, and fits the shipped sources."""

import re
from pathlib import Path

import pytest
from snippets import ROOT

from data_source_orchestrator.assemble import configured_sources
from data_source_orchestrator.settings import load

BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
DOCUMENTS = [*sorted((ROOT / "docs" / "strategies").glob("*.md")), ROOT / "docs" / "how-to" / "configure.md"]
EXAMPLES = [
    (f"{document.stem}-{number}", text)
    for document in DOCUMENTS
    for number, text in enumerate(BLOCK.findall(document.read_text()))
]


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_a_settings_file_of_the_documents_is_accepted(name: str, text: str, tmp_path: Path):
    (tmp_path / "dso.toml").write_text(text)
    assert configured_sources(load(environ={}, folder=tmp_path)), name


def test_every_strategy_that_has_settings_shows_them():
    shown = {name.rpartition("-")[0] for name, _ in EXAMPLES}
    without = {"guard", "common-cause"}
    assert shown == {document.stem for document in DOCUMENTS} - without
