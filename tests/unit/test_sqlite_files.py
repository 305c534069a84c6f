from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from agentkit._sqlite import (
    NewerSchemaError,
    file_identity,
    is_busy,
    is_corrupt,
    migrate,
    open_shared,
    open_to_read,
    set_aside,
    transaction,
)

STEPS = (("CREATE TABLE texts (text TEXT NOT NULL)",), ("ALTER TABLE texts ADD COLUMN likes INTEGER",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "texts.sqlite3"


def test_the_file_and_its_folder_are_made_for_their_user_alone(path: Path) -> None:
    with closing(open_shared(path, timeout_s=0)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)


def test_tables_are_brought_up_to_date_from_where_they_are(path: Path) -> None:
    with closing(open_shared(path, timeout_s=0)) as connection:
        migrate(connection, STEPS[:1])
        connection.execute("INSERT INTO texts VALUES ('one')")
        migrate(connection, STEPS)
        migrate(connection, STEPS)
        assert connection.execute("SELECT * FROM texts").fetchall() == [("one", None)]


def test_a_step_that_fails_leaves_the_tables_as_they_were(path: Path) -> None:
    with closing(open_shared(path, timeout_s=0)) as connection:
        migrate(connection, STEPS[:1])
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, (*STEPS, ("CREATE TABLE texts (x)",)))
        assert [row[1] for row in connection.execute("PRAGMA table_info(texts)")] == ["text"]
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_tables_of_a_later_release_are_left_alone(path: Path) -> None:
    with closing(open_shared(path, timeout_s=0)) as connection:
        migrate(connection, STEPS)
        with pytest.raises(NewerSchemaError, match=r"^version 2, and this agentkit knows 1$") as raised:
            migrate(connection, STEPS[:1])
        assert (raised.value.version, connection.in_transaction) == (2, False)


def test_a_transaction_that_fails_changes_nothing(path: Path) -> None:
    with closing(open_shared(path, timeout_s=0)) as connection:
        migrate(connection, STEPS)
        with pytest.raises(KeyboardInterrupt), transaction(connection):
            connection.execute("INSERT INTO texts VALUES ('one', 1)")
            raise KeyboardInterrupt
        assert connection.execute("SELECT * FROM texts").fetchall() == []


def test_anothers_write_is_told_from_damage(path: Path) -> None:
    with (
        closing(open_shared(path, timeout_s=0)) as first,
        closing(open_shared(path, timeout_s=0)) as second,
        transaction(first),
        pytest.raises(sqlite3.OperationalError) as busy,
        transaction(second),
    ):
        pass
    path.write_bytes(b"no database " * 100)
    with pytest.raises(sqlite3.DatabaseError) as damaged:
        open_shared(path, timeout_s=0)
    told = [(is_busy(error), is_corrupt(error)) for error in (busy.value, damaged.value, OSError())]
    assert told == [(True, False), (False, True), (False, False)]


def test_a_reader_makes_no_file_and_writes_nothing(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        open_to_read(path, timeout_s=0)
    assert not path.parent.exists()
    odd = path.parent / "what? #1 100%.sqlite3"
    open_shared(odd, timeout_s=0).close()
    with (
        closing(open_to_read(odd, timeout_s=0)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("CREATE TABLE texts (x)")


def test_a_file_that_is_set_aside_makes_room_for_a_new_one(path: Path) -> None:
    open_shared(path, timeout_s=0).close()
    before = file_identity(path)
    kept = set_aside(path)
    assert (file_identity(path), file_identity(kept)) == ((0, 0), before)
    assert kept.name.startswith("texts.sqlite3.corrupt-")
