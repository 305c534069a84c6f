"""Vector stores in PostgreSQL: large ones, several machines, and what goes wrong."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from clusters import Cluster

from agentkit._process import this_process
from agentkit.local.vector_stores.choosing import choose_storage
from agentkit.local.vector_stores.filters import Comparison
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.postgres import PostgresStorage
from agentkit.local.vector_stores.storage import FileRecord, StorageError, StoreRecord

Opened = Callable[..., PostgresStorage]
HASH = "0" * 64


@pytest.fixture
def opened(dsn: str) -> Iterator[Opened]:
    made: list[PostgresStorage] = []

    def open_another(home: Path | None = None) -> PostgresStorage:
        made.append(PostgresStorage(dsn, home=home))
        return made[-1]

    yield open_another
    for storage in made:
        storage.close()


@pytest.fixture
def storage(opened: Opened) -> PostgresStorage:
    storage = opened()
    storage.create_store(StoreRecord("vs_1", "first", 1, 1))
    return storage


def attach(storage: PostgresStorage, *names: str, **attributes: int) -> None:
    storage.add_files([FileRecord("vs_1", name, f"{name}.txt", 5, attributes=dict(attributes)) for name in names])


def put(storage: PostgresStorage, texts: Sequence[str], *, vectors: np.ndarray | None = None) -> None:
    """Do a worker's work for the file that waits."""
    (file,) = storage.claim(this_process())
    chunks = [Chunk(n, text, 1, n, n + 1) for n, text in enumerate(texts)]
    storage.put_chunks(file, chunks, content_hash=HASH, needs_vectors=vectors is not None)
    if vectors is not None:
        keys = [key for key, _, _ in storage.claim_unembedded(this_process(), limit=len(texts))]
        storage.put_vectors("vs_1", "tests", [(key, vectors[n : n + 1]) for n, key in enumerate(keys)])


def found(storage: PostgresStorage, query: str, limit: int = 10, **only: int) -> list[tuple[str, int]]:
    (filters,) = [Comparison("eq", key, value) for key, value in only.items()] or [None]
    matches = storage.match_words("vs_1", query, filters=filters, limit=limit)
    read = storage.read_chunks([match.key for match in matches])
    return [(read[match.key][0].file_id, read[match.key][1].position) for match in matches]


def bm25(texts: Sequence[str], query: str) -> list[float]:
    """BM25 the slow way, of words between spaces, as parts of the most there can be."""
    words = [text.split() for text in texts]
    weights = [
        np.log1p((len(words) - n + 0.5) / (n + 0.5)) for n in (sum(t in w for w in words) for t in query.split())
    ]
    average = sum(map(len, words)) / len(words)
    scores = []
    for some in words:
        score = 0.0
        for term in query.split():
            having = sum(term in other for other in words)
            weight = np.log1p((len(words) - having + 0.5) / (having + 0.5))
            times = some.count(term)
            score += weight * 2.2 * times / (times + 1.2 * (0.25 + 0.75 * len(some) / average))
        scores.append(float(score / (2.2 * sum(weights))))
    return scores


# Words


def test_words_are_ranked_alike_before_and_after_they_are_merged(storage: PostgresStorage, dsn: str) -> None:
    random = np.random.default_rng(5)
    names = [f"w{n}x" for n in range(40)]
    share = 1 / np.arange(1, 41) / sum(1 / np.arange(1, 41))
    files = [[" ".join(random.choice(names, random.integers(1, 30), p=share)) for _ in range(3)] for _ in range(200)]
    for n, texts in enumerate(files):
        attach(storage, f"file-{n:03}", even=n % 2)
        put(storage, texts)
        if n == 100:
            assert storage.remove_file("vs_1", "file-007")  # one that is in a segment
    texts = [text for n, some in enumerate(files) if n != 7 for text in some]
    places = [(f"file-{n:03}", m) for n in range(200) if n != 7 for m in range(3)]
    query = "w30x w3x w0x"
    with PostgresStorageRows(dsn) as rows:
        assert rows("SELECT count(*) FROM segments") == 3  # of 64 files each
        assert rows("SELECT count(*) FROM words") == 8
    expected = bm25(texts, query)
    order = sorted(range(len(texts)), key=lambda at: -expected[at])
    matches = storage.match_words("vs_1", query, filters=None, limit=50)
    # A removed file still counts among the texts until its segment is merged: a thousandth of a score.
    assert [match.score for match in matches] == pytest.approx([expected[at] for at in order[:50]], rel=0.01)
    assert len(set(found(storage, query, 50)) & {places[at] for at in order[:50]}) >= 48
    odd = found(storage, query, 50, even=1)
    assert len(odd) == 50
    assert all(int(name[5:]) % 2 for name, _ in odd)
    assert ("file-007", 0) not in found(storage, "w0x", 1000)
    assert len(found(storage, " ".join(names), 1000)) == 597


def test_a_passage_is_found_by_its_headings(storage: PostgresStorage) -> None:
    attach(storage, "file-a")
    (file,) = storage.claim(this_process())
    chunks = [Chunk(0, "apple", 1, 0, 5), Chunk(1, "pear", 1, 5, 9, heading="Fruit › Kept cold")]
    storage.put_chunks(file, chunks, content_hash=HASH, needs_vectors=False)
    assert found(storage, "keeping fruits") == [("file-a", 1)]


def test_segments_are_merged_and_lose_what_is_gone(storage: PostgresStorage, dsn: str) -> None:
    for n in range(520):
        attach(storage, f"file-{n:03}")
        put(storage, [f"apple number{n}"])
    with PostgresStorageRows(dsn) as rows:
        assert rows("SELECT count(*) FROM segments") == 1  # eight of 64 files
        assert rows("SELECT sum(chunks)::int FROM segments") == 512
    for n in range(500):
        storage.remove_file("vs_1", f"file-{n:03}")
    assert len(found(storage, "apple", 1000)) == 20
    assert found(storage, "number3") == []
    for n in range(600):  # as many as to be merged with those that are left
        attach(storage, f"late-{n:03}")
        put(storage, ["pear"])
    assert len(found(storage, "apple", 1000)) == 20
    assert len(found(storage, "pear", 1000)) == 600
    storage.delete_store("vs_1")
    with PostgresStorageRows(dsn) as rows:
        for table in ("files", "chunks", "words", "segments", "postings", "vectors", "waiting", "batches"):
            assert rows(f"SELECT count(*) FROM {table}") == 0, table


class PostgresStorageRows:
    """Looks into the tables."""

    def __init__(self, dsn: str) -> None:
        import psycopg

        self._connection = psycopg.connect(dsn, autocommit=True)
        self._connection.execute("SET search_path = agentkit, public")

    def __enter__(self) -> Callable[[str], object]:
        return lambda query: (self._connection.execute(query).fetchone() or [None])[0]

    def __exit__(self, *_: object) -> None:
        self._connection.close()


# Vectors


def test_many_vectors_are_found_through_an_index_and_as_many_as_are_wanted(storage: PostgresStorage, dsn: str) -> None:
    random = np.random.default_rng(2)
    made = random.normal(size=(34_000, 16)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    for n in range(34):
        attach(storage, f"file-{n:02}", n=n, most=int(n > 1))
        put(storage, ["x"] * 1000, vectors=made[1000 * n : 1000 * (n + 1)])
    with PostgresStorageRows(dsn) as rows:
        assert rows("SELECT near FROM stores") is True
        assert rows("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'vectors_near_%'") == 1
    hits = {None: 0, "n": 0, "most": 0}
    for query in made[::1700] + random.normal(size=(20, 16)).astype(np.float32) * 0.1:
        query /= np.linalg.norm(query)
        scores = made @ query
        for only, among in ((None, slice(0, None)), ("n", slice(3000, 4000)), ("most", slice(2000, None))):
            filters = None if only is None else Comparison("eq", only, 3 if only == "n" else 1)
            matches = storage.match_vector("vs_1", query, filters=filters, limit=10)
            best = np.sort(scores[among])[::-1][:10]
            assert len(matches) == 10
            assert [match.score for match in matches] == sorted((match.score for match in matches), reverse=True)
            hits[only] += sum(match.score >= best[-1] - 1e-5 for match in matches)
    assert hits["n"] == 200  # few enough to look at all of them
    assert hits[None] >= 190
    assert hits["most"] >= 190
    assert len(storage.match_vector("vs_1", made[0], filters=None, limit=5000)) == 5000
    storage.delete_store("vs_1")
    with PostgresStorageRows(dsn) as rows:
        assert rows("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'vectors_near_%'") == 0


# Several machines


def test_files_are_claimed_where_their_bytes_are(opened: Opened, storage: PostgresStorage, tmp_path: Path) -> None:
    here, there = opened(tmp_path / "here"), opened(tmp_path / "there")
    attach(here, "file-a")
    assert there.claim("another/1/1", limit=9) == []
    (file,) = here.claim(this_process(), limit=9)
    here.put_chunks(file, [Chunk(0, "apple", 1, 0, 5)], content_hash=HASH, needs_vectors=True)
    assert there.claim_unembedded("another/1/1") == []  # its embedder may be another one
    assert found(there, "apple") == [("file-a", 0)]
    attach(there, "file-a")  # uploaded there too, and attached anew: now it is that machine's
    assert here.claim(this_process(), limit=9) == []
    again = opened(tmp_path / "there")
    assert len(again.claim("another/2/1", limit=9)) == 1


def test_completed_files_get_vectors_where_they_were_attached(
    opened: Opened, storage: PostgresStorage, tmp_path: Path
) -> None:
    here, there = opened(tmp_path / "here"), opened(tmp_path / "there")
    attach(here, "file-a")
    (file,) = here.claim(this_process(), limit=9)
    here.put_chunks(file, [Chunk(0, "apple", 1, 0, 5)], content_hash=HASH, needs_vectors=False)
    assert there.want_vectors("tests") == 0  # its embedder may be another one
    assert here.want_vectors("tests") == 1
    assert there.claim_unembedded("another/1/1") == []
    assert [text for _, _, text in here.claim_unembedded(this_process())] == ["apple"]


def test_a_machine_that_is_not_heard_of_loses_its_claims(storage: PostgresStorage, opened: Opened, dsn: str) -> None:
    attach(storage, "file-a")
    other = opened()
    assert len(storage.claim("far-away/17/1234")) == 1
    assert other.claim("elsewhere/5/99") == []
    with PostgresStorageRows(dsn) as rows:
        rows("UPDATE leases SET until = now() - interval '1 s' RETURNING 1")  # as a minute later
    assert [file.file_id for file in other.claim("elsewhere/5/99")] == ["file-a"]


def test_several_threads_write_at_once_and_nothing_is_lost(storage: PostgresStorage, opened: Opened) -> None:
    attach(storage, *[f"file-{n:02}" for n in range(60)])
    errors: list[BaseException] = []

    def work(number: int) -> None:
        mine = opened()
        try:
            while claimed := mine.claim(f"machine-{number}/1/1", limit=2):
                for file in claimed:
                    chunks = [Chunk(n, f"apple {file.file_id}", 1, n, n + 1) for n in range(4)]
                    assert mine.put_chunks(file, chunks, content_hash=HASH, needs_vectors=True)
            while waiting := mine.claim_unembedded(f"machine-{number}/1/1", limit=7):
                vector = np.array([[0.6, 0.8]], np.float32)
                mine.put_vectors("vs_1", "tests", [(key, vector) for key, _, _ in waiting])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for n in range(50, 60):
        storage.remove_file("vs_1", f"file-{n:02}")
    for thread in threads:
        thread.join()
    assert errors == []
    while waiting := storage.claim_unembedded(this_process()):
        storage.put_vectors("vs_1", "tests", [(key, np.array([[0.6, 0.8]], np.float32)) for key, _, _ in waiting])
    counts = storage.count_files("vs_1")
    assert (counts.completed, counts.total) == (50, 50)
    assert len(found(storage, "apple", 999)) == 200
    assert len(storage.match_vector("vs_1", np.array([1, 0], np.float32), filters=None, limit=999)) == 200


def test_a_forked_child_leaves_its_parents_connections_alone(storage: PostgresStorage) -> None:
    assert found(storage, "apple") == []
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if storage.get_store("vs_1") is not None else 2
            storage.close()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert storage.get_store("vs_1") is not None


def test_a_teams_users_share_what_each_has_made(cluster: Cluster, database: str) -> None:
    team, users = f"team_{database}", [f"ada_{database}", f"bob_{database}"]
    try:
        cluster.sql(f"CREATE ROLE {team} NOLOGIN; ALTER DATABASE {database} OWNER TO {team}")
        cluster.sql("CREATE EXTENSION vector", database=database)
        for user in users:  # as the documentation says
            cluster.sql(f"CREATE ROLE {user} LOGIN IN ROLE {team}")
            cluster.sql(f"ALTER ROLE {user} IN DATABASE {database} SET role = '{team}'")
        ada, bob = (PostgresStorage(f"postgresql://{user}@/{database}?host={cluster.folder}") for user in users)
        ada.create_store(StoreRecord("vs_1", "ours", 1, 1))
        attach(bob, "file-a")
        put(bob, ["apple"], vectors=np.array([[0.6, 0.8]], np.float32))
        assert found(ada, "apple") == [("file-a", 0)]
        assert ada.remove_file("vs_1", "file-a")
        ada.close()
        bob.close()
    finally:
        cluster.sql("DROP SCHEMA IF EXISTS agentkit CASCADE", database=database)
        cluster.sql(f"ALTER DATABASE {database} OWNER TO agentkit")
        cluster.sql(f"DROP ROLE IF EXISTS {', '.join([*users, team])}")


# What goes wrong


def refused(dsn: str) -> str:
    storage = PostgresStorage(dsn)
    with pytest.raises(StorageError) as caught:
        storage.get_store("vs_1")
    storage.close()
    return str(caught.value)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    said = refused("postgresql://me:s3cret-word@/db?host=/nowhere&port=6000")
    assert "PostgreSQL at /nowhere:6000 (database 'db') can't be used" in said
    assert "Start the server, or mend AGENTKIT_VECTORS" in said
    assert "s3cret-word" not in said
    with pytest.raises(StorageError, match="can't be read. It looks like postgresql://") as caught:
        PostgresStorage("postgresql://me:s3cret-word@[::1/db")
    assert "s3cret-word" not in str(caught.value)


def test_a_database_that_is_not_there_is_named(socket_folder: Path) -> None:
    said = refused(f"postgresql://agentkit@/nothing_here?host={socket_folder}")
    assert '"nothing_here" does not exist' in said
    assert "Create it on the server" in said


def test_a_user_without_rights_is_told_what_an_administrator_has_to_do(cluster: Cluster, database: str) -> None:
    user = f"guest_{database}"
    cluster.sql(f"CREATE USER {user}")
    dsn = f"postgresql://{user}@/{database}?host={cluster.folder}"
    try:
        said = refused(dsn)
        assert f"the user '{user}' may not add it" in said
        assert said.endswith("CREATE EXTENSION vector")
        cluster.sql("CREATE EXTENSION vector", database=database)
        said = refused(dsn)
        assert said.endswith(f'CREATE SCHEMA IF NOT EXISTS agentkit AUTHORIZATION "{user}"')
        cluster.sql(f"CREATE SCHEMA IF NOT EXISTS agentkit AUTHORIZATION {user}", database=database)
        storage = PostgresStorage(dsn)
        storage.create_store(StoreRecord("vs_1", "mine", 1, 1))
        cluster.sql(f"CREATE USER {user}_2; GRANT USAGE ON SCHEMA agentkit TO {user}_2", database=database)
        said = refused(f"postgresql://{user}_2@/{database}?host={cluster.folder}")
        assert "permission denied" in said
        assert "grant" in said
        storage.close()
    finally:
        cluster.sql(f"DROP SCHEMA IF EXISTS agentkit CASCADE; DROP USER IF EXISTS {user}, {user}_2", database=database)


def test_tables_of_a_later_version_are_left_alone(storage: PostgresStorage, dsn: str) -> None:
    with PostgresStorageRows(dsn) as rows:
        rows("UPDATE about SET version = 99 RETURNING 1")
    said = refused(dsn)
    assert "of version 99, made by a later agentkit" in said
    assert "pip install -U agentkit" in said


def test_the_environment_chooses_postgresql(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_VECTORS", dsn)
    storage = choose_storage(tmp_path)
    assert isinstance(storage, PostgresStorage)
    assert storage.home_id() == storage.home_id() != ""
    assert PostgresStorage(dsn, home=tmp_path).home_id() == storage.home_id()
    assert [path.name for path in (tmp_path / "vector_stores").iterdir()] == ["home.id"]
    storage.close()
