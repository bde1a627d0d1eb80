"""Log records and warnings as plain lines on standard error, tracebacks in a file."""

import logging
import warnings
from pathlib import Path

import pytest

from data_source_orchestrator.cli.failures import LARGEST, keep
from data_source_orchestrator.cli.logs import told_on
from data_source_orchestrator.cli.screen import screen_of_process

LOG = logging.getLogger("data_source_orchestrator.pear")


def test_a_record_is_one_plain_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with told_on(screen_of_process(as_json=True), tmp_path):
        LOG.warning("two\nlines and \x1b[31m%s", "a colour")
        LOG.info("not for people")
    LOG.warning("nobody listens any longer")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "warning: two lines and \ufffd[31ma colour\n"
    assert list(tmp_path.iterdir()) == []


def test_a_traceback_is_kept_in_the_data_folder_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with told_on(screen_of_process(as_json=False), tmp_path / "data"):
        try:
            [].pop()
        except IndexError:
            LOG.exception("%s: its fetcher has a bug", "pear")
    file = tmp_path / "data" / "errors.log"
    assert capsys.readouterr().err == f"error: pear: its fetcher has a bug; the traceback is in {file}\n"
    assert "IndexError: pop from empty list" in file.read_text()


def test_a_warning_of_python_is_a_line_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with told_on(screen_of_process(as_json=False), tmp_path), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old ways", stacklevel=1)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: ")
    assert "old ways" in line


@pytest.mark.parametrize("captured", [False, True])
def test_logging_is_afterwards_as_it_was(captured: bool, tmp_path: Path):
    logging.captureWarnings(captured)
    try:
        before = logging_now()
        with told_on(screen_of_process(as_json=False), tmp_path):
            assert logging_now() != before
        assert logging_now() == before
    finally:
        logging.captureWarnings(capture=False)


def logging_now() -> tuple[object, ...]:
    """Return what of logging is the whole process's."""
    root = logging.getLogger()
    return (*root.handlers, root.level, root.manager.disable, LOG.isEnabledFor(logging.WARNING), warnings.showwarning)


def test_tracebacks_do_not_fill_the_disk(tmp_path: Path):
    path = tmp_path / "errors.log"
    assert [keep("x" * LARGEST, tmp_path) for _ in range(3)] == [path] * 3
    assert path.stat().st_size < 2.1 * LARGEST
