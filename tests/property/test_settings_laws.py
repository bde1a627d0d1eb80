"""Laws of the settings: whatever is given, they are right or one readable sentence for each mistake."""

import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.settings import SETTINGS, VARIABLES, load
from data_source_orchestrator.settings.dotenv import parse
from data_source_orchestrator.settings.layers import Given, from_document, from_flags, merge, nested
from data_source_orchestrator.settings.loading import _sentence, _validate
from data_source_orchestrator.settings.values import limit

HERE = Path("/nowhere")
names = st.sampled_from(sorted({part for setting in SETTINGS for part in setting.key.split(".")})) | st.text(max_size=6)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["30s", "full", 10**400])
)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(names, v, max_size=3), max_leaves=8)
documents = st.dictionaries(names, st.dictionaries(names, values, max_size=3) | values, max_size=4)


def leaves(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in document.items():
        if isinstance(value, dict) and value:
            yield from (((name, *below), leaf) for below, leaf in leaves(value))
        else:
            yield (name,), value


@given(documents)
def test_any_document_is_accepted_or_told_in_one_line_for_each_mistake(document: dict[str, Any]):
    merged = merge([from_document(document, "dso.toml", HERE)])
    values, flaws = _validate(merged)
    assert not (values and flaws)
    for flaw in flaws:
        sentence = _sentence(flaw, merged)
        assert sentence.startswith("file dso.toml ")
        assert re.search(r"; (give|did you mean|there are) ", sentence)
        assert len(sentence.splitlines()) == 1 or any(not name.isprintable() for name in flaw.key)


@given(documents)
@example({"run": {}})
def test_flat_keys_stand_for_the_document_that_they_were_made_of(document: dict[str, Any]):
    before = repr(document)
    back = nested(merge([from_document(document, "dso.toml", HERE), from_flags({"timeout": 5}, HERE)]))
    assert repr(document) == before
    back = nested(merge([from_document(document, "dso.toml", HERE)]))
    assert repr(sorted(leaves(back), key=repr)) == repr(sorted(leaves(document), key=repr))


@given(documents, documents)
def test_a_later_layer_outdoes_an_earlier_one_key_by_key(earlier: dict[str, Any], later: dict[str, Any]):
    first, second = (from_document(document, name, HERE) for document, name in ((earlier, "a"), (later, "b")))
    merged: dict[tuple[str, ...], Given] = merge([first, second])
    hidden = {("retry", "max_retries")} if ("run", "max_retries") in second.given else set()
    assert set(merged) == (set(first.given) - hidden) | set(second.given)
    for key, held in merged.items():
        assert held is (second.given[key] if key in second.given else first.given[key])


variables = st.dictionaries(st.sampled_from([*VARIABLES, "DSO_X", "HOME", "OTHER"]), st.text(max_size=8), max_size=6)


@given(variables)
def test_any_environment_is_accepted_or_told(environ: dict[str, str]):
    with tempfile.TemporaryDirectory() as folder:
        try:
            settings = load(environ=environ, folder=Path(folder))
        except ConfigurationError as error:
            assert str(error)  # noqa: PT017 — either end is right, and nothing else may be raised
            return
    assert settings.environment == {name: value for name, value in environ.items() if value.strip()}


@given(st.integers(1, 3_600_000), st.sampled_from([("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]))
def test_a_duration_with_its_unit_is_that_many_seconds(amount: int, unit: tuple[str, int]):
    name, milliseconds = unit
    seconds = amount * milliseconds / 1000
    if seconds <= 3600:
        assert math.isclose(limit(f"{amount}{name}"), seconds)
    else:
        with pytest.raises(ConfigurationError):
            limit(f"{amount}{name}")


@given(st.text() | st.floats() | st.integers() | st.booleans() | st.none())
def test_a_limit_is_more_than_nothing_and_at_most_an_hour_or_it_is_refused(value: object):
    try:
        held = limit(value)
    except ConfigurationError as error:
        assert "; give" in str(error) or "did you mean" in str(error)  # noqa: PT017 — either end is right
    else:
        assert 0 < held <= 3600


def quoted(value: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", value).replace("\n", "\\n") + '"'


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
        st.text(st.characters(exclude_categories=["Cs"])),
        max_size=5,
    )
)
def test_dotenv_gives_back_whatever_was_quoted(variables: dict[str, str]):
    text = "\n".join(f"{name}={quoted(value)} # told" for name, value in variables.items())
    assert parse(text, ".env") == (variables, ())


@given(st.text())
def test_dotenv_reads_every_line_or_tells_its_number(text: str):
    values, problems = parse(text, ".env")
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in values)
    assert len(values) + len(problems) <= text.count("\n") + 1
