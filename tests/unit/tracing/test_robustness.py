"""What happens when the file can't be written or read: the run goes on, and one warning says what is lost."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agentkit.exceptions import UserError
from agentkit.records.frames import calls, spans, tools
from agentkit.records.messages import messages
from agentkit.records.opened import open_trace
from agentkit.records.sql import sql
from agentkit.records.traces import traces
from agentkit.records.turns import turns
from agentkit.tracing import custom_span, flush_traces, store_path, trace
from agentkit.tracing.database import SCHEMA_VERSION
from agentkit.tracing.feedback import add_feedback, feedback, rate, remove_feedback
from agentkit.tracing.notes import annotate, notes
from agentkit.tracing.processors import reset_tracing
from agentkit.tracing.prune import prune


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


def test_a_file_with_a_broken_header_is_set_aside(warned: list[str]) -> None:
    record("before", count=5)
    reset_tracing()
    damaged = b"no header at all" + store_path().read_bytes()[16:]
    store_path().write_bytes(damaged)
    record("after", count=2)
    assert list(traces()["workflow"]) == ["after", "after"]
    (kept,) = set_aside()
    assert kept.read_bytes() == damaged
    assert len(warned) == 1


def test_garbage_where_the_latest_writes_are_kept_does_no_harm(warned: list[str]) -> None:
    record("before", count=5)
    reset_tracing()
    Path(f"{store_path()}-wal").write_bytes(b"\xa5" * 100_000)
    record("after")
    assert sorted(traces()["workflow"]) == ["after"] + ["before"] * 5
    assert (warned, set_aside()) == ([], [])


def test_reading_a_damaged_file_is_a_clear_error(home: Path) -> None:
    home.mkdir()
    store_path().write_bytes(b"these are my notes\n" * 500)
    for read in (traces, spans):
        with pytest.raises(UserError, match=r"can't be read \(file is not a database\).*move it away"):
            read()
    assert store_path().read_bytes() == b"these are my notes\n" * 500


WHOLE = "trace_" + "0" * 32
CHANGES: list[Callable[[], object]] = [
    lambda: prune(keep=0),
    lambda: add_feedback(WHOLE, "up"),
    lambda: remove_feedback(WHOLE),
]
READS: list[Callable[[], object]] = [
    traces,
    spans,
    calls,
    tools,
    turns,
    messages,
    feedback,
    notes,
    lambda: sql("select 1 from traces"),
    lambda: open_trace(WHOLE),
    lambda: rate(WHOLE, "up"),
    lambda: annotate(WHOLE, mark="good"),
]


@pytest.mark.parametrize("use", [*CHANGES, *READS])
def test_whatever_is_done_with_a_damaged_file_is_a_clear_error_that_leaves_it_alone(
    home: Path, use: Callable[[], object]
) -> None:
    home.mkdir()
    store_path().write_bytes(b"these are my notes\n" * 500)
    with pytest.raises(
        UserError, match=r"(?s)traces\.sqlite3 can't be (read|written) \(file is not a database\).*move it away"
    ):
        use()
    assert store_path().read_bytes() == b"these are my notes\n" * 500
    assert set_aside() == []


@pytest.mark.parametrize("read", READS[:8])
def test_a_page_that_is_damaged_is_a_clear_error_for_who_reads_it(read: Callable[[], object]) -> None:
    record("before", count=40)
    annotate(traces()["trace_id"].iloc[0], mark="good")
    add_feedback(traces()["trace_id"].iloc[0], "up")
    reset_tracing()
    with closing(sqlite3.connect(store_path())) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damaged = bytearray(store_path().read_bytes())
    damaged[4096:] = b"\xa5" * (len(damaged) - 4096)  # the first page says which tables there are
    store_path().write_bytes(damaged)
    with pytest.raises(UserError, match=r"(?s)can't be read \(database disk image is malformed\).*move it away"):
        read()
    assert store_path().read_bytes() == damaged


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


@pytest.mark.parametrize("use", CHANGES)
def test_a_folder_where_the_file_should_be_is_a_clear_error_for_who_changes_it(use: Callable[[], object]) -> None:
    store_path().mkdir(parents=True)
    if use in (CHANGES[0], CHANGES[2]):
        use()  # there are no traces to delete, and no rating
    else:
        with pytest.raises(UserError, match=r"(?s)can't be written \(unable to open database file\).*AGENTKIT_HOME"):
            use()
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


SMALL_DISK = """
import agentkit.tracing as t
ballast = t.store_path().parent.parent / "ballast"

def record(name, count):
    for _ in range(count):
        with t.trace(name), t.custom_span("c", {"text": "x" * 5000}):
            pass
        t.flush_traces()

record("before", 5)
try:
    with ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
except OSError:
    pass
record("lost", 40)
print("the run went on")
ballast.unlink()
record("after", 5)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="makes a disk as Linux does")
def test_a_disk_that_fills_up_and_gets_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("may not mount a small disk")
    try:
        monkeypatch.setenv("AGENTKIT_HOME", str(disk / "home"))
        done = run(SMALL_DISK)
        assert done.stdout == "the run went on\n"
        (warning,) = done.stderr.splitlines()
        assert "new traces aren't kept (database or disk is full)" in warning
        assert "Make room" in warning
        kept = traces()["workflow"]
        assert list(kept[:5]) == ["after"] * 5
        assert list(kept[-5:]) == ["before"] * 5
        assert len(spans()) == len(kept)
        with closing(sqlite3.connect(store_path())) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


READ_ONLY = """
import agentkit.tracing as t
from agentkit.exceptions import UserError
from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing.feedback import add_feedback
from agentkit.tracing.notes import annotate
from agentkit.tracing.prune import prune
for _ in range(3):
    with t.trace("lost"), t.custom_span("c"):
        pass
    t.flush_traces()
print("the run went on")
print(list(traces()["workflow"]), len(spans()))
one = traces()["trace_id"].iloc[0]
for change in (lambda: prune(keep=0), lambda: add_feedback(one, "up"), lambda: annotate(one, mark="good")):
    try:
        change()
    except UserError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="has no modes of files")
@pytest.mark.parametrize("open_elsewhere", [False, True])
def test_a_home_that_is_read_only_can_be_read_and_costs_new_traces_and_one_warning(
    home: Path, open_elsewhere: bool
) -> None:
    record("before", count=3)
    if not open_elsewhere:
        reset_tracing()  # closes the file: SQLite keeps nothing beside it any more
    with read_only(home):
        done = run(READ_ONLY)
    went_on, read, *refused = done.stdout.splitlines()
    assert (went_on, read) == ("the run went on", "['before', 'before', 'before'] 3")
    (warning,) = done.stderr.splitlines()
    assert "new traces aren't kept" in warning
    assert "AGENTKIT_HOME" in warning
    assert [" can't be written (" in line for line in refused if "can't be" in line] == [True] * 3


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing in a folder be changed. Root is kept from it by no modes, but by a mount."""
    if os.getuid() == 0:
        mounts = [["mount", "--bind", folder, folder], ["mount", "-o", "remount,ro,bind", folder]]
        if any(subprocess.run(mount, capture_output=True, check=False).returncode for mount in mounts):
            pytest.skip("may not mount a folder as read-only")
        try:
            yield
        finally:
            subprocess.run(["umount", folder], check=True)
        return
    modes = {path: path.stat().st_mode for path in (folder, *folder.iterdir())}
    for path, mode in modes.items():
        path.chmod(mode & 0o555)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
