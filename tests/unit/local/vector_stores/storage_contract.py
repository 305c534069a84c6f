"""What every storage of vector stores does. A test module of a storage subclasses `StorageContract`.

```python
class TestEmbedded(StorageContract):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> Iterator[Opened]: ...
```
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from agentkit._process import this_process
from agentkit.local.vector_stores.filters import AllOf, AnyOf, Comparison, Filter, holds
from agentkit.local.vector_stores.passages import Attributes, Chunk, Chunking
from agentkit.local.vector_stores.storage import (
    BatchRecord,
    FileCounts,
    FileRecord,
    Indexing,
    Page,
    StorageError,
    StoreRecord,
    VectorStorage,
)

__all__ = ["Opened", "StorageContract"]

Opened = Callable[[], VectorStorage]
"""Gives a storage on the test's data; each call another one, as other processes have. The fixture closes them."""

STORE = "vs_1"
HASH = "0" * 64


def file_record(file_id: str, **given: object) -> FileRecord:
    plain = FileRecord(STORE, file_id, f"{file_id}.txt", created_at=100)
    return replace(plain, **given)  # type: ignore[arg-type]


def chunks_of(*texts: str) -> list[Chunk]:
    made, start = [], 0
    for position, text in enumerate(texts):
        made.append(Chunk(position, text, len(text.split()), start, start + len(text)))
        start += len(text)
    return made


def indexed(storage: VectorStorage, file: FileRecord, *texts: str, vectors: Sequence[object] = ()) -> FileRecord:
    """Attach a file and do all of a worker's work."""
    storage.add_files([file])
    (claimed,) = [one for one in storage.claim(this_process(), limit=99) if one.file_id == file.file_id]
    assert storage.put_chunks(claimed, chunks_of(*texts), content_hash=HASH, needs_vectors=bool(vectors))
    if vectors:
        keys = [key for key, _, _ in storage.claim_unembedded(this_process(), limit=99)]
        made = [(key, as_vectors(one)) for key, one in zip(keys, vectors, strict=True)]
        storage.put_vectors(file.store_id, "tests", made)
    kept = storage.get_file(file.store_id, file.file_id)
    assert kept is not None
    return kept


def as_vectors(windows: object) -> np.ndarray:
    array = np.atleast_2d(np.asarray(windows, dtype=np.float32))
    return array / np.linalg.norm(array, axis=1, keepdims=True)


def as_vector(*numbers: float) -> np.ndarray:
    return as_vectors(numbers)[0]


def by_words(storage: VectorStorage, query: str, *, filters: Filter | None = None, limit: int = 50) -> list[str]:
    matches = storage.match_words(STORE, query, filters=filters, limit=limit)
    read = storage.read_chunks([match.key for match in matches])
    return [f"{read[match.key][0].file_id}/{read[match.key][1].position}" for match in matches]


def by_meaning(
    storage: VectorStorage, *vector: float, filters: Filter | None = None, limit: int = 50
) -> list[tuple[str, float]]:
    matches = storage.match_vector(STORE, as_vector(*vector), filters=filters, limit=limit)
    read = storage.read_chunks([match.key for match in matches])
    return [(f"{read[one.key][0].file_id}/{read[one.key][1].position}", round(one.score, 5)) for one in matches]


def names(page: Sequence[FileRecord | StoreRecord]) -> list[str]:
    return [one.file_id if isinstance(one, FileRecord) else one.id for one in page]


def dead_worker() -> str:
    """Return how a process that has ended described itself."""
    code = "from agentkit._process import this_process; print(this_process())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


MIXED: dict[str, Attributes] = {
    "file-a": {"year": 2020, "kind": "law", "draft": True},
    "file-b": {"year": 2021.5, "kind": "lawn", "draft": False},
    "file-c": {"year": "2021", "kind": "Law"},
    "file-d": {"kind": "zebra", "draft": "true"},
    "file-e": {},
    "file-f": {"year": 1, "draft": 1, "kind": "é"},
    "file-g": {"year": True, "kind": ""},
    "file-h": {"year": -3, "kind": "quote ' \" \\ %_ 東", "we ird'key": 7},
    "file-i": {"year": 9007199254740993, "kind": "law"},
}

CONDITIONS: list[Filter] = [
    *(Comparison(operator, "year", value)
      for operator in ("eq", "ne", "gt", "gte", "lt", "lte")
      for value in (2020, 2020.0, 2021.5, "2021", True, False, 1, 0, -3, 9007199254740992, 9007199254740993)),
    *(Comparison(operator, "kind", value)
      for operator in ("eq", "ne", "gt", "gte", "lt", "lte")
      for value in ("law", "Law", "", "é", "quote ' \" \\ %_ 東", 5, True)),
    *(Comparison(operator, "draft", value)
      for operator in ("eq", "ne", "gt", "gte", "lt", "lte")
      for value in (True, False, 1, "true")),
    *(Comparison(operator, key, values)
      for operator in ("in", "nin")
      for key, values in (
          ("year", (2020, 1)), ("year", ("2021", True)), ("kind", ("law", "zebra", "é")), ("draft", (True,)),
          ("kind", ()), ("absent", ("x",)))),
    Comparison("eq", "we ird'key", 7),
    Comparison("ne", "absent", 1),
    Comparison("eq", "absent", 1),
    AllOf((Comparison("eq", "kind", "law"), Comparison("gte", "year", 2021))),
    AnyOf((Comparison("eq", "kind", "zebra"), Comparison("lt", "year", 0))),
    AllOf((AnyOf((Comparison("eq", "kind", "law"), Comparison("eq", "kind", "lawn"))),
           AllOf((Comparison("gt", "year", 2020), AnyOf((Comparison("eq", "draft", False),)))))),
    AnyOf((AllOf((Comparison("eq", "kind", "Law"), Comparison("ne", "draft", True))), Comparison("in", "year", (1,)))),
    AllOf(()),
    AnyOf(()),
]  # fmt: skip


class StorageContract:
    """The tests. A subclass gives the fixture `opened`."""

    @pytest.fixture
    def opened(self) -> Iterator[Opened]:
        raise NotImplementedError

    @pytest.fixture
    def storage(self, opened: Opened) -> VectorStorage:
        storage = opened()
        storage.create_store(StoreRecord(STORE, "first", created_at=100, last_active_at=100))
        return storage

    # Stores

    def test_a_store_is_kept_as_it_was_given(self, storage: VectorStorage, opened: Opened) -> None:
        store = StoreRecord(
            "vs_2", "Größe ✓", 5, 6, description="what 'it' is", metadata={"a": "ü", "b": ""}, expires_after_days=7
        )
        storage.create_store(store)
        assert storage.get_store("vs_2") == store
        assert opened().get_store("vs_2") == store
        assert storage.get_store("vs_3") is None

    def test_a_store_is_changed_but_for_its_embedder(self, storage: VectorStorage) -> None:
        indexed(storage, file_record("file-a"), "one", vectors=[[1, 0]])
        changed = StoreRecord(STORE, "new", 100, 900, "d", {"k": "v"}, 3, embedder="other", dimensions=9)
        assert storage.put_store(changed)
        assert storage.get_store(STORE) == replace(changed, embedder="tests", dimensions=2)
        assert not storage.put_store(replace(changed, id="vs_none"))

    def test_touching_puts_off_the_end_and_never_back(self, storage: VectorStorage) -> None:
        storage.touch_store(STORE, 500)
        storage.touch_store(STORE, 300)
        storage.touch_store("vs_none", 300)
        store = storage.get_store(STORE)
        assert store is not None
        assert store.last_active_at == 500

    def test_a_deleted_store_is_gone_with_all_in_it(self, storage: VectorStorage) -> None:
        storage.create_store(StoreRecord("vs_2", "second", 101, 101))
        indexed(storage, file_record("file-a"), "apple", vectors=[[1, 0]])
        indexed(storage, file_record("file-a", store_id="vs_2"), "apple", vectors=[[1, 0]])
        keys = [match.key for match in storage.match_words(STORE, "apple", filters=None, limit=9)]
        assert storage.delete_store(STORE)
        assert not storage.delete_store(STORE)
        assert storage.get_store(STORE) is None
        assert storage.get_file(STORE, "file-a") is None
        assert storage.count_files(STORE) == FileCounts()
        assert storage.usage_bytes(STORE) == 0
        assert storage.read_chunks(keys) == {}
        assert storage.file_chunks(STORE, "file-a") == []
        assert storage.match_words(STORE, "apple", filters=None, limit=9) == []
        assert storage.match_vector(STORE, as_vector(1, 0), filters=None, limit=9) == []
        assert len(storage.match_words("vs_2", "apple", filters=None, limit=9)) == 1
        assert len(storage.match_vector("vs_2", as_vector(1, 0), filters=None, limit=9)) == 1

    def test_a_store_made_again_under_its_id_is_empty(self, storage: VectorStorage, opened: Opened) -> None:
        other = opened()
        indexed(storage, file_record("file-a"), "apple", vectors=[[1, 0]])
        assert by_words(other, "apple") == ["file-a/0"]
        assert by_meaning(other, 1, 0) == [("file-a/0", 1.0)]
        storage.delete_store(STORE)
        storage.create_store(StoreRecord(STORE, "again", 1, 1))
        assert by_words(other, "apple") == []
        assert by_meaning(other, 1, 0) == []
        indexed(storage, file_record("file-b"), "apple", vectors=[[1, 0, 0]])
        assert by_words(other, "apple") == ["file-b/0"]
        assert by_meaning(other, 1, 0, 0) == [("file-b/0", 1.0)]

    def test_stores_come_in_pages_newest_first(self, storage: VectorStorage) -> None:
        for n, created_at in enumerate((100, 300, 200, 200), start=2):
            storage.create_store(StoreRecord(f"vs_{n}", f"{n}", created_at, created_at))
        order = ["vs_3", "vs_5", "vs_4", "vs_2", "vs_1"]
        assert names(storage.list_stores(Page(limit=9))) == order
        assert names(storage.list_stores(Page(limit=9, ascending=True))) == order[::-1]
        assert names(storage.list_stores(Page(limit=2))) == order[:3]
        assert names(storage.list_stores(Page(limit=2, after="vs_5"))) == ["vs_4", "vs_2", "vs_1"]
        assert names(storage.list_stores(Page(limit=2, after="vs_2"))) == ["vs_1"]
        assert names(storage.list_stores(Page(limit=2, after="vs_1"))) == []
        assert names(storage.list_stores(Page(limit=1, after="vs_2", ascending=True))) == ["vs_4", "vs_5"]

    def test_a_page_before_a_cursor_ends_at_it_and_what_more_there_is_stands_last(self, storage: VectorStorage) -> None:
        for n in range(2, 6):
            storage.create_store(StoreRecord(f"vs_{n}", f"{n}", 100 + n, 0))
        assert names(storage.list_stores(Page(limit=2, before="vs_1"))) == ["vs_3", "vs_2", "vs_4"]
        assert names(storage.list_stores(Page(limit=9, before="vs_3"))) == ["vs_5", "vs_4"]
        assert names(storage.list_stores(Page(limit=9, before="vs_5"))) == []
        assert names(storage.list_stores(Page(limit=9, before="vs_3", ascending=True))) == ["vs_1", "vs_2"]
        assert names(storage.list_stores(Page(limit=9, after="vs_5", before="vs_2"))) == ["vs_4", "vs_3"]

    def test_an_unknown_cursor_is_a_key_error(self, storage: VectorStorage) -> None:
        storage.add_files([file_record("file-a")])
        for page in (Page(after="vs_none"), Page(before="vs_none")):
            with pytest.raises(KeyError, match="vs_none"):
                storage.list_stores(page)
            with pytest.raises(KeyError, match="vs_none"):
                storage.list_files(STORE, page)

    # Files

    def test_a_file_is_kept_as_it_was_attached(self, storage: VectorStorage, opened: Opened) -> None:
        file = file_record(
            "file-a",
            filename="ünter 'quotes'.pdf",
            attributes={"year": 2024, "share": 0.25, "draft": False, "note": "é\n'"},
            chunking=Chunking(200, 50),
            auto_chunking=False,
        )
        storage.add_files([file])
        kept = storage.get_file(STORE, "file-a")
        assert kept is not None
        assert replace(kept, revision=0) == file
        assert type(kept.attributes["draft"]) is bool
        assert type(kept.attributes["year"]) is int
        assert opened().get_file(STORE, "file-a") == kept
        assert storage.get_file(STORE, "file-b") is None
        assert storage.get_file("vs_none", "file-a") is None

    def test_files_come_in_pages_by_status_and_batch(self, storage: VectorStorage) -> None:
        storage.add_files([file_record(f"file-{n}", created_at=200) for n in range(4)])
        batch = BatchRecord("vsfb_1", STORE, 150)
        storage.add_files([file_record(f"file-b{n}", created_at=150, batch_id="vsfb_1") for n in range(2)], batch=batch)
        order = ["file-3", "file-2", "file-1", "file-0", "file-b1", "file-b0"]
        assert names(storage.list_files(STORE, Page(limit=9))) == order
        assert names(storage.list_files(STORE, Page(limit=3, after="file-2"))) == [*order[2:5], "file-b0"]
        assert names(storage.list_files(STORE, Page(limit=1, before="file-b1"))) == ["file-0", "file-1"]
        assert names(storage.list_files(STORE, Page(), batch_id="vsfb_1")) == ["file-b1", "file-b0"]
        for file in storage.claim(this_process(), limit=1):
            storage.fail_file(file, "invalid_file", "broken")
        assert names(storage.list_files(STORE, Page(), status="failed")) == ["file-b0"]
        assert names(storage.list_files(STORE, Page(), status="failed", batch_id="vsfb_none")) == []
        assert names(storage.list_files(STORE, Page(ascending=True), status="in_progress")) == order[::-1][1:]
        assert names(storage.list_files(STORE, Page(limit=2, after="file-b0"), status="in_progress")) == []

    def test_files_are_counted_by_status(self, storage: VectorStorage) -> None:
        batch = BatchRecord("vsfb_1", STORE, 100)
        files = [file_record(f"file-{n}", batch_id="vsfb_1" if n < 3 else None) for n in range(6)]
        storage.add_files(files, batch=batch)
        done, failed, *_ = storage.claim(this_process(), limit=5)
        storage.put_chunks(done, chunks_of("x"), content_hash=HASH, needs_vectors=False)
        storage.fail_file(failed, "unsupported_file", "no")
        storage.cancel_batch(STORE, "vsfb_1")
        assert storage.count_files(STORE) == FileCounts(in_progress=3, completed=1, cancelled=1, failed=1)
        assert storage.count_files(STORE, batch_id="vsfb_1") == FileCounts(completed=1, cancelled=1, failed=1)
        assert storage.count_files("vs_none") == FileCounts()

    def test_how_far_the_files_of_a_batch_are(self, storage: VectorStorage) -> None:
        files = [file_record(f"file-{n}", batch_id="vsfb_1") for n in range(5)]
        storage.add_files([*files, file_record("file-else")], batch=BatchRecord("vsfb_1", STORE, 100))
        assert storage.indexing(STORE, "vsfb_1") == Indexing(unread=5)
        done, failed, half, whole, _ = storage.claim(this_process(), limit=5)
        storage.put_chunks(done, chunks_of("x", "y"), content_hash=HASH, needs_vectors=False)
        storage.fail_file(failed, "unsupported_file", "no")
        storage.put_chunks(half, chunks_of("a", "b", "c"), content_hash=HASH, needs_vectors=True)
        storage.put_chunks(whole, chunks_of("d"), content_hash=HASH, needs_vectors=True)
        assert storage.indexing(STORE, "vsfb_1") == Indexing(unread=1, chunks=6, ready=2)
        [(key, *_), *_] = storage.claim_unembedded(this_process(), limit=4)
        storage.put_vectors(STORE, "tests", [(key, as_vectors([1, 0]))])
        assert storage.indexing(STORE, "vsfb_1") == Indexing(unread=1, chunks=6, ready=3)
        assert storage.indexing(STORE, "vsfb_none") == storage.indexing("vs_none", "vsfb_1") == Indexing()

    def test_files_are_attached_all_or_none(self, storage: VectorStorage) -> None:
        with pytest.raises(StorageError, match="vs_none"):
            storage.add_files([file_record("file-a"), file_record("file-b", store_id="vs_none")])
        assert storage.get_file(STORE, "file-a") is None

    def test_a_file_attached_again_is_indexed_anew(self, storage: VectorStorage) -> None:
        before = indexed(storage, file_record("file-a", attributes={"n": 1}), "apple", vectors=[[1, 0]])
        storage.add_files([file_record("file-b")])
        again = file_record("file-a", created_at=100, attributes={"n": 2}, chunking=Chunking(100, 0))
        storage.add_files([again])
        kept = storage.get_file(STORE, "file-a")
        assert kept is not None
        assert kept.revision > before.revision
        assert replace(kept, revision=0) == again
        assert names(storage.list_files(STORE, Page())) == ["file-a", "file-b"]
        assert by_words(storage, "apple") == []
        assert by_meaning(storage, 1, 0) == []
        assert names(storage.claim(this_process(), limit=9)) == ["file-b", "file-a"]

    def test_attributes_are_replaced_and_searches_see_it_at_once(self, storage: VectorStorage, opened: Opened) -> None:
        other = opened()
        before = indexed(storage, file_record("file-a", attributes={"n": 1, "m": 1}), "apple", vectors=[[1, 0]])
        wanted = Comparison("eq", "n", 2)
        assert by_words(other, "apple", filters=wanted) == []
        assert by_meaning(other, 1, 0, filters=wanted) == []
        assert storage.set_attributes(STORE, "file-a", {"n": 2}) == replace(before, attributes={"n": 2})
        assert by_words(other, "apple", filters=wanted) == ["file-a/0"]
        assert by_meaning(other, 1, 0, filters=wanted) == [("file-a/0", 1.0)]
        assert by_words(other, "apple", filters=Comparison("eq", "m", 1)) == []
        assert storage.set_attributes(STORE, "file-none", {}) is None

    def test_a_removed_file_is_gone_from_searches(self, storage: VectorStorage, opened: Opened) -> None:
        other = opened()
        indexed(storage, file_record("file-a"), "apple", "apple pie", vectors=[[1, 0], [1, 1]])
        indexed(storage, file_record("file-b"), "apple", vectors=[[0, 1]])
        assert by_words(other, "apple") == ["file-a/0", "file-b/0", "file-a/1"]
        keys = [match.key for match in storage.match_words(STORE, "apple", filters=None, limit=9)]
        assert storage.remove_file(STORE, "file-a")
        assert not storage.remove_file(STORE, "file-a")
        assert by_words(other, "apple pie") == ["file-b/0"]
        assert by_meaning(other, 1, 0) == [("file-b/0", 0.0)]
        assert [file.file_id for file, _ in other.read_chunks(keys).values()] == ["file-b"]
        assert storage.file_chunks(STORE, "file-a") == []
        assert storage.count_files(STORE).total == 1

    def test_a_file_is_removed_from_all_stores(self, storage: VectorStorage) -> None:
        storage.create_store(StoreRecord("vs_2", "second", 101, 101))
        storage.add_files([file_record("file-a"), file_record("file-a", store_id="vs_2"), file_record("file-b")])
        assert storage.remove_file_everywhere("file-a") == 2
        assert storage.remove_file_everywhere("file-a") == 0
        assert names(storage.list_files(STORE, Page())) == ["file-b"]

    def test_a_cancelled_batch_keeps_what_was_done(self, storage: VectorStorage) -> None:
        batch = BatchRecord("vsfb_1", STORE, 100)
        storage.add_files([file_record(f"file-{n}", batch_id="vsfb_1") for n in range(4)], batch=batch)
        done, half, claimed = storage.claim(this_process(), limit=3)
        storage.put_chunks(done, chunks_of("apple"), content_hash=HASH, needs_vectors=False)
        storage.put_chunks(half, chunks_of("apple"), content_hash=HASH, needs_vectors=True)
        assert storage.get_batch(STORE, "vsfb_1") == batch
        assert storage.cancel_batch(STORE, "vsfb_1") == replace(batch, cancelled=True)
        assert storage.get_batch(STORE, "vsfb_1") == replace(batch, cancelled=True)
        assert not storage.put_chunks(claimed, chunks_of("apple"), content_hash=HASH, needs_vectors=False)
        assert not storage.fail_file(claimed, "server_error", "late")
        assert by_words(storage, "apple") == ["file-0/0"]
        assert storage.claim(this_process(), limit=9) == []
        assert storage.claim_unembedded(this_process()) == []
        assert storage.count_files(STORE) == FileCounts(completed=1, cancelled=3)
        assert storage.cancel_batch(STORE, "vsfb_none") is None
        assert storage.get_batch(STORE, "vsfb_none") is None
        assert storage.get_batch("vs_none", "vsfb_1") is None

    # Indexing

    def test_files_are_claimed_once_oldest_first(self, storage: VectorStorage, opened: Opened) -> None:
        storage.add_files([file_record("file-a", created_at=300), file_record("file-b", created_at=200)])
        storage.add_files([file_record("file-c", created_at=300)])
        other = opened()
        assert names(storage.claim(this_process(), limit=2)) == ["file-b", "file-a"]
        assert names(other.claim(this_process(), limit=2)) == ["file-c"]
        assert storage.claim(this_process(), limit=2) == []

    def test_what_a_dead_worker_had_claimed_is_claimed_anew(self, storage: VectorStorage) -> None:
        worker = dead_worker()
        storage.add_files([file_record("file-a"), file_record("file-b")])
        (first,) = storage.claim(worker)
        assert names(storage.claim(this_process(), limit=9)) == ["file-a", "file-b"]
        storage.put_chunks(first, chunks_of("a", "b"), content_hash=HASH, needs_vectors=True)
        assert len(storage.claim_unembedded(worker, limit=1)) == 1
        assert [text for _, _, text in storage.claim_unembedded(this_process())] == ["a", "b"]
        assert storage.claim_unembedded(this_process()) == []

    def test_a_file_without_text_is_completed(self, storage: VectorStorage) -> None:
        storage.add_files([file_record("file-a")])
        (file,) = storage.claim(this_process())
        assert storage.put_chunks(file, [], content_hash=HASH, needs_vectors=True)
        kept = storage.get_file(STORE, "file-a")
        assert kept == replace(file, status="completed", content_hash=HASH)
        assert storage.claim(this_process()) == []

    def test_words_find_a_file_before_it_has_vectors(self, storage: VectorStorage) -> None:
        storage.add_files([file_record("file-a")])
        (file,) = storage.claim(this_process())
        storage.put_chunks(file, chunks_of("apple", "pear tree"), content_hash=HASH, needs_vectors=True)
        kept = storage.get_file(STORE, "file-a")
        assert kept == replace(file, content_hash=HASH, chunks=2, usage_bytes=14)
        assert by_words(storage, "pears") == ["file-a/1"]
        waiting = storage.claim_unembedded(this_process())
        assert [(store_id, text) for _, store_id, text in waiting] == [(STORE, "apple"), (STORE, "pear tree")]
        storage.put_vectors(STORE, "tests", [(waiting[0][0], as_vectors([1, 0]))])
        assert storage.get_file(STORE, "file-a") == replace(kept, embedded=1, usage_bytes=22)
        assert by_meaning(storage, 1, 0) == [("file-a/0", 1.0)]
        storage.put_vectors(STORE, "tests", [(waiting[1][0], as_vectors([[0, 1], [1, 1]]))])
        assert storage.get_file(STORE, "file-a") == replace(kept, status="completed", embedded=2, usage_bytes=38)
        store = storage.get_store(STORE)
        assert store is not None
        assert (store.embedder, store.dimensions) == ("tests", 2)
        assert storage.usage_bytes(STORE) == 38

    def test_chunks_are_kept_as_they_were_given(self, storage: VectorStorage, opened: Opened) -> None:
        storage.add_files([file_record("file-a")])
        (file,) = storage.claim(this_process())
        chunks = [
            Chunk(0, "Ä 東京 'x'\n\t", 3, 0, 10, page=1, last_page=2, heading="One › Two"),
            Chunk(1, "plain", 1, 5, 10),
        ]
        storage.put_chunks(file, chunks, content_hash=HASH, needs_vectors=False)
        assert storage.file_chunks(STORE, "file-a") == chunks
        assert opened().file_chunks(STORE, "file-a") == chunks
        (match,) = storage.match_words(STORE, "plain", filters=None, limit=9)
        assert storage.read_chunks([match.key, -1]) == {match.key: (storage.get_file(STORE, "file-a"), chunks[1])}
        assert storage.read_chunks([]) == {}

    def test_chunks_put_again_replace_those_before(self, storage: VectorStorage) -> None:
        storage.add_files([file_record("file-a")])
        (file,) = storage.claim(this_process())
        storage.put_chunks(file, chunks_of("apple", "pear"), content_hash=HASH, needs_vectors=True)
        old = storage.claim_unembedded(this_process())
        storage.put_vectors(STORE, "tests", [(old[0][0], as_vectors([1, 0]))])
        assert by_words(storage, "apple pear") == ["file-a/0", "file-a/1"]
        assert by_meaning(storage, 1, 0) == [("file-a/0", 1.0)]
        assert storage.put_chunks(file, chunks_of("plum"), content_hash=HASH, needs_vectors=True)
        assert by_words(storage, "apple pear plum") == ["file-a/0"]
        assert by_meaning(storage, 1, 0) == []
        (new,) = storage.claim_unembedded(this_process())
        assert new[2] == "plum"
        storage.put_vectors(STORE, "tests", [(old[1][0], as_vectors([1, 0])), (new[0], as_vectors([1, 0]))])
        kept = storage.get_file(STORE, "file-a")
        assert kept is not None
        assert (kept.status, kept.chunks, kept.embedded, kept.usage_bytes) == ("completed", 1, 1, 12)
        assert by_meaning(storage, 1, 0) == [("file-a/0", 1.0)]

    def test_a_late_workers_chunks_are_refused(self, storage: VectorStorage) -> None:
        storage.add_files([file_record("file-a"), file_record("file-b")])
        removed, anew = storage.claim(this_process(), limit=2)
        storage.remove_file(STORE, "file-a")
        storage.add_files([file_record("file-b")])
        for late in (removed, anew):
            assert not storage.put_chunks(late, chunks_of("late"), content_hash=HASH, needs_vectors=True)
            assert not storage.fail_file(late, "server_error", "late")
        assert by_words(storage, "late") == []
        (now,) = storage.claim(this_process(), limit=9)
        assert storage.put_chunks(now, chunks_of("now"), content_hash=HASH, needs_vectors=False)

    def test_attributes_set_meanwhile_don_t_make_a_worker_late(self, storage: VectorStorage) -> None:
        storage.add_files([file_record("file-a")])
        (file,) = storage.claim(this_process())
        storage.set_attributes(STORE, "file-a", {"n": 1})
        assert storage.put_chunks(file, chunks_of("apple"), content_hash=HASH, needs_vectors=False)
        assert by_words(storage, "apple", filters=Comparison("eq", "n", 1)) == ["file-a/0"]

    def test_a_file_that_can_t_be_indexed_says_why(self, storage: VectorStorage) -> None:
        storage.add_files([file_record("file-a"), file_record("file-b")])
        first, second = storage.claim(this_process(), limit=2)
        assert storage.fail_file(first, "invalid_file", "It's broken: é")
        expected = replace(first, status="failed", error_code="invalid_file", error_message="It's broken: é")
        assert storage.get_file(STORE, "file-a") == expected
        storage.put_chunks(second, chunks_of("apple"), content_hash=HASH, needs_vectors=True)
        assert storage.fail_file(second, "server_error", "no vectors")
        assert by_words(storage, "apple") == []
        assert storage.claim(this_process()) == []
        assert storage.claim_unembedded(this_process()) == []

    def test_vectors_come_once_and_only_for_chunks_that_are_there(self, storage: VectorStorage) -> None:
        storage.add_files([file_record("file-a"), file_record("file-b")])
        first, second = storage.claim(this_process(), limit=2)
        storage.put_chunks(first, chunks_of("apple"), content_hash=HASH, needs_vectors=True)
        storage.put_chunks(second, chunks_of("pear"), content_hash=HASH, needs_vectors=True)
        keys = [key for key, _, _ in storage.claim_unembedded(this_process())]
        storage.remove_file(STORE, "file-b")
        made = [(keys[0], as_vectors([1, 0])), (keys[1], as_vectors([1, 0])), (10**9, as_vectors([1, 0]))]
        storage.put_vectors(STORE, "tests", made)
        storage.put_vectors(STORE, "tests", made)
        storage.put_vectors(STORE, "tests", [])
        assert by_meaning(storage, 1, 0) == [("file-a/0", 1.0)]
        kept = storage.get_file(STORE, "file-a")
        assert kept is not None
        assert (kept.status, kept.embedded, kept.usage_bytes) == ("completed", 1, 13)

    def test_vectors_of_two_embedders_don_t_mix(self, storage: VectorStorage) -> None:
        indexed(storage, file_record("file-a"), "apple", vectors=[[1, 0]])
        storage.add_files([file_record("file-b")])
        (file,) = storage.claim(this_process())
        storage.put_chunks(file, chunks_of("pear"), content_hash=HASH, needs_vectors=True)
        ((key, _, _),) = storage.claim_unembedded(this_process())
        with pytest.raises(StorageError, match=r"tests.*another"):
            storage.put_vectors(STORE, "another", [(key, as_vectors([1, 0]))])
        with pytest.raises(StorageError, match="3"):
            storage.put_vectors(STORE, "tests", [(key, as_vectors([1, 0, 0]))])
        with pytest.raises(StorageError, match="3"):
            storage.match_vector(STORE, as_vector(1, 0, 0), filters=None, limit=9)
        kept = storage.get_file(STORE, "file-b")
        assert kept is not None
        assert kept.status == "in_progress"

    def test_completed_files_without_vectors_get_them_when_they_are_wanted(self, storage: VectorStorage) -> None:
        bare = indexed(storage, file_record("file-a"), "apple", "pear")
        indexed(storage, file_record("file-b"))
        assert (bare.status, storage.claim_unembedded(this_process())) == ("completed", [])
        assert [storage.want_vectors("tests") for _ in range(2)] == [2, 0]
        assert storage.get_file(STORE, "file-a") == bare
        assert by_words(storage, "apple") == ["file-a/0"]
        waiting = storage.claim_unembedded(this_process())
        assert [text for _, _, text in waiting] == ["apple", "pear"]
        storage.put_vectors(STORE, "tests", [(waiting[0][0], as_vectors([1, 0]))])
        assert storage.get_file(STORE, "file-a") == replace(bare, embedded=1, usage_bytes=17)
        assert storage.want_vectors("tests") == 0
        storage.put_vectors(STORE, "tests", [(waiting[1][0], as_vectors([0, 1]))])
        assert storage.get_file(STORE, "file-a") == replace(bare, embedded=2, usage_bytes=25)
        assert by_meaning(storage, 1, 0) == [("file-a/0", 1.0), ("file-a/1", 0.0)]
        assert (storage.want_vectors("tests"), storage.claim_unembedded(this_process())) == (0, [])

    def test_vectors_are_not_wanted_in_stores_of_another_embedder_or_of_files_that_failed(
        self, storage: VectorStorage
    ) -> None:
        indexed(storage, file_record("file-a"), "apple", vectors=[[1, 0]])
        bare = indexed(storage, file_record("file-b"), "pear")
        storage.add_files([file_record("file-c")])
        (broken,) = storage.claim(this_process())
        storage.fail_file(broken, "invalid_file", "broken")
        assert (storage.want_vectors("another"), storage.claim_unembedded(this_process())) == (0, [])
        assert storage.want_vectors("tests") == 1
        storage.remove_file(STORE, "file-b")
        assert storage.claim_unembedded(this_process()) == []
        assert bare.embedded == 0

    def test_a_completed_file_whose_vectors_can_t_be_made_stays_and_is_wanted_again(
        self, storage: VectorStorage
    ) -> None:
        bare = indexed(storage, file_record("file-a"), "apple", "pear", "plum")
        storage.want_vectors("tests")
        waiting = storage.claim_unembedded(this_process(), limit=2)
        storage.put_vectors(STORE, "tests", [(waiting[1][0], as_vectors([1, 0]))])
        assert not storage.fail_file(bare, "server_error", "no vectors")
        assert storage.get_file(STORE, "file-a") == replace(bare, embedded=1, usage_bytes=bare.usage_bytes + 8)
        assert storage.claim_unembedded(this_process()) == []
        assert storage.want_vectors("tests") == 2
        assert [text for _, _, text in storage.claim_unembedded(this_process())] == ["apple", "plum"]

    def test_files_in_progress_get_their_vectors_before_completed_ones(self, storage: VectorStorage) -> None:
        indexed(storage, file_record("file-a"), "apple", "pear")
        storage.want_vectors("tests")
        storage.add_files([file_record("file-b")])
        (file,) = storage.claim(this_process())
        storage.put_chunks(file, chunks_of("plum", "fig"), content_hash=HASH, needs_vectors=True)
        claimed = [storage.claim_unembedded(this_process(), limit=3) for _ in range(2)]
        assert [[text for _, _, text in some] for some in claimed] == [["plum", "fig", "apple"], ["pear"]]

    def test_a_worker_without_an_embedder_gets_only_what_it_can_complete(
        self, storage: VectorStorage, opened: Opened
    ) -> None:
        storage.create_store(StoreRecord("vs_2", "second", created_at=100, last_active_at=100))
        indexed(storage, file_record("file-a"), "apple", vectors=[[1, 0]])
        indexed(storage, file_record("file-b", store_id="vs_2"), "bare")
        storage.want_vectors("tests")
        storage.add_files([file_record("file-c"), file_record("file-d", store_id="vs_2")])
        for file in storage.claim(this_process(), limit=9):
            storage.put_chunks(file, chunks_of(file.file_id), content_hash=HASH, needs_vectors=True)
        other = opened()
        without = [other.claim_unembedded(this_process(), without_embedder=True) for _ in range(2)]
        assert [[text for _, _, text in some] for some in without] == [["file-d"], []]
        left = storage.claim_unembedded(this_process())
        assert [(store_id, text) for _, store_id, text in left] == [(STORE, "file-c"), ("vs_2", "bare")]

    # Searching

    def test_a_chunk_scores_by_its_best_window(self, storage: VectorStorage) -> None:
        windows = [[[1, 0], [0, 1]], [[3, 4]], [[-1, 0], [-3, 4]]]
        indexed(storage, file_record("file-a"), "x", "y", "z", vectors=windows)
        assert by_meaning(storage, 0, 1) == [("file-a/0", 1.0), ("file-a/1", 0.8), ("file-a/2", 0.8)]
        assert by_meaning(storage, -1, 0) == [("file-a/2", 1.0), ("file-a/0", 0.0), ("file-a/1", -0.6)]

    def test_equals_come_in_the_order_of_indexing(self, storage: VectorStorage) -> None:
        for n in range(30):
            indexed(storage, file_record(f"file-{n:02}"), "same words", vectors=[[1, 2]])
        order = [f"file-{n:02}/0" for n in range(30)]
        for limit in (1, 7, 30):
            assert by_words(storage, "words", limit=limit) == order[:limit]
            assert [name for name, _ in by_meaning(storage, 2, 1, limit=limit)] == order[:limit]

    def test_as_many_come_as_there_are_up_to_the_limit(self, storage: VectorStorage) -> None:
        random = np.random.default_rng(7)
        for n in range(12):
            file = file_record(f"file-{n:02}", attributes={"n": n})
            indexed(storage, file, *["word"] * 10, vectors=list(random.normal(size=(10, 3, 8))))
        rare = Comparison("eq", "n", 11)
        for limit, number in ((5, 5), (10, 10), (50, 10)):
            assert len(by_words(storage, "word", filters=rare, limit=limit)) == number
            found = by_meaning(storage, *random.normal(size=8), filters=rare, limit=limit)
            assert len(found) == number
            assert all(name.startswith("file-11/") for name, _ in found)
        assert len(by_words(storage, "word", limit=500)) == 120
        assert len(by_meaning(storage, *random.normal(size=8), limit=500)) == 120

    def test_vectors_are_ranked_exactly(self, storage: VectorStorage) -> None:
        random = np.random.default_rng(3)
        made = random.normal(size=(400, 2, 48)).astype(np.float32)
        made /= np.linalg.norm(made, axis=2, keepdims=True)
        for n in range(4):
            storage.add_files([file_record(f"file-{n}", attributes={"n": n})])
            (file,) = storage.claim(this_process())
            storage.put_chunks(file, chunks_of(*["x"] * 100), content_hash=HASH, needs_vectors=True)
            keys = [key for key, _, _ in storage.claim_unembedded(this_process(), limit=100)]
            vectors = [(key, made[100 * n + at]) for at, key in enumerate(keys)]
            storage.put_vectors(STORE, "tests", vectors)
        for query in random.normal(size=(20, 48)):
            scores = (made @ as_vector(*query)).max(axis=1)
            for only, among in ((None, range(400)), (2, range(200, 300))):
                best = sorted(among, key=lambda at: -scores[at])[:10]
                filters = None if only is None else Comparison("eq", "n", only)
                found = by_meaning(storage, *query, filters=filters, limit=10)
                assert [name for name, _ in found] == [f"file-{at // 100}/{at % 100}" for at in best]
                assert [score for _, score in found] == pytest.approx([float(scores[at]) for at in best], abs=2e-5)

    def test_words_are_ranked_by_rarity_and_share(self, storage: VectorStorage) -> None:
        indexed(storage, file_record("file-a"), "common words and more common words", "common rare")
        indexed(storage, file_record("file-b"), "rare " + "filler " * 200, "nothing of it")
        assert by_words(storage, "common rare") == ["file-a/1", "file-a/0", "file-b/0"]
        matches = storage.match_words(STORE, "common rare", filters=None, limit=9)
        assert [match.score for match in matches] == sorted((match.score for match in matches), reverse=True)
        assert all(match.score > 0 for match in matches)

    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("RUNNING connections", "it runs the connection"),
            ("cafe", "the café"),
            ("user name", "call get_user_name first"),
            ("snake", "my_snake_case"),
            ("東京", "東京都に住む"),
            ("ﬁle", "the file"),
            ("v2.5.1", "version v2.5.1 is out"),
            ("naïve", "naive"),
        ],
    )
    def test_words_are_found_in_their_other_forms(self, storage: VectorStorage, query: str, text: str) -> None:
        indexed(storage, file_record("file-a"), "something else entirely", text)
        assert by_words(storage, query) == ["file-a/1"]

    @pytest.mark.parametrize(
        "query",
        ["", " ", "?!", "AND OR NOT", '"unclosed', "text:apple^9 ~2 [a TO b] *", "a:b(c", "\0apple", "apple " * 5000,
         "\ud800 x", "' ; DROP TABLE chunks; --", "%s %(a)s :a ?", "😀", "!apple & | <-> :*"],
    )  # fmt: skip
    def test_any_text_is_a_query(self, storage: VectorStorage, query: str) -> None:
        indexed(storage, file_record("file-a"), "the apple")
        found = by_words(storage, query)
        assert found == (["file-a/0"] if "apple" in query else [])

    @pytest.mark.parametrize("condition", CONDITIONS, ids=str)
    def test_filters_are_exact(self, filtered: VectorStorage, condition: Filter) -> None:
        expected = [f"{file_id}/0" for file_id, attributes in MIXED.items() if holds(condition, attributes)]
        assert by_words(filtered, "passage", filters=condition) == expected
        assert by_meaning(filtered, 1, 0, filters=condition) == [(name, 1.0) for name in expected]

    @pytest.fixture
    def filtered(self, storage: VectorStorage) -> VectorStorage:
        for file_id, attributes in MIXED.items():
            indexed(storage, file_record(file_id, attributes=attributes), "passage", vectors=[[1, 0]])
        return storage

    def test_another_storage_sees_what_is_done_at_once(self, storage: VectorStorage, opened: Opened) -> None:
        other = opened()
        for n in range(5):
            indexed(storage if n % 2 else other, file_record(f"file-{n}"), f"apple {n}", vectors=[[1, n]])
            for one in (storage, other):
                assert len(by_words(one, "apple")) == n + 1
                assert len(by_meaning(one, 1, 0)) == n + 1
            storage.remove_file(STORE, f"file-{n - 3}") and indexed(
                storage, file_record(f"file-{n - 3}"), "apple", vectors=[[0, 1]]
            )

    def test_what_was_kept_is_there_after_closing(self, storage: VectorStorage, opened: Opened) -> None:
        file = indexed(storage, file_record("file-a"), "apple", vectors=[[1, 0]])
        storage.close()
        for one in (storage, opened()):
            assert one.get_file(STORE, "file-a") == file
            assert by_words(one, "apple") == ["file-a/0"]
            assert by_meaning(one, 1, 0) == [("file-a/0", 1.0)]
