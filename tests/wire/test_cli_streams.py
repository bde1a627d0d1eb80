"""What reaches pipes and terminals: control codes only where a person watches; a reader that leaves breaks nothing."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic  # noqa: TID251 — the subject is a terminal
from typing import IO

import pytest
from test_cli_rig import MAIN, Dso, dso, environment

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7][0-9;]*m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
FAULT = ("--fault", "wzstats=error_rate", "--max-retries", "1")


@pytest.fixture(autouse=True)
def short_waits(dso: Dso) -> None:
    """Let retries follow soon, and yet late enough to be seen."""
    dso.write("[retry]\nbase_delay = 0.35\njitter = false")


def at_a_terminal(words: list[str], *, columns: int = 100, env: Mapping[str, str]) -> tuple[int, str]:
    """Run a command at a terminal of that width, and return its exit status and everything that was sent there."""
    pid, master = pty.fork()
    if pid == 0:
        os.execvpe(words[0], words, dict(env))  # noqa: S606 — our own words, in the child
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    sent, until = b"", monotonic() + 30
    while monotonic() < until:
        ready, _, _ = select.select([master], [], [], 1)
        try:
            read = os.read(master, 65536) if ready else None
        except OSError:
            break
        sent += read or b""
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), sent.decode()


def test_a_terminal_shows_each_source_while_it_runs_and_then_the_summary(dso: Dso):
    words = [*MAIN, *dso.typed("sync", *FAULT, "--fault", "codarmory=latency=0.6")]
    status, sent = at_a_terminal(words, env=environment(TERM="xterm-256color"))
    shown = CONTROL.sub("", sent)
    assert status == 0
    assert COLOUR.search(sent)
    for told in ("● CODArmory  asking", "✓ CODArmory  done", "◌ WZStats    attempt 2 in 0", "(server)", " kB "):
        assert told in shown
    last = shown[shown.rindex("Source       Result") :]
    assert "✗ WZStats    failed: server" in last
    assert "✓ Sufficient: 2 of 3 sources succeeded" in last
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h") == 1  # the cursor is given back
    last_frame = sent.rindex("CODArmory  done", 0, sent.rindex("Attempts"))
    assert "\x1b[2K" in sent[last_frame : sent.rindex("Attempts")]  # and the moving lines are wiped away


def test_no_color_leaves_shapes_and_words(dso: Dso):
    words = [*MAIN, *dso.typed("sync", *FAULT)]
    status, sent = at_a_terminal(words, env=environment(TERM="xterm-256color", NO_COLOR="1"))
    assert (status, COLOUR.search(sent)) == (0, None)
    assert "✗ WZStats    failed: server" in CONTROL.sub("", sent)


def test_a_dumb_terminal_gets_a_line_for_each_change_and_no_control_codes(dso: Dso):
    status, sent = at_a_terminal([*MAIN, *dso.typed("sync", *FAULT)], env=environment(TERM="dumb"))
    assert (status, ESCAPE in sent) == (0, False)
    lines = sent.replace("\r", "").splitlines()
    assert any(line.startswith("wzstats: attempt 1 failed (server); attempt 2 follows in") for line in lines)
    assert any(line.startswith("codarmory: done after ") for line in lines)
    assert any(line.startswith("✓ Sufficient") for line in lines)


def test_a_dumb_terminal_is_told_once_of_a_source_that_nobody_has_answered(dso: Dso):
    for name in ("CODARMORY", "WZSTATS", "CODMUNITY"):
        dso.set(**{f"{name}_BASE_URL": "http://127.0.0.1:1"})
    words = [*MAIN, *dso.typed("fetch", "--max-retries", "0", sandbox=False)]
    _, sent = at_a_terminal(words, env={**os.environ, "TERM": "dumb"})
    lines = [line.partition(" after ")[0] for line in sent.replace("\r", "").splitlines()]
    assert sorted(line for line in lines if line.endswith(": failed: connection")) == [
        f"{key}: failed: connection" for key in ("codarmory", "codmunity", "wzstats")
    ]


def test_no_line_is_wider_than_a_narrow_terminal(dso: Dso):
    words = [*MAIN, *dso.typed("sync", *FAULT)]
    status, sent = at_a_terminal(words, columns=40, env=environment(TERM="xterm-256color"))
    assert status == 0
    assert max(len(line) for line in CONTROL.sub("\n", sent).replace("\r", "").split("\n")) <= 40


def test_a_terminal_that_knows_only_ascii_gets_shapes_in_ascii(dso: Dso):
    variables = {"TERM": "xterm-256color", "PYTHONIOENCODING": "ascii"}
    status, sent = at_a_terminal([*MAIN, *dso.typed("sync", *FAULT)], env=environment(**variables))
    shown = CONTROL.sub("", sent)
    assert (status, sent.isascii()) == (0, True)
    assert "+ CODArmory  done" in shown
    assert "x WZStats    failed: server" in shown


def test_a_document_comes_alone_while_a_person_watches_the_other_stream(dso: Dso):
    shell = f"{' '.join(map(_quoted, [*MAIN, *dso.typed('sync', '--json')]))} > told.json"
    status, sent = at_a_terminal(["sh", "-c", shell], env=environment(TERM="xterm-256color"))
    assert status == 0
    assert "CODArmory  done" in CONTROL.sub("", sent)
    assert Path("told.json").read_text().startswith('{\n  "schema": "dso.sync/1"')


def test_a_document_on_a_terminal_is_not_disturbed_where_nobody_watches_the_other_stream(dso: Dso):
    shell = f"{' '.join(map(_quoted, [*MAIN, *dso.typed('sync', '--json')]))} 2> told.txt"
    status, sent = at_a_terminal(["sh", "-c", shell], env=environment(TERM="xterm-256color"))
    assert (status, ESCAPE in sent) == (0, False)
    assert sent.startswith('{\r\n  "schema": "dso.sync/1"')
    assert Path("told.txt").read_text() == ""


def test_colour_can_be_forced_upon_a_pipe_and_movement_cannot(dso: Dso):
    ended = dso.apart("sync", env=environment(FORCE_COLOR="1", TERM="xterm-256color"))
    assert (ended.status, ended.err) == (0, "")
    assert COLOUR.search(ended.out)
    assert "asking" not in ended.out
    assert "\x1b[?25l" not in ended.out


@pytest.mark.parametrize(
    "words", [("sync", *FAULT), ("sources",), ("health", "--probe"), ("doctor",)], ids=lambda w: w[0]
)
def test_a_pipe_gets_plain_lines_and_nobody_watching_gets_no_progress(dso: Dso, words: tuple[str, ...]):
    ended = dso.apart(*words)
    assert (ended.status, ended.err) == (0, "")
    assert ESCAPE not in ended.out
    assert "\r" not in ended.out
    assert [line for line in ended.out.splitlines() if line != line.rstrip()] == []


def test_a_pipe_gets_each_source_on_one_line_however_long(dso: Dso):
    [line] = [line for line in dso("sync", *FAULT).out.splitlines() if "WZStats " in line and "failed" in line][:1]
    assert line.endswith("answered 500 Internal Server Error")


@pytest.mark.parametrize("words", [("sources",), ("fetch", "--json"), ("sync",), ("--help",)], ids=" ".join)
def test_a_reader_that_leaves_ends_nothing_and_hears_no_complaint(dso: Dso, words: tuple[str, ...]):
    typed = list(words) if words == ("--help",) else dso.typed(*words)
    process = subprocess.Popen([*MAIN, *typed], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 — our own words
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert err == ""
    assert process.returncode == (1 if words == ("--help",) else 0)


@pytest.fixture
def full() -> Iterator[IO[str]]:
    """Give a file that takes nothing."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with Path("/dev/full").open("w") as file:
        yield file


@pytest.mark.parametrize(
    "words",
    [("sync", "--json"), ("sync",), ("doctor",), ("sandbox", "--list-faults"), ("--help",), ("--version",)],
    ids=" ".join,
)
def test_an_output_that_cannot_be_written_is_one_plain_sentence(dso: Dso, full: IO[str], words: tuple[str, ...]):
    typed = list(words) if words[0].startswith("-") else dso.typed(*words)
    ended = subprocess.run([*MAIN, *typed], stdout=full, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 — our own words
    assert ended.returncode == 1
    assert ended.stderr == (
        "dso: standard output cannot be written (No space left on device):"
        " send it to a place that takes it, and try again\n"
    )
    assert not (dso.data / "errors.log").exists()


@pytest.mark.parametrize(
    ("words", "status"), [(("sync", *FAULT), 0), (("sync", "--fault", "x"), 2), (("nonsense",), 2)], ids=str
)
def test_a_standard_error_that_takes_nothing_changes_no_status(
    dso: Dso, full: IO[str], words: tuple[str, ...], status: int
):
    assert dso.apart(*words, stderr=full).status == status
    assert dso.apart(*words, stderr=None, preexec_fn=lambda: os.close(2)).status == status


def test_a_closed_output_ends_nothing(dso: Dso):
    ended = dso.apart("sources", preexec_fn=lambda: os.close(1), stdout=None)
    assert (ended.status, ended.err) == (0, "")


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
