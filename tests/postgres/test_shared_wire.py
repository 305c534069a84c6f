"""Two machines, each with its home folder, and one PostgreSQL: driven by the plain client over the platform's wire."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

from agentkit.local import embedded_transports
from agentkit.local.vector_stores.filters import Comparison
from agentkit.local.vector_stores.postgres import PostgresStorage
from agentkit.local.vector_stores.ranking import Weights, search


class Letters:
    """Makes vectors of the beginnings of words: "holidays" is near "holiday", which words alone need no stem for."""

    name = "letters"
    dimensions = 96

    def windows(self, text: str) -> list[str]:
        words = text.split()
        return [" ".join(words[start : start + 6]) for start in range(0, len(words), 6)] or [""]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        vector = np.full(self.dimensions, 1e-3, dtype=np.float32)
        for word in re.findall(r"[a-z]+", text.lower()):
            vector[zlib.crc32(word[:4].encode()) % self.dimensions] += 1
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


Machine = Callable[[str], openai.OpenAI]


@pytest.fixture
def machine(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setenv("AGENTKIT_VECTORS", dsn)
    clients: list[openai.OpenAI] = []

    def make(name: str) -> openai.OpenAI:
        _, transport = embedded_transports(home=tmp_path / name, embedder=Letters)
        http_client = openai.DefaultHttpx2Client(transport=transport)
        clients.append(openai.OpenAI(http_client=http_client, base_url="http://agentkit.local/v1", api_key="x"))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def add(api: openai.OpenAI, store_id: str, name: str, text: str, **attributes: Any) -> str:
    file = api.files.create(file=(name, text.encode()), purpose="assistants")
    done = api.vector_stores.files.create_and_poll(
        file.id, vector_store_id=store_id, attributes=attributes, poll_interval_ms=1
    )
    assert (done.status, done.last_error) == ("completed", None)
    return file.id


def test_what_one_machine_adds_the_other_finds_filters_and_cites(machine: Machine, dsn: str) -> None:
    here, there = machine("here"), machine("there")
    store = here.vector_stores.create(name="handbook", metadata={"team": "ours"})
    leave = add(here, store.id, "leave.md", "Everyone has 30 days of holiday a year.", year=2024)
    pay = add(there, store.id, "pay.md", "Salaries are paid on the 25th of each month.", year=2022)
    assert [one.id for one in there.vector_stores.list()] == [store.id]
    assert there.vector_stores.retrieve(store.id).file_counts.completed == 2

    hits = list(there.vector_stores.search(store.id, query="how many holidays"))
    assert (hits[0].file_id, hits[0].filename, hits[0].attributes) == (leave, "leave.md", {"year": 2024})
    only = {"type": "lt", "key": "year", "value": 2023}
    assert [hit.file_id for hit in here.vector_stores.search(store.id, query="holidays paid", filters=only)] == [pay]

    tool: Any = {"type": "file_search", "vector_store_ids": [store.id]}
    answer = there.responses.create(model="rehearsal-1", input="How many days of holiday are there?", tools=[tool])
    (part,) = answer.output[-1].content  # type: ignore[union-attr]
    assert "30 days of holiday" in part.text  # type: ignore[union-attr]
    assert {note.filename for note in part.annotations} == {"leave.md"}  # type: ignore[union-attr]
    content = there.vector_stores.files.content(leave, vector_store_id=store.id)
    assert [one.text for one in content] == ["Everyone has 30 days of holiday a year."]

    storage = PostgresStorage(dsn)
    only_2022 = Comparison("lte", "year", 2022)
    found = search(storage, Letters(), store.id, ["holidays"], limit=5)
    assert [(one.filename, one.keyword is not None) for one in found] == [("leave.md", True), ("pay.md", False)]
    assert 1 > found[0].score > found[1].score > 0
    assert [one.filename for one in search(storage, Letters(), store.id, ["salary"], filters=only_2022)] == ["pay.md"]
    words = search(storage, Letters(), store.id, ["month holiday"], weights=Weights(0, 1))
    assert all(one.semantic is None for one in words)
    storage.close()


def test_a_file_of_another_machine_is_refused_or_indexed_there(machine: Machine) -> None:
    here, there = machine("here"), machine("there")
    first, second = here.vector_stores.create(name="a"), here.vector_stores.create(name="b")
    file_id = add(here, first.id, "leave.md", "Everyone has 30 days of holiday a year.")
    with pytest.raises(openai.NotFoundError, match=f"No such File object: {file_id}"):
        there.vector_stores.files.create(second.id, file_id=file_id)
    batch = there.vector_stores.file_batches.create(second.id, file_ids=[file_id])
    assert there.vector_stores.file_batches.retrieve(batch.id, vector_store_id=second.id).status == "in_progress"
    polled = here.vector_stores.files.poll(file_id, vector_store_id=second.id, poll_interval_ms=1)
    assert polled.status == "completed"
    assert [hit.filename for hit in there.vector_stores.search(second.id, query="holiday")] == ["leave.md"]
    unknown = there.vector_stores.file_batches.create_and_poll(second.id, file_ids=["file-none"], poll_interval_ms=1)
    assert unknown.status == "failed"
    (failed,) = list(there.vector_stores.file_batches.list_files(unknown.id, vector_store_id=second.id))
    assert failed.last_error is not None
    assert "never uploaded here" in failed.last_error.message


def test_a_server_that_is_not_there_answers_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_VECTORS", "postgresql://me:s3cret-word@/db?host=/nowhere")
    _, transport = embedded_transports(home=tmp_path, embedder=lambda: None)
    http_client = openai.DefaultHttpx2Client(transport=transport)
    with openai.OpenAI(http_client=http_client, base_url="http://agentkit.local/v1", api_key="x", max_retries=0) as api:
        with pytest.raises(openai.InternalServerError, match="PostgreSQL at /nowhere:5432") as caught:
            api.vector_stores.list()
        assert "s3cret-word" not in str(caught.value)
        assert "mend AGENTKIT_VECTORS" in str(caught.value)
