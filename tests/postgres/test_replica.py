"""A primary and a replica behind one address: when the primary is killed, reads go on, and later writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import openai
import pytest
from clusters import Cluster

from agentkit._process import this_process
from agentkit.local import embedded_transports
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.postgres import PostgresStorage
from agentkit.local.vector_stores.postgres.connections import NoServerError
from agentkit.local.vector_stores.storage import FileRecord, StoreRecord

PATIENCE_S = 60.0
VECTOR = np.array([[0.6, 0.8]], np.float32)


@pytest.fixture
def pair() -> Iterator[tuple[Cluster, Cluster]]:
    with ExitStack() as stack:
        primary = Cluster.make()
        stack.callback(primary.remove)
        primary.start()
        replica = Cluster.replica_of(primary)
        stack.callback(replica.remove)
        replica.start()
        yield primary, replica


def caught_up(primary: Cluster, replica: Cluster) -> None:
    """Wait until the replica has everything."""
    position = primary.sql("SELECT pg_current_wal_lsn()")
    until = time.monotonic() + PATIENCE_S
    while replica.sql(f"SELECT pg_last_wal_replay_lsn() >= '{position}'") != "t":
        assert time.monotonic() < until, "the replica doesn't catch up"


def seen(storage: PostgresStorage) -> object:
    words = storage.match_words("vs_1", "apple", filters=None, limit=9)
    near = storage.match_vector("vs_1", VECTOR[0], filters=None, limit=9)
    read = storage.read_chunks([match.key for match in words])
    return storage.get_store("vs_1"), storage.count_files("vs_1"), words, near, read


def test_a_replica_takes_over(pair: tuple[Cluster, Cluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    primary, replica = pair
    dsn = f"postgresql://agentkit@/postgres?host={primary.folder},{replica.folder}"
    storage, reader = PostgresStorage(dsn), PostgresStorage(dsn)
    storage.create_store(StoreRecord("vs_1", "shared", 1, 1))
    storage.add_files([FileRecord("vs_1", f"file-{n}", "f.txt", n) for n in range(3)])
    first, second = storage.claim(this_process(), limit=2)
    chunks = [Chunk(n, f"apple {n}", 2, n, n + 1) for n in range(3)]
    storage.put_chunks(first, chunks, content_hash="0" * 64, needs_vectors=True)
    storage.put_vectors("vs_1", "tests", [(key, VECTOR) for key, _, _ in storage.claim_unembedded(this_process())])
    before = seen(storage)
    assert seen(reader) == before
    caught_up(primary, replica)

    primary.kill()
    assert seen(storage) == before
    assert seen(reader) == before
    new = PostgresStorage(dsn)
    assert seen(new) == before
    storage.touch_store("vs_1", 99)  # not noted, and no error
    with pytest.raises(NoServerError, match="those that answer are replicas.*promote a replica"):
        storage.create_store(StoreRecord("vs_2", "late", 2, 2))
    monkeypatch.setenv("AGENTKIT_VECTORS", dsn)
    _, transport = embedded_transports(home=tmp_path, embedder=lambda: None)
    api = openai.OpenAI(
        http_client=openai.DefaultHttpx2Client(transport=transport), base_url="http://agentkit.local/v1", api_key="x"
    )
    assert [hit.content[0].text for hit in api.vector_stores.search("vs_1", query="apple 2")][:1] == ["apple 2"]
    with pytest.raises(openai.InternalServerError, match="promote a replica"):
        api.with_options(max_retries=0).vector_stores.create(name="late")

    # What a worker has made waits for the replica to become the primary.
    kept: list[bool] = []
    work = threading.Thread(
        target=lambda: kept.append(storage.put_chunks(second, chunks, content_hash="0" * 64, needs_vectors=False))
    )
    work.start()
    replica.promote()
    work.join(PATIENCE_S)
    assert kept == [True]
    for one in (storage, reader, new):
        assert one.count_files("vs_1").completed == 2
        one.touch_store("vs_1", int(time.time()))
    assert api.vector_stores.create(name="now").name == "now"
    assert len(storage.claim(this_process(), limit=9)) == 1
    assert [match.key for match in reader.match_words("vs_1", "apple", filters=None, limit=99)][:3]
    assert len(reader.match_words("vs_1", "apple", filters=None, limit=99)) == 6
    api.close()
    for one in (storage, reader, new):
        one.close()


def test_a_replica_alone_says_what_it_lacks(pair: tuple[Cluster, Cluster]) -> None:
    primary, replica = pair
    caught_up(primary, replica)
    storage = PostgresStorage(f"postgresql://agentkit@/postgres?host={replica.folder}")
    with pytest.raises(Exception, match="has no tables of agentkit's version .* and is a replica"):
        storage.get_store("vs_1")
    storage.close()
