"""Files and processes: nothing half-made is listed, nothing acknowledged is lost, nothing stays lying about."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import openai

from agentkit.local.files.store import FileStore
from agentkit.local.files.uploads import UploadStore

CHILD = """
import os, signal, sys
from pathlib import Path
from agentkit.local.files.store import FileStore
from agentkit.local.files.uploads import UploadStore

store = FileStore(Path(sys.argv[1]))
kept = store.add("kept.txt", b"kept", purpose="user_data")
deleted = store.add("deleted.txt", b"deleted", purpose="user_data")
uploads = UploadStore(store)
upload = uploads.create(size_bytes=6, filename="u", mime_type="text/plain", purpose="user_data", keep_s=None)
with uploads.incoming_part(limit_bytes=10) as incoming:
    incoming.write(b"abc")
    part = uploads.keep_part(upload, incoming)
print(kept.id, upload.id, part.id, flush=True)
with store.incoming("file-half", limit_bytes=10) as incoming:
    incoming.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""

FULL = """
import resource, signal, sys
from pathlib import Path
import openai
from agentkit.local import embedded_transports

transport = embedded_transports(home=Path(sys.argv[1]), embedder=lambda: None)[1]
http_client = openai.DefaultHttpx2Client(transport=transport)
api = openai.OpenAI(api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0)
small = api.files.create(file=("small.txt", b"small"), purpose="user_data")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
try:
    api.files.create(file=("large.txt", bytes(3_000_000)), purpose="user_data")
except openai.InternalServerError as error:
    print(error.code, "can't be used" in error.message, "Make room there" in error.message)
print([file.id == small.id for file in api.files.list()], api.files.content(small.id).read())
print(len(list((Path(sys.argv[1]) / "files" / "data").iterdir())))
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)


def names(home: Path) -> set[str]:
    return {path.name for path in (home / "files" / "data").iterdir()}


def test_what_a_killed_process_was_writing_is_not_listed_and_swept(tmp_path: Path) -> None:
    done = run(CHILD, str(tmp_path))
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept, upload_id, part = done.stdout.split()
    assert "file-half" in names(tmp_path)
    store = FileStore(tmp_path)
    page = store.page(limit=10, after=None, ascending=True, purpose=None)
    assert [entry.filename for entry in page] == ["kept.txt", "deleted.txt"]
    store.sweep()
    assert names(tmp_path) == {kept, part, page[1].id}
    assert store.read(page[0]) == b"kept"
    uploads = UploadStore(store)
    with uploads.incoming_part(limit_bytes=10) as incoming:
        incoming.write(b"def")
        second = uploads.keep_part(uploads.pending(upload_id), incoming)
    _, entry = uploads.complete(uploads.pending(upload_id), [part, second.id], md5=None)
    assert store.read(entry) == b"abcdef"
    store.close()


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    writing, other = FileStore(tmp_path), FileStore(tmp_path)
    with writing.incoming("file-growing", limit_bytes=10) as incoming:
        incoming.write(b"abc")
        other.sweep()
        incoming.write(b"def")
        entry = writing.keep(incoming, filename="a", purpose="user_data", keep_s=None)
    assert other.read(entry) == b"abcdef"
    writing.close()
    other.close()


def test_bytes_that_nobody_knows_are_swept(tmp_path: Path) -> None:
    first = FileStore(tmp_path)
    entry = first.add("a.txt", b"a", purpose="user_data")
    first.close()
    first.path_of("file-stray").write_bytes(b"?")
    second = FileStore(tmp_path)
    second.sweep()
    assert names(tmp_path) == {entry.id}
    second.close()


def test_a_full_disk_fails_that_file_alone(tmp_path: Path) -> None:
    done = run(FULL, str(tmp_path))
    assert done.stdout.splitlines() == ["storage_error True True", "[True] b'small'", "1"], done.stderr


def test_many_threads_and_two_stores_lose_nothing(tmp_path: Path) -> None:
    stores = [FileStore(tmp_path), FileStore(tmp_path)]
    made: list[str] = []

    def add(number: int) -> None:
        for turn in range(10):
            made.append(stores[number % 2].add(f"{number}-{turn}", f"{number}-{turn}".encode(), purpose="user_data").id)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = stores[0].page(limit=100, after=None, ascending=True, purpose=None)
    assert sorted(entry.id for entry in page) == sorted(made)
    assert all(stores[1].read(entry).decode() == entry.filename for entry in page)
    assert len(page) == 40
    for store in stores:
        store.close()


def test_two_who_complete_one_upload_make_one_file(platform: Any, tmp_path: Path) -> None:
    api: openai.OpenAI = platform()
    upload = api.uploads.create(bytes=3, filename="u", mime_type="text/plain", purpose="user_data")
    part = api.uploads.parts.create(upload.id, data=b"abc")
    outcomes: list[str] = []

    def complete() -> None:
        try:
            outcomes.append(api.uploads.complete(upload.id, part_ids=[part.id]).status)
        except openai.APIStatusError as error:
            outcomes.append(str(error.status_code))

    threads = [threading.Thread(target=complete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes).count("completed") == 1
    assert len(api.files.list().data) == 1
    assert len(names(tmp_path)) == 1
