"""The embedded engine's files: private; made anew where derived, never overwritten where they are the truth."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agentkit._process import this_process
from agentkit.local.vector_stores.embedded import EmbeddedStorage, attaching, scanning
from agentkit.local.vector_stores.filters import Comparison
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import FileCounts, FileRecord, Page, StorageError, StoreRecord

STORE = "vs_1"
DIMENSIONS = 24


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[EmbeddedStorage]:
    storage = EmbeddedStorage(tmp_path)
    storage.create_store(StoreRecord(STORE, "x", 1, 1))
    yield storage
    storage.close()


def vector_of(number: int) -> np.ndarray:
    made = np.random.default_rng(number).normal(size=DIMENSIONS).astype(np.float32)
    return made / np.linalg.norm(made)


def index(storage: EmbeddedStorage, *numbers: int, chunks: int = 3) -> None:
    storage.add_files(
        [FileRecord(STORE, f"file-{number}", f"{number}.txt", number, attributes={"n": number}) for number in numbers]
    )
    for file in storage.claim(this_process(), limit=len(numbers)):
        number = int(file.file_id.removeprefix("file-"))
        texts = [f"passage number{number} part{n}" for n in range(chunks)]
        made = [Chunk(n, text, 3, 0, len(text)) for n, text in enumerate(texts)]
        assert storage.put_chunks(file, made, content_hash="", needs_vectors=True)
        waiting = storage.claim_unembedded(this_process(), limit=chunks)
        found = [(key, vector_of(1000 * number + n)[None]) for n, (key, *_) in enumerate(waiting)]
        storage.put_vectors(STORE, "tests", found)


def found(storage: EmbeddedStorage) -> tuple[list[str], list[str]]:
    """Return which files are found by words, and by meaning."""
    words = storage.match_words(STORE, "passage", filters=None, limit=10_000)
    near = storage.match_vector(STORE, vector_of(0), filters=None, limit=10_000)
    assert len({match.key for match in words}) == len(words)
    return (
        sorted({file.file_id for file, _ in storage.read_chunks([match.key for match in words]).values()}),
        sorted({file.file_id for file, _ in storage.read_chunks([match.key for match in near]).values()}),
    )


def derived(home: Path) -> Path:
    return home / "vector_stores" / "store-1"


def test_all_files_are_their_users_alone(storage: EmbeddedStorage, tmp_path: Path) -> None:
    index(storage, 1, 2)
    found(storage)
    root = tmp_path / "vector_stores"
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert stat.S_IMODE(derived(tmp_path).stat().st_mode) == 0o700
    for path in (*root.glob("stores.sqlite3*"), *derived(tmp_path).glob("vectors-*")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def _without_words(folder: Path) -> None:
    for path in (folder / "words").iterdir():
        path.unlink()


def _with_a_segment_missing(folder: Path) -> None:
    next((folder / "words").glob("*.idx")).unlink()


def _with_garbage_for_words(folder: Path) -> None:
    (folder / "words" / "meta.json").write_text("{")


def _without_manifests(folder: Path) -> None:
    for path in folder.glob("*.json"):
        path.unlink()


def _with_garbage_manifests(folder: Path) -> None:
    for path in folder.glob("*.json"):
        path.write_bytes(b"\xff[]")


def _with_codes_cut(folder: Path) -> None:
    path = next(folder.glob("*.codes"))
    path.write_bytes(path.read_bytes()[:-7])


def _with_a_code_changed(folder: Path) -> None:
    path = next(folder.glob("*.codes"))
    path.write_bytes(b"\x7f" + path.read_bytes()[1:])


def _with_rows_changed(folder: Path) -> None:
    path = next(folder.glob("*.rows"))
    path.write_bytes(path.read_bytes()[::-1])


@pytest.mark.parametrize(
    "damage",
    [
        _without_words,
        _with_a_segment_missing,
        _with_garbage_for_words,
        _without_manifests,
        _with_garbage_manifests,
        _with_codes_cut,
        _with_a_code_changed,
        _with_rows_changed,
    ],
)
def test_damaged_indexes_are_made_anew(
    storage: EmbeddedStorage, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    index(storage, 1, 2, 3)
    before = found(storage)
    best = storage.match_vector(STORE, vector_of(2001), filters=None, limit=3)
    storage.close()
    damage(derived(tmp_path))
    assert found(storage) == before == (["file-1", "file-2", "file-3"],) * 2
    assert storage.match_vector(STORE, vector_of(2001), filters=None, limit=3) == best
    index(storage, 4)
    assert found(storage) == (["file-1", "file-2", "file-3", "file-4"],) * 2


def test_an_index_that_has_something_twice_is_made_anew(storage: EmbeddedStorage, tmp_path: Path) -> None:
    import tantivy

    index(storage, 1)
    found(storage)
    storage.close()
    doubled = tantivy.Index.open(str(derived(tmp_path) / "words"))
    from agentkit.local.vector_stores.embedded.terms import analyzer

    doubled.register_tokenizer("passages", analyzer())
    writer = doubled.writer(20_000_000, 1)
    document = tantivy.Document()
    document.add_unsigned("key", 1)
    document.add_unsigned("file", 1)
    document.add_text("text", "passage")
    writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    assert len(storage.match_words(STORE, "passage", filters=None, limit=50)) == 3


def test_a_damaged_truth_is_told_and_not_touched(storage: EmbeddedStorage, tmp_path: Path) -> None:
    index(storage, *range(1, 30))
    storage.close()
    path = tmp_path / "vector_stores" / "stores.sqlite3"
    damaged = b"no database at all " * 1000
    path.write_bytes(damaged)
    for use in (lambda: storage.get_store(STORE), lambda: storage.create_store(StoreRecord("vs_2", "y", 1, 1))):
        with pytest.raises(StorageError, match=r"stores\.sqlite3 is damaged.*Nothing was changed.*backup"):
            use()
    assert path.read_bytes() == damaged


def test_a_truth_of_a_later_agentkit_is_told(storage: EmbeddedStorage, tmp_path: Path) -> None:
    storage.close()
    with sqlite3.connect(tmp_path / "vector_stores" / "stores.sqlite3") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StorageError, match=r"later agentkit.*99.*pip install -U agentkit"):
        storage.get_store(STORE)


def test_a_home_that_can_t_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StorageError, match="AGENTKIT_HOME"):
        EmbeddedStorage(tmp_path / "home").list_stores(Page())


def test_a_full_disk_is_told_and_what_was_kept_stays(storage: EmbeddedStorage, tmp_path: Path) -> None:
    index(storage, 1)
    storage.close()
    code = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_embedded_files import EmbeddedStorage, StorageError, fill
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
storage = EmbeddedStorage(Path({str(tmp_path)!r}))
kept = 0
try:
    while kept < 200:
        fill(storage, kept)
        kept += 1
except StorageError as error:
    print(kept, error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    kept, _, message = told.partition(" ")
    assert "Make room" in message
    assert storage.count_files(STORE).completed == int(kept) + 1
    index(storage, 2)
    expected = sorted(["file-1", "file-2", *(f"full-{n}" for n in range(int(kept)))])
    assert found(storage) == (expected, ["file-1", "file-2"])


def fill(storage: EmbeddedStorage, number: int) -> None:
    """Keep a large file, then look for it."""
    storage.add_files([FileRecord(STORE, f"full-{number}", "f.txt", 5)])
    for file in storage.claim(this_process(), limit=9):
        text = "passage " + " ".join(f"w{number}x{n}" for n in range(2000))
        storage.put_chunks(file, [Chunk(0, text, 1, 0, len(text))], content_hash="", needs_vectors=False)


def test_an_index_that_can_t_be_written_is_told_by_the_search_alone(storage: EmbeddedStorage, tmp_path: Path) -> None:
    derived(tmp_path).parent.mkdir(parents=True, exist_ok=True)
    derived(tmp_path).write_text("in the way")
    index(storage, 1)
    with pytest.raises(StorageError, match=r"index of words.*Make room"):
        storage.match_words(STORE, "passage", filters=None, limit=1)
    with pytest.raises(StorageError, match=r"files of vectors.*Make room"):
        storage.match_vector(STORE, vector_of(0), filters=None, limit=1)
    derived(tmp_path).unlink()
    assert found(storage) == (["file-1"], ["file-1"])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_searches_and_indexes(storage: EmbeddedStorage) -> None:
    index(storage, 1)
    assert found(storage) == (["file-1"], ["file-1"])

    def in_child() -> None:
        assert found(storage) == (["file-1"], ["file-1"])
        index(storage, 2)
        assert found(storage) == (["file-1", "file-2"],) * 2
        storage.close()

    child = multiprocessing.get_context("fork").Process(target=in_child)
    child.start()
    child.join()
    assert child.exitcode == 0
    index(storage, 3)
    assert found(storage) == (["file-1", "file-2", "file-3"],) * 2


def test_two_processes_index_and_search_at_once(storage: EmbeddedStorage, tmp_path: Path) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_embedded_files import EmbeddedStorage, found, index
storage = EmbeddedStorage(Path({str(tmp_path)!r}))
for number in range(int(sys.argv[1]), int(sys.argv[1]) + 6):
    index(storage, number)
    assert all(f"file-{{number}}" in names for names in found(storage)), number
storage.close()
"""
    started = [subprocess.Popen([sys.executable, "-c", code, str(first)]) for first in (100, 200)]
    assert [process.wait() for process in started] == [0, 0]
    expected = sorted(f"file-{first + n}" for first in (100, 200) for n in range(6))
    assert found(storage) == (expected, expected)


def test_threads_index_and_search_at_once(storage: EmbeddedStorage) -> None:
    failed: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for number in range(first, first + 5):
                storage.add_files([FileRecord(STORE, f"file-{number}", "f", 1, attributes={"n": number})])
                for file in storage.claim(this_process()):
                    storage.put_chunks(file, [Chunk(0, "passage", 1, 0, 7)], content_hash="", needs_vectors=True)
                for key, *_ in storage.claim_unembedded(this_process()):
                    storage.put_vectors(STORE, "tests", [(key, vector_of(number)[None])])
                storage.match_words(STORE, "passage", filters=Comparison("gt", "n", 3), limit=5)
                storage.match_vector(STORE, vector_of(1), filters=None, limit=5)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert storage.count_files(STORE) == FileCounts(completed=20)
    assert [len(names) for names in found(storage)] == [20, 20]


def test_what_was_claimed_is_free_again_after_closing(storage: EmbeddedStorage, tmp_path: Path) -> None:
    other = EmbeddedStorage(tmp_path)
    storage.add_files([FileRecord(STORE, f"file-{n}", "f", n) for n in range(2)])
    (first,) = storage.claim(this_process())
    storage.put_chunks(first, [Chunk(0, "passage", 1, 0, 7)], content_hash="", needs_vectors=True)
    assert len(storage.claim_unembedded(this_process())) == 1
    assert [file.file_id for file in storage.claim(this_process())] == ["file-1"]
    assert (other.claim(this_process()), other.claim_unembedded(this_process())) == ([], [])
    storage.close()
    assert [file.file_id for file in other.claim(this_process())] == ["file-1"]
    assert len(other.claim_unembedded(this_process())) == 1
    other.close()


def test_space_of_removed_vectors_is_given_back(storage: EmbeddedStorage, tmp_path: Path) -> None:
    index(storage, *range(1, 9), chunks=300)
    other = EmbeddedStorage(tmp_path)
    assert found(other)[1] == found(storage)[1]
    (before,) = derived(tmp_path).glob("*.codes")
    for number in range(1, 7):
        storage.remove_file(STORE, f"file-{number}")
    index(storage, 9)
    assert found(storage) == (["file-7", "file-8", "file-9"],) * 2
    (after,) = derived(tmp_path).glob("*.codes")
    assert before.name != after.name
    assert after.stat().st_size == (600 + 3) * DIMENSIONS
    assert found(other) == (["file-7", "file-8", "file-9"],) * 2
    other.close()


def test_a_deleted_stores_files_are_gone(storage: EmbeddedStorage, tmp_path: Path) -> None:
    index(storage, 1)
    found(storage)
    assert derived(tmp_path).is_dir()
    storage.delete_store(STORE)
    assert not derived(tmp_path).exists()
    with sqlite3.connect(tmp_path / "vector_stores" / "stores.sqlite3") as db:
        for table in ("litter", "stores", "files", "chunks", "vectors", "waiting", "removals", "batches"):
            assert db.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)
    db.close()


def test_what_a_killed_process_left_of_a_store_is_swept_later(storage: EmbeddedStorage, tmp_path: Path) -> None:
    index(storage, 1, 2)
    with storage._database.writing() as db:
        assert attaching.delete_store(db, STORE) == 1
    assert storage.match_words(STORE, "passage", filters=None, limit=9) == []
    storage.create_store(StoreRecord("vs_2", "other", 1, 1))
    storage.add_files([FileRecord("vs_2", "file-3", "f", 1)])
    storage.close()
    with sqlite3.connect(tmp_path / "vector_stores" / "stores.sqlite3") as db:
        counts = [db.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in ("litter", "chunks", "vectors")]
    db.close()
    assert counts == [0, 0, 0]


def test_a_home_that_is_deleted_under_it_begins_anew(storage: EmbeddedStorage, tmp_path: Path) -> None:
    index(storage, 1)
    found(storage)
    for path in (tmp_path / "vector_stores").glob("stores.sqlite3*"):
        path.unlink()
    assert storage.get_store(STORE) is None
    storage.create_store(StoreRecord(STORE, "again", 1, 1))
    index(storage, 2)
    assert found(storage) == (["file-2"], ["file-2"])


@pytest.mark.parametrize("rows", [None, np.arange(3, 900, 7), np.arange(1000)])
def test_bytes_are_multiplied_the_same_without_the_fast_kernel(
    rows: np.ndarray | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(1000, 96)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codes, scales = scanning.quantised(vectors)
    (query,), (scale,) = scanning.quantised(vectors[:1])
    fast = scanning.scores_of(codes, scales, query, float(scale), rows)
    monkeypatch.setitem(sys.modules, "simsimd", None)
    scanning._kernel.cache_clear()
    slow = scanning.scores_of(codes, scales, query, float(scale), rows)
    scanning._kernel.cache_clear()
    exact = (vectors @ vectors[0])[slice(None) if rows is None else rows]
    assert np.array_equal(fast, slow)
    assert np.abs(slow - exact).max() < scanning.margin(scales, float(scale))
