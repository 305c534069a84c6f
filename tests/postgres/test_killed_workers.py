"""Processes that index in one database, all at once, and are killed: nothing kept is lost, nothing is there twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "unit" / "local" / "vector_stores"))

from killed_indexer import CHUNKS, STORE, index_what_waits, texts_of, vector_of

from agentkit.local.vector_stores.postgres import PostgresStorage
from agentkit.local.vector_stores.storage import Page, StoreRecord

ROUNDS = 3
PROCESSES = 2


def test_nothing_is_lost_when_indexing_processes_are_killed(dsn: str) -> None:
    storage = PostgresStorage(dsn)
    storage.create_store(StoreRecord(STORE, "killed", 1, 1))
    chosen = random.Random(4)
    kept: dict[str, set[str]] = {"attached": set(), "chunks": set(), "vectors": set()}
    for number in range(ROUNDS):
        for line in run_and_kill(dsn, number, after_lines=chosen.randrange(20, 150)):
            kind, _, what = line.partition(" ")
            kept[kind].add(what)
    files = {file.file_id: file for file in storage.list_files(STORE, Page(limit=10**6))}
    assert kept["attached"] <= set(files)
    assert all(files[name].chunks == CHUNKS for name in kept["chunks"])
    while index_what_waits(storage):  # what the dead had claimed is free at once: they were this machine's
        pass
    files = {file.file_id: file for file in storage.list_files(STORE, Page(limit=10**6))}
    assert {(file.status, file.chunks, file.embedded) for file in files.values()} == {("completed", CHUNKS, CHUNKS)}
    words = storage.match_words(STORE, "passage", filters=None, limit=10**6)
    near = storage.match_vector(STORE, vector_of("passage")[0], filters=None, limit=10**6)
    for matches in (words, near):
        found = storage.read_chunks([match.key for match in matches])
        assert len(matches) == len({match.key for match in matches}) == CHUNKS * len(files)
        assert Counter(file.file_id for file, _ in found.values()) == dict.fromkeys(files, CHUNKS)
    for name in chosen.sample(sorted(files), 3):
        text = texts_of(name)[3]
        (match,) = storage.match_words(STORE, text.split()[1], filters=None, limit=9)
        assert storage.read_chunks([match.key])[match.key][1].text == text
        best = storage.match_vector(STORE, vector_of(text)[1], filters=None, limit=1)[0]
        assert np.isclose(best.score, 1.0, atol=1e-5)
    storage.close()


def run_and_kill(dsn: str, number: int, *, after_lines: int) -> list[str]:
    """Let processes index at once, kill them after one has said so much, and return what they said."""
    program = str(Path(__file__).with_name("killed_worker.py"))
    lines: list[str] = []
    started = [
        subprocess.Popen([sys.executable, program, dsn, f"{number}x{n}"], stdout=subprocess.PIPE, text=True)
        for n in range(PROCESSES)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        assert started[0].stdout is not None
        lines += [started[0].stdout.readline() for _ in range(after_lines)]
    finally:
        for process in started:
            process.send_signal(signal.SIGKILL)
        for process in started:
            assert process.stdout is not None
            lines += process.stdout.readlines()
            process.stdout.close()
            process.wait()
    return [line.strip() for line in lines if line.endswith("\n")]
