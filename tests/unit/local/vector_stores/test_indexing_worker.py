"""The worker that indexes: killed, stopped, in several processes, on a disk that fills; nothing lost, nothing twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import openai
import pytest

from agentkit._process import this_process
from agentkit.local import embedded_transports
from agentkit.local.vector_stores.choosing import choose_storage
from agentkit.local.vector_stores.embedded import EmbeddedStorage
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import FileRecord, StorageError

CHILD = """
import os, signal, sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import openai
from conftest import WordEmbedder
from agentkit._process import this_process
from agentkit.local import embedded_transports

class Dying(WordEmbedder):
    left = int(sys.argv[3])
    def embed(self, texts):
        Dying.left -= 1
        if Dying.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().embed(texts)

embedder = Dying()
transport = embedded_transports(home=Path(sys.argv[1]), embedder=lambda: embedder)[1]
http_client = openai.DefaultHttpx2Client(transport=transport)
api = openai.OpenAI(api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0)
stores = api.vector_stores.list().data
if not stores:
    stores = [api.vector_stores.create(name="killed")]
    ids = [api.files.create(file=(f"{n}.txt", text.encode()), purpose="assistants").id
           for n, text in enumerate(f"file{n} " + " ".join(f"w{n}x{k}" for k in range(300)) for n in range(12))]
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    api.vector_stores.file_batches.create(stores[0].id, file_ids=ids, chunking_strategy=chunking)
print("at work", flush=True)
while api.vector_stores.retrieve(stores[0].id).status != "completed":
    threading.Event().wait(0.01)
print("done")
api.close()
"""

EXITING = """
import sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import openai
from conftest import WordEmbedder
from agentkit.local import embedded_transports

class Telling(WordEmbedder):
    working = threading.Event()

    def embed(self, texts):
        print("begun", flush=True)
        self.working.set()
        made = super().embed(texts)
        sys.stdin.readline()
        print("ended", flush=True)
        return made

embedder = Telling()
transport = embedded_transports(home=Path(sys.argv[1]), embedder=lambda: embedder)[1]
http_client = openai.DefaultHttpx2Client(transport=transport)
api = openai.OpenAI(api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0)
store = api.vector_stores.create()
ids = [api.files.create(file=(f"{n}.txt", b"alpha"), purpose="assistants").id for n in range(40)]
api.vector_stores.file_batches.create(store.id, file_ids=ids)
embedder.working.wait()
print("leaving", flush=True)
"""

FULL = """
import resource, signal, sys
from pathlib import Path
import openai
from agentkit._process import this_process
from agentkit.local import embedded_transports

transport = embedded_transports(home=Path(sys.argv[1]), embedder=lambda: None)[1]
http_client = openai.DefaultHttpx2Client(transport=transport)
api = openai.OpenAI(api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0)
store = api.vector_stores.create()
def upload(name, data):
    return api.files.create(file=(name, data), purpose="assistants").id
large = upload("large.txt", b" ".join(b"word%d" % n for n in range(400_000)))
small = [upload(f"{n}.txt", b"alpha %d" % n) for n in range(3)]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, resource.RLIM_INFINITY))
batch = api.vector_stores.file_batches.create_and_poll(store.id, file_ids=[small[0], large, *small[1:]])
print(batch.file_counts.completed, batch.file_counts.failed)
failed = api.vector_stores.files.retrieve(large, vector_store_id=store.id)
print(failed.status, failed.last_error.code)
print(sorted(hit.filename for hit in api.vector_stores.search(store.id, query="alpha")))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(api.vector_stores.files.create_and_poll(large, vector_store_id=store.id).status)
api.close()
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)


def worker_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "agentkit-indexing"]


def ended_workers() -> None:
    for thread in worker_threads():
        thread.join(30)
    assert worker_threads() == []


def semantic_scores(api: openai.OpenAI, store: str, query: str) -> dict[str, float | None]:
    page = api.vector_stores.search(store, query=query, extra_headers={"x-agentkit-details": "true"})
    return {hit.filename: hit.model_dump()["agentkit"]["semantic"] for hit in page}


def upload(api: openai.OpenAI, name: str, text: str) -> str:
    return api.files.create(file=(name, text.encode()), purpose="assistants").id


def test_a_killed_worker_is_gone_on_from_and_no_passage_is_missing_or_doubled(platform: Any, tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[1])
    for embeddings in (0, 1, 2, 1):
        done = run(CHILD, str(tmp_path), tests, str(embeddings))
        assert done.returncode == -signal.SIGKILL, done.stderr
    api: openai.OpenAI = platform()
    (store,) = api.vector_stores.list().data
    ids = [file.id for file in api.vector_stores.files.list(store.id, order="asc").data]
    files = [api.vector_stores.files.poll(one, vector_store_id=store.id, poll_interval_ms=1) for one in ids]
    assert [file.status for file in files] == ["completed"] * 12
    for number, file in enumerate(files):
        text = f"file{number} " + " ".join(f"w{number}x{k}" for k in range(300))
        parts = [part.text for part in api.vector_stores.files.content(file.id, vector_store_id=store.id)]
        assert "".join(parts).replace(" ", "") == text.replace(" ", "")  # type: ignore[arg-type]
        hits = api.vector_stores.search(store.id, query=f"file{number}", max_num_results=50)
        assert [hit.filename for hit in hits].count(f"{number}.txt") >= 1


def test_a_disk_that_fills_fails_that_file_alone(tmp_path: Path) -> None:
    done = run(FULL, str(tmp_path))
    expected = ["3 1", "failed server_error", "['0.txt', '1.txt', '2.txt']", "completed"]
    assert done.stdout.splitlines() == expected, done.stderr


def test_a_worker_that_was_stopped_goes_on_with_the_next_request(platform: Any, embedder: Any) -> None:
    api: openai.OpenAI = platform()
    store = api.vector_stores.create().id
    embedder.gate.clear()
    ids = [upload(api, f"{n}.txt", f"alpha {n}") for n in range(40)]
    api.vector_stores.file_batches.create(store, file_ids=ids)
    closing = threading.Thread(target=api.close)  # waits for what is at hand
    closing.start()
    embedder.gate.set()
    closing.join()
    assert worker_threads() == []
    again: openai.OpenAI = platform()
    for file_id in ids:
        again.vector_stores.files.poll(file_id, vector_store_id=store, poll_interval_ms=1)
    assert again.vector_stores.retrieve(store).file_counts.completed == 40


def test_two_platforms_on_one_home_share_the_work(platform: Any, embedder: Any) -> None:
    one: openai.OpenAI = platform()
    two: openai.OpenAI = platform()
    store = one.vector_stores.create().id
    ids = [upload(one, f"{n}.txt", f"alpha number{n}") for n in range(30)]
    batches = [
        api.vector_stores.file_batches.create(store, file_ids=ids[start : start + 15])
        for api, start in ((one, 0), (two, 15))
    ]
    for api, batch in zip((two, one), batches, strict=True):  # each waits for the other's
        done = api.vector_stores.file_batches.poll(batch.id, vector_store_id=store, poll_interval_ms=1)
        assert done.file_counts.completed == 15
    assert sorted(embedder.embedded) == sorted(f"alpha number{n}" for n in range(30))


def test_a_program_that_ends_lets_the_worker_end_what_is_at_hand(platform: Any, tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", EXITING, str(tmp_path), str(Path(__file__).parents[1])]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        out, _ = process.communicate("go on\n", timeout=60)
    assert (process.returncode, out.split()[0], "ended" in out) == (0, "begun", True)
    api: openai.OpenAI = platform()
    (store,) = api.vector_stores.list().data
    ids = [file.id for file in api.vector_stores.files.list(store.id, limit=100)]
    files = [api.vector_stores.files.poll(one, vector_store_id=store.id, poll_interval_ms=1) for one in ids]
    assert [file.status for file in files] == ["completed"] * 40


def test_there_is_no_worker_where_nothing_is_to_be_done(platform: Any) -> None:
    api: openai.OpenAI = platform()
    api.vector_stores.create()
    api.files.create(file=b"x", purpose="assistants")
    assert worker_threads() == []


@pytest.mark.parametrize("value", ["mysql://x", "nonsense", "/some/folder"])
def test_a_setting_that_names_no_server_is_told_of_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    monkeypatch.setenv("AGENTKIT_VECTORS", f"{value}:secret@host")
    with pytest.raises(StorageError, match="it is no address of a PostgreSQL server") as caught:
        choose_storage(tmp_path)
    assert "secret" not in str(caught.value)


def test_a_wrong_setting_is_a_server_error_that_says_so(platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_VECTORS", "mysql://x")
    with pytest.raises(openai.InternalServerError, match="AGENTKIT_VECTORS begins with 'mysql://'") as caught:
        platform().vector_stores.create()
    assert caught.value.code == "storage_error"


def test_passages_whose_embedder_is_gone_are_completed_without_vectors(platform: Any, tmp_path: Path) -> None:
    api: openai.OpenAI = platform(with_embedder=False)
    store, file_id = api.vector_stores.create().id, upload(api, "a.txt", "alpha beta")
    other = EmbeddedStorage(tmp_path)  # of a process that had an embedder
    other.add_files([FileRecord(store, file_id, "a.txt", 1)])
    (file,) = other.claim(this_process())
    other.put_chunks(file, [Chunk(0, "alpha beta", 2, 0, 10)], content_hash="0", needs_vectors=True)
    other.close()
    done = api.vector_stores.files.poll(file_id, vector_store_id=store, poll_interval_ms=1)
    assert (done.status, done.usage_bytes) == ("completed", len("alpha beta"))


def test_passages_that_wait_for_the_stores_embedder_are_left_to_it(platform: Any, tmp_path: Path) -> None:
    api: openai.OpenAI = platform()
    store, late = api.vector_stores.create().id, upload(api, "b.txt", "beta")
    first = upload(api, "a.txt", "alpha")
    api.vector_stores.files.create_and_poll(first, vector_store_id=store, poll_interval_ms=1)
    api.close()
    other = EmbeddedStorage(tmp_path)  # of a process that is gone
    other.add_files([FileRecord(store, late, "b.txt", 1)])
    (file,) = other.claim(this_process())
    other.put_chunks(file, [Chunk(0, "beta", 1, 0, 4)], content_hash="0", needs_vectors=True)
    other.close()
    without: openai.OpenAI = platform(with_embedder=False)
    assert [hit.filename for hit in without.vector_stores.search(store, query="beta")] == ["b.txt"]
    ended_workers()
    assert without.vector_stores.files.retrieve(late, vector_store_id=store).status == "in_progress"
    ended_workers()
    again: openai.OpenAI = platform()
    done = again.vector_stores.files.poll(late, vector_store_id=store, poll_interval_ms=1)
    assert (done.status, done.usage_bytes) == ("completed", len("beta") + 64 * 4)


def test_files_that_were_added_without_an_embedder_get_vectors_when_there_is_one(platform: Any, embedder: Any) -> None:
    without: openai.OpenAI = platform(with_embedder=False)
    store = without.vector_stores.create().id
    for name, text in (("a.txt", "alpha beta"), ("b.txt", "gamma")):
        file_id = upload(without, name, text)
        file = without.vector_stores.files.create_and_poll(file_id, vector_store_id=store, poll_interval_ms=1)
        assert (file.status, file.usage_bytes) == ("completed", len(text))
    without.close()
    assert embedder.embedded == []
    api: openai.OpenAI = platform()
    api.vector_stores.retrieve(store)
    ended_workers()
    assert embedder.embedded == ["alpha beta", "gamma"]
    assert semantic_scores(api, store, "gamma")["b.txt"] == pytest.approx(1.0)
    assert api.vector_stores.retrieve(store).file_counts.completed == 2


def test_an_embedder_that_fails_leaves_completed_files_as_they_are_and_is_not_asked_on_and_on(
    platform: Any, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    without: openai.OpenAI = platform(with_embedder=False)
    store = without.vector_stores.create().id
    file_id = upload(without, "a.txt", "alpha")
    kept = without.vector_stores.files.create_and_poll(file_id, vector_store_id=store, poll_interval_ms=1)
    without.close()
    asked: list[Any] = []

    def failing(texts: Any) -> Any:
        asked.append(texts)
        raise RuntimeError("no vectors today")

    with monkeypatch.context() as patched:
        patched.setattr(embedder, "embed", failing)
        api: openai.OpenAI = platform()
        for name in ("b.txt", "c.txt"):
            failed = upload(api, name, name)
            api.vector_stores.files.create_and_poll(failed, vector_store_id=store, poll_interval_ms=1)
            ended_workers()
        assert asked.count(["alpha"]) == 1
        assert api.vector_stores.files.retrieve(file_id, vector_store_id=store) == kept
        assert [hit.filename for hit in api.vector_stores.search(store, query="alpha")] == ["a.txt"]
        api.close()
    again: openai.OpenAI = platform()
    again.vector_stores.search(store, query="alpha")
    ended_workers()
    assert semantic_scores(again, store, "alpha") == {"a.txt": pytest.approx(1.0)}


def test_an_embedder_that_is_not_there_fails_the_file_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTKIT_EMBEDDER", str(tmp_path / "no-such-model"))
    http_client = openai.DefaultHttpx2Client(transport=embedded_transports(home=tmp_path)[1])
    with openai.OpenAI(api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0) as api:
        store = api.vector_stores.create().id
        file = api.vector_stores.files.create_and_poll(
            upload(api, "a.txt", "alpha"), vector_store_id=store, poll_interval_ms=1
        )
        assert file.last_error is not None
        assert (file.status, file.last_error.code) == ("failed", "server_error")
        assert "no-such-model" in file.last_error.message
        with pytest.raises(openai.InternalServerError, match="no-such-model"):
            api.vector_stores.search(store, query="alpha")
        monkeypatch.setenv("AGENTKIT_EMBEDDER", "none")  # what the environment says is heeded at once
        again = api.vector_stores.files.create_and_poll(file.id, vector_store_id=store, poll_interval_ms=1)
        assert again.status == "completed"
