import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.history.migrations import APPLICATION_ID, migrate
from data_source_orchestrator.history.queries import load_migrations, load_queries, statements

FIRST = "PRAGMA application_id = 1685286739; CREATE TABLE one (a); INSERT INTO one VALUES ('kept; whole');"
SECOND = "-- adds; two\nCREATE TABLE two (b); INSERT INTO two SELECT a FROM one;"
WRONG = "CREATE TABLE three (c); INSERT INTO nowhere VALUES (1);"


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def state(connection: sqlite3.Connection) -> tuple[int, list[str]]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return connection.execute("PRAGMA user_version").fetchone()[0], [name for (name,) in tables]


def migrated(connection: sqlite3.Connection, steps: Sequence[str]) -> None:
    migrate(connection, Path("dso.db"), steps)


def test_an_empty_database_takes_every_step_in_order(database: sqlite3.Connection):
    migrated(database, [FIRST, SECOND])
    assert state(database) == (2, ["one", "two"])
    assert database.execute("SELECT b FROM two").fetchall() == [("kept; whole",)]


def test_an_older_database_takes_only_the_steps_that_it_lacks(database: sqlite3.Connection):
    migrated(database, [FIRST])
    database.execute("INSERT INTO one VALUES ('mine')")
    migrated(database, [FIRST, SECOND])
    assert database.execute("SELECT b FROM two").fetchall() == [("kept; whole",), ("mine",)]


def test_a_present_database_takes_none(database: sqlite3.Connection):
    migrated(database, [FIRST, SECOND])
    migrated(database, [FIRST, SECOND])
    assert state(database) == (2, ["one", "two"])


def test_a_step_that_fails_leaves_the_database_as_it_was(database: sqlite3.Connection):
    migrated(database, [FIRST])
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrated(database, [FIRST, SECOND, WRONG])
    assert not database.in_transaction
    assert state(database) == (1, ["one"])


def test_a_newer_database_is_refused_with_both_formats_named(database: sqlite3.Connection):
    migrated(database, [FIRST, SECOND])
    with pytest.raises(
        StoreError, match=r"dso\.db is in format 2, and this program knows 1: install the newer version"
    ):
        migrated(database, [FIRST])
    assert state(database) == (2, ["one", "two"])


@pytest.mark.parametrize("owned", ["CREATE TABLE theirs (a)", "PRAGMA user_version = 1", "PRAGMA user_version = 99"])
def test_the_database_of_another_program_is_refused(database: sqlite3.Connection, owned: str):
    database.execute(owned)
    before = state(database)
    with pytest.raises(StoreError, match="another program"):
        migrated(database, [FIRST])
    assert state(database) == before


def test_the_shipped_migrations_mark_the_database_as_a_store(database: sqlite3.Connection):
    migrated(database, load_migrations("sqlite"))
    assert database.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert state(database)[0] == len(load_migrations("sqlite"))


def test_the_shipped_migrations_are_numbered_without_a_gap():
    folder = Path(load_migrations.__code__.co_filename).parent / "sql" / "sqlite"
    numbers = [int(script.name[:4]) for script in sorted(folder.glob("[0-9]*.sql"))]
    assert numbers == list(range(1, len(load_migrations("sqlite")) + 1))


def test_every_shipped_query_is_one_statement_that_the_shipped_tables_understand(database: sqlite3.Connection):
    migrated(database, load_migrations("sqlite"))
    queries = load_queries("sqlite")
    text = (Path(load_queries.__code__.co_filename).parent / "sql" / "sqlite" / "queries.sql").read_text()
    assert len(queries) == text.count("-- name: ")
    for name, sql in queries.items():
        assert list(statements(sql)) == [sql], name
        holes = max(map(int, re.findall(r"\?(\d+)", sql)), default=sql.count("?"))
        database.execute(f"EXPLAIN {sql}", [None] * holes)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("", []),
        ("SELECT 1;", ["SELECT 1;"]),
        ("SELECT 1; SELECT 2;\n", ["SELECT 1;", " SELECT 2;"]),
        ("SELECT ';'; -- a; b\nSELECT 2;", ["SELECT ';';", " -- a; b\nSELECT 2;"]),
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END; SELECT 1;",
            ["CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END;", " SELECT 1;"],
        ),
    ],
)
def test_a_script_is_split_where_its_statements_end(script: str, found: list[str]):
    assert list(statements(script)) == found
