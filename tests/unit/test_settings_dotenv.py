"""How a `.env` line is read."""

import pytest

from data_source_orchestrator.settings.dotenv import parse


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("  export   A = 1  ", "1"),
        ("A=", ""),
        ("A=''", ""),
        ('A=""', ""),
        ("A=one two", "one two"),
        ("A=one # told", "one"),
        ("A=one#two", "one#two"),
        ("A=# nothing", ""),
        ("A='one # two' # told", "one # two"),
        ('A="one # two"# told', "one # two"),
        (r"A='a\nb'", r"a\nb"),
        (r'A="a\nb\t\"c\" \\ \$"', 'a\nb\t"c" \\ $'),
        ("A=http://a.example/?x=1&y=2#z", "http://a.example/?x=1&y=2#z"),
        ("A=it's", "it's"),
        ("A=${B}", "${B}"),
        ("A=1\r", "1"),
        ("A=ünïcode \u2028 kept", "ünïcode \u2028 kept"),
    ],
)
def test_a_line_gives_its_value(line: str, value: str):
    assert parse(line, ".env") == ({"A": value}, ())


@pytest.mark.parametrize("line", ["", "   ", "# A=1", "   # A=1"])
def test_empty_lines_and_comments_give_nothing(line: str):
    assert parse(line, ".env") == ({}, ())


@pytest.mark.parametrize(
    "line", ["A", "=1", "1A=1", "A B=1", "A-B=1", "A='open", 'A="open', "A='a' b", 'A="a" b', r'A="a\"', "export"]
)
def test_a_line_that_cannot_be_read_is_told_with_file_and_line(line: str):
    values, problems = parse(f"OK=1\n{line}\nTOO=2", "my.env")
    assert values == {"OK": "1", "TOO": "2"}
    assert problems == ("file my.env, line 2: cannot be read; give NAME=value, with quotes closed on its line",)


def test_of_a_name_given_twice_the_last_value_counts():
    assert parse("A=1\nA=2", ".env")[0] == {"A": "2"}
