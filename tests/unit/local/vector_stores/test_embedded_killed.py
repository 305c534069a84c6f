"""Processes that are killed while they index lose nothing that was kept, and leave nothing to repair."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from killed_indexer import CHUNKS, DIMENSIONS, STORE, index_what_waits, texts_of, vector_of

from agentkit.local.vector_stores.embedded import EmbeddedStorage
from agentkit.local.vector_stores.storage import FileRecord, Page

ROUNDS = int(os.environ.get("AGENTKIT_TEST_KILLS", "4"))
"""50 in the run that the documentation tells of."""


def test_nothing_kept_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    chosen = random.Random(11)
    kept: dict[str, set[str]] = {"attached": set(), "chunks": set(), "vectors": set(), "removed": set()}
    for number in range(ROUNDS):
        for line in run_and_kill(tmp_path, number, after_lines=chosen.randrange(1, 400)):
            kind, _, what = line.partition(" ")
            kept[kind].add(what)
        check_whole(tmp_path, kept)


def run_and_kill(home: Path, number: int, *, after_lines: int) -> list[str]:
    """Let a process index, kill it after it has said so much, and return what it said."""
    program = Path(__file__).with_name("killed_indexer.py")
    command = [sys.executable, str(program), str(home), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        lines = [process.stdout.readline() for _ in range(after_lines)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    return [line.strip() for line in lines if line.endswith("\n")]


def check_whole(home: Path, kept: dict[str, set[str]]) -> None:
    storage = EmbeddedStorage(home)
    files = {file.file_id: file for file in storage.list_files(STORE, Page(limit=10**6))}
    # a removal or an attachment may have been kept without the process living to say so
    assert kept["attached"] - kept["removed"] - set(files) <= unsaid_removals(kept, files)
    assert kept["removed"].isdisjoint(files)
    assert all(files[name].chunks == CHUNKS for name in kept["chunks"] & set(files))
    while index_what_waits(storage):
        pass
    files = {file.file_id: file for file in storage.list_files(STORE, Page(limit=10**6))}
    assert {(file.status, file.chunks, file.embedded) for file in files.values()} == {("completed", CHUNKS, CHUNKS)}
    check_searches(storage, files)
    storage.close()


def unsaid_removals(kept: dict[str, set[str]], files: dict[str, FileRecord]) -> set[str]:
    """Return the one file a round that may have been removed just before the kill."""
    missing = kept["attached"] - kept["removed"] - set(files)
    rounds = Counter(name.split("-")[1] for name in missing)
    return {name for name in missing if rounds[name.split("-")[1]] == 1 and name.endswith("-0")}


def check_searches(storage: EmbeddedStorage, files: dict[str, FileRecord]) -> None:
    everything = CHUNKS * len(files)
    words = storage.match_words(STORE, "passage", filters=None, limit=10**6)
    near = storage.match_vector(STORE, vector_of("passage")[0], filters=None, limit=10**6)
    for matches in (words, near):
        found = storage.read_chunks([match.key for match in matches[:30_000]])
        assert len(matches) == len({match.key for match in matches}) == everything
        assert Counter(file.file_id for file, _ in found.values()) == dict.fromkeys(files, CHUNKS)
    for name in random.Random(len(files)).sample(sorted(files), 3):
        text = texts_of(name)[3]
        (match,) = storage.match_words(STORE, text.split()[1], filters=None, limit=9)
        assert storage.read_chunks([match.key])[match.key][1].text == text
        vector = vector_of(text)[1]
        assert vector.shape == (DIMENSIONS,)
        best = storage.match_vector(STORE, vector, filters=None, limit=1)[0]
        assert np.isclose(best.score, 1.0, atol=1e-5)
