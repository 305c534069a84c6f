"""A vector store is copied from this machine's storage to PostgreSQL and back, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agentkit._process import this_process
from agentkit.cli import main
from agentkit.local.vector_stores.embedded import EmbeddedStorage
from agentkit.local.vector_stores.moving import Moved, move_store
from agentkit.local.vector_stores.passages import Attributes, Chunk, Chunking
from agentkit.local.vector_stores.postgres import PostgresStorage
from agentkit.local.vector_stores.storage import (
    BatchRecord,
    FileRecord,
    Page,
    StorageError,
    StoreRecord,
    VectorStorage,
)

ATTRIBUTES: Attributes = {"year": 2024, "share": 2.0, "big": 1e23, "draft": False, "note": "é\n\x00'\x01\x02", "ü": ""}
STORE = StoreRecord("vs_1", "Größe \x00", 100, 200, "it's", {"k": "v\x01"}, 7)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedStorage]:
    storage = EmbeddedStorage(tmp_path / "home")
    yield storage
    storage.close()


@pytest.fixture
def postgres(dsn: str) -> Iterator[PostgresStorage]:
    storage = PostgresStorage(dsn)
    yield storage
    storage.close()


def filled(storage: VectorStorage) -> None:
    """Make a store with a file of each status, and of each way of being incomplete."""
    random = np.random.default_rng(1)
    storage.create_store(STORE)
    names = ["whole", "failed", "wordless", "half", "waits"]
    files = [
        FileRecord("vs_1", f"file-{name}", f"{name}.txt", 300 - n, attributes=ATTRIBUTES, batch_id="vsfb_1")
        for n, name in enumerate(reversed(names))
    ][::-1]
    files[0] = replace(files[0], chunking=Chunking(200, 50), auto_chunking=False)
    storage.add_files(files, batch=BatchRecord("vsfb_1", "vs_1", 250))
    cancelled = FileRecord("vs_1", "file-cancelled", "c.txt", 10, batch_id="vsfb_2")
    storage.add_files([cancelled], batch=BatchRecord("vsfb_2", "vs_1", 10))
    storage.cancel_batch("vs_1", "vsfb_2")
    by_name = {file.filename[:-4]: file for file in storage.claim(this_process(), limit=4)}
    storage.fail_file(by_name["failed"], "invalid_file", "It's broken:\x00 é")
    storage.put_chunks(by_name["wordless"], [], content_hash="b" * 64, needs_vectors=True)
    chunks = [
        Chunk(0, "an apple\x00\x01, 東京", 4, 0, 12, 1, 2, "One › Two\x01"),
        Chunk(1, "a pear", 2, 6, 18),
    ]
    storage.put_chunks(by_name["whole"], chunks, content_hash="a" * 64, needs_vectors=True)
    storage.put_chunks(by_name["half"], chunks[::-1], content_hash="c" * 64, needs_vectors=True)
    waiting = storage.claim_unembedded(this_process())
    vectors = random.normal(size=(3, 2, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    keys = [key for key, _, _ in waiting]
    storage.put_vectors("vs_1", "tests", list(zip(keys[:3], vectors, strict=True)))
    storage.close()  # gives back what was claimed


def everything(storage: VectorStorage) -> dict[str, object]:
    """What can be seen of the store from outside."""
    files = storage.list_files("vs_1", Page(limit=99))
    vector = np.zeros(8, np.float32)
    vector[3] = 1
    matches = {
        "words": storage.match_words("vs_1", "apple pear 東京", filters=None, limit=9),
        "meaning": storage.match_vector("vs_1", vector, filters=None, limit=9),
    }
    found = {}
    for name, some in matches.items():
        read = storage.read_chunks([match.key for match in some])
        found[name] = [
            (read[one.key][0].file_id, read[one.key][1].position, pytest.approx(one.score, rel=1e-5)) for one in some
        ]
    return {
        "store": storage.get_store("vs_1"),
        "files": [replace(file, revision=0) for file in files],
        "chunks": [storage.file_chunks("vs_1", file.file_id) for file in files],
        "batches": [storage.get_batch("vs_1", f"vsfb_{n}") for n in (1, 2)],
        "meaning": found["meaning"],
        "words": {place[:2] for place in found["words"]},
    }


def test_a_store_goes_to_postgresql_and_back_as_it_was(
    embedded: EmbeddedStorage, postgres: PostgresStorage, tmp_path: Path
) -> None:
    filled(embedded)
    before = everything(embedded)
    there = move_store("vs_1", embedded, postgres)
    assert everything(postgres) == before
    again = EmbeddedStorage(tmp_path / "other")
    back = move_store("vs_1", postgres, again)
    assert everything(again) == before
    assert there == back == Moved(6, 4, 3, 0, there.digest)
    again.close()


def test_work_that_was_left_goes_on_after_the_copy(embedded: EmbeddedStorage, postgres: PostgresStorage) -> None:
    filled(embedded)
    move_store("vs_1", embedded, postgres)
    ((key, store_id, text),) = postgres.claim_unembedded(this_process())
    assert (store_id, text) == ("vs_1", "an apple\x00\x01, 東京")
    postgres.put_vectors("vs_1", "tests", [(key, np.eye(8, dtype=np.float32)[:1])])
    half = postgres.get_file("vs_1", "file-half")
    assert half is not None
    assert half.status == "completed"
    assert [file.file_id for file in postgres.claim(this_process(), limit=9)] == ["file-waits"]


def test_a_copy_goes_on_where_it_was_interrupted(embedded: EmbeddedStorage, postgres: PostgresStorage) -> None:
    filled(embedded)

    def interrupt(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move_store("vs_1", embedded, postgres, progress=interrupt)
    assert len(postgres.list_files("vs_1", Page())) == 3
    embedded.set_attributes("vs_1", "file-cancelled", {"new": True})
    embedded.remove_file("vs_1", "file-wordless")
    moved = move_store("vs_1", embedded, postgres, delete_source=True)
    assert (moved.files, moved.already_there) == (5, 2)
    assert embedded.get_store("vs_1") is None
    kept = postgres.get_file("vs_1", "file-cancelled")
    assert kept is not None
    assert kept.attributes == {"new": True}
    assert postgres.get_file("vs_1", "file-wordless") is None


def test_a_source_that_changes_meanwhile_is_not_deleted(embedded: EmbeddedStorage, postgres: PostgresStorage) -> None:
    filled(embedded)

    def change(done: int, _: int) -> None:
        if done == 6:
            embedded.set_attributes("vs_1", "file-whole", {"late": 1})

    with pytest.raises(StorageError, match="was changed while it was being copied"):
        move_store("vs_1", embedded, postgres, delete_source=True, progress=change)
    assert embedded.get_store("vs_1") is not None
    assert move_store("vs_1", embedded, postgres).already_there == 5


def test_another_store_of_that_id_is_left_alone(embedded: EmbeddedStorage, postgres: PostgresStorage) -> None:
    filled(embedded)
    other = StoreRecord("vs_1", "not mine", 1, 1)
    postgres.create_store(other)
    with pytest.raises(StorageError, match="another vector store 'vs_1' .'not mine'."):
        move_store("vs_1", embedded, postgres)
    with pytest.raises(StorageError, match="no vector store 'vs_none'"):
        move_store("vs_none", embedded, postgres)
    assert postgres.get_store("vs_1") == other


def test_stores_are_listed_and_copied_by_the_command(
    embedded: EmbeddedStorage,
    postgres: PostgresStorage,
    dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    filled(embedded)
    assert main(["stores", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "vs_1  6 files (2 completed, 2 in progress, 1 failed, 1 cancelled)  240 bytes  Größe ?",
    ]
    assert main(["stores", "copy", "vs_1", "--to", dsn]) == 0
    copied = capsys.readouterr()
    assert copied.out.startswith("vs_1: 6 files, 4 passages, 3 of them with vectors, copied and compared")
    assert main(["stores", "list", "--at", dsn]) == 0
    assert capsys.readouterr().out.startswith("vs_1  6 files")
    assert main(["stores", "copy", "vs_1", "--from", dsn, "--to", "embedded", "--delete-source"]) == 0
    assert postgres.get_store("vs_1") is None
    assert main(["stores", "copy", "vs_1", "--to", "embedded"]) == 1
    assert "the same place" in capsys.readouterr().err
    assert main(["stores", "copy", "vs_none", "--to", dsn]) == 1
    assert "agentkit stores: There is no vector store 'vs_none'" in capsys.readouterr().err
