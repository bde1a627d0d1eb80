"""Whatever stands in place of a setting's value: it is accepted, or one sentence says what it is and what to give."""

import re
from pathlib import Path

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.settings import SETTINGS, Setting, load
from data_source_orchestrator.settings.written import written

NEVER = {
    "a table": "{a = 1}",
    "an empty table": "{}",
    "an array in an array": "[[]]",
    "a mixed array": '[1, "a"]',
    "an array of tables": "[{}]",
    "a date": "1979-05-27",
    "a time": "07:32:00",
    "a moment": "1979-05-27T07:32:00Z",
    "no text": '""',
    "blank text": '" "',
    "a character that ends text": r'"\u0000"',
    "not a number": "nan",
    "endlessness": "inf",
    "endlessness below": "-inf",
    "a long number": f"1{'0' * 400}",
    "a long number below": f"-1{'0' * 400}",
    "a number beyond reading": "9" * 5000,
    "a billion and a half": "1.5e9",
}
"""What no setting accepts."""

PYTHON = re.compile(r"\b(None|True|False|dict|str|float|int|NoneType|datetime|PosixPath|Traceback)\b|list\[|\{'")
"""Words of the language that this is written in, which nobody has to know."""


def told(folder: Path, setting: Setting, value: str) -> str:
    *tables, name = setting.key.replace("KEY", "wzstats").replace("HOST", "a-host").split(".")
    heading = f"[{'.'.join(tables)}]\n" if tables else ""
    (folder / "dso.toml").write_text(f"{heading}{name} = {value}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load(environ={}, folder=folder)
    return str(refused.value)


LISTS_OF_ANYTHING = {"sources.KEY.chaos.outcomes"}
"""Settings that accept any list."""


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param(setting, value, id=f"{setting.key}-{name}")
        for setting in SETTINGS
        for name, value in NEVER.items()
        if not (setting.key in LISTS_OF_ANYTHING and value.startswith("["))
    ],
)
def test_what_no_setting_accepts_is_one_short_sentence_without_words_of_python(
    tmp_path: Path, setting: Setting, value: str
):
    sentence = told(tmp_path, setting, value)
    assert sentence.startswith("file dso.toml")
    assert "give " in sentence or "this is not TOML" in sentence
    assert setting.key.split(".")[-1] in sentence or "this is not TOML" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 300
    assert not PYTHON.search(sentence.replace(repr("\0"), ""))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "true"),
        ("it's", '"it\'s"'),
        (3, "3"),
        (0.5, "0.5"),
        ([1, "a", False], "[1, 'a', false]"),
        ([], "[]"),
        ({"a": 1}, "a table"),
        ([{}], "an array of tables"),
        ("x" * 61, f"'{'x' * 60}…'"),
        (10**100, f"1{'0' * 59}…"),
    ],
)
def test_a_value_is_told_as_the_file_writes_it(value: object, words: str):
    assert written(value) == words
