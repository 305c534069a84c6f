"""What happens when the file can't be written or read: the run goes on, and one warning says what is lost."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from agentkit.exceptions import UserError
from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing import custom_span, flush_traces, store_path, trace
from agentkit.tracing.database import SCHEMA_VERSION
from agentkit.tracing.processors import reset_tracing


def record(name: str = "w", count: int = 1) -> None:
    for _ in range(count):
        with trace(name), custom_span("c", {"text": "x" * 100}):
            pass
        flush_traces()


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages of the warnings so far; the list grows."""
    messages: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    caplog.set_level(logging.WARNING, "agentkit.tracing")
    handler = Handler(logging.WARNING)
    logger = logging.getLogger("agentkit.tracing")
    logger.addHandler(handler)
    yield messages  # type: ignore[misc]
    logger.removeHandler(handler)


def set_aside() -> list[Path]:
    return [path for path in store_path().parent.iterdir() if ".corrupt-" in path.name]


def test_a_file_that_is_no_database_is_set_aside_and_a_new_one_begun(home: Path, warned: list[str]) -> None:
    home.mkdir()
    store_path().write_bytes(b"these are my notes\n" * 500)
    record(count=3)
    assert len(traces()) == 3
    (kept,) = set_aside()
    assert kept.read_bytes() == b"these are my notes\n" * 500
    (warning,) = warned
    assert str(store_path()) in warning
    assert "earlier traces are missing" in warning
    assert kept.name in warning


def test_a_database_that_was_overwritten_in_the_middle_is_set_aside(warned: list[str]) -> None:
    record("before", count=20)
    reset_tracing()
    damaged = bytearray(store_path().read_bytes())
    damaged[100:] = b"\xa5" * (len(damaged) - 100)
    store_path().write_bytes(damaged)
    record("after", count=2)
    assert list(traces()["workflow"]) == ["after", "after"]
    (kept,) = set_aside()
    assert kept.read_bytes() == damaged
    assert len(warned) == 1


def test_a_file_cut_short_is_set_aside(warned: list[str]) -> None:
    record("before", count=50)
    reset_tracing()
    whole = store_path().read_bytes()
    store_path().write_bytes(whole[: len(whole) // 2])
    record("after")
    assert list(traces()["workflow"]) == ["after"]
    assert len(warned) == len(set_aside()) == 1


def test_reading_a_damaged_file_is_a_clear_error(home: Path) -> None:
    home.mkdir()
    store_path().write_bytes(b"these are my notes\n" * 500)
    for read in (traces, spans):
        with pytest.raises(UserError, match=r"can't be read \(file is not a database\).*move it away"):
            read()
    assert store_path().read_bytes() == b"these are my notes\n" * 500


def test_an_empty_file_is_filled(home: Path, warned: list[str]) -> None:
    home.mkdir()
    store_path().touch()
    assert len(traces()) == 0
    record()
    assert (len(traces()), warned) == (1, [])


def test_a_home_that_is_a_file_costs_the_traces_and_one_warning(home: Path, warned: list[str]) -> None:
    home.write_text("in the way")
    record(count=3)
    (warning,) = warned
    assert str(store_path()) in warning
    assert "new traces aren't kept" in warning
    assert "AGENTKIT_HOME" in warning
    assert home.read_text() == "in the way"
    assert len(traces()) == 0


def test_when_the_home_can_be_written_again_traces_are_kept_again(home: Path, warned: list[str]) -> None:
    home.write_text("in the way")
    record("lost")
    home.unlink()
    record("kept")
    assert list(traces()["workflow"]) == ["kept"]
    assert len(warned) == 1


def test_a_folder_where_the_file_should_be_costs_the_traces_and_one_warning(warned: list[str]) -> None:
    store_path().mkdir(parents=True)
    record(count=2)
    assert len(warned) == 1
    assert store_path().is_dir()


def test_a_file_deleted_under_way_is_made_anew(home: Path, warned: list[str]) -> None:
    record("before")
    for path in home.iterdir():
        path.unlink()
    record("after")
    assert list(traces()["workflow"]) == ["after"]
    assert warned == []


def test_a_file_of_a_newer_agentkit_is_left_alone(warned: list[str]) -> None:
    record("before")
    reset_tracing()
    connection = sqlite3.connect(store_path())
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    record("after", count=2)
    assert list(traces()["workflow"]) == ["before"]
    (warning,) = warned
    assert "a newer agentkit wrote this file" in warning
    assert set_aside() == []


def test_the_file_and_its_folder_are_the_users_own(home: Path) -> None:
    record()
    assert (home.stat().st_mode & 0o777, store_path().stat().st_mode & 0o777) == (0o700, 0o600)


FILL_THE_DISK = """
import resource, sys
import agentkit.tracing as t
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
for n in range(300):
    with t.trace("w"), t.custom_span("c", {"text": "x" * 5000}):
        pass
    if n % 20 == 0:
        t.flush_traces()
t.flush_traces()
print("the run went on")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no limits on the size of files")
def test_a_full_disk_costs_traces_and_one_warning() -> None:
    done = subprocess.run([sys.executable, "-c", FILL_THE_DISK], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "the run went on\n"
    (warning,) = done.stderr.splitlines()
    assert "new traces aren't kept" in warning
    kept = spans()
    assert 0 < len(kept) < 300
    assert set(kept["data"]) == {f'{{"text":"{"x" * 5000}"}}'}
    assert list(kept["trace_id"]) == list(traces()["trace_id"])
