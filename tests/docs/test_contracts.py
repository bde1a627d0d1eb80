"""The page on contracts names every member of a contract and of its fields, with its default."""

import dataclasses
import re
from typing import Any

import pytest
from snippets import ROOT
from test_strategies import spellings

from data_source_orchestrator import Contract, Field

PAGE = (ROOT / "docs" / "contracts.md").read_text()
MEMBERS = [
    pytest.param(member, id=f"{kind.__name__}-{member.name}")
    for kind in (Contract, Field)
    for member in dataclasses.fields(kind)
    if member.name != "_"
]


@pytest.mark.parametrize("member", MEMBERS)
def test_every_member_stands_in_a_table_with_its_default(member: "dataclasses.Field[Any]"):
    rows = [line for line in PAGE.splitlines() if line.startswith("| `") and f"`{member.name}`" in line.split("|")[1]]
    assert rows, f"contracts.md names no {member.name}"
    if member.default not in {dataclasses.MISSING, ""}:
        words = set(re.findall(r"[\w.]+", " ".join(rows)))
        assert words & spellings(member.default), f"contracts.md does not say that {member.name} is {member.default!r}"
