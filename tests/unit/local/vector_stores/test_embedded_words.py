"""Which words the embedded engine finds a text by, and that a filter changes nothing but what is let through."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from agentkit._process import this_process
from agentkit.local.vector_stores.embedded import EmbeddedStorage
from agentkit.local.vector_stores.embedded.terms import analyzer, prepared
from agentkit.local.vector_stores.filters import Comparison
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import FileRecord, StoreRecord

STORE = "vs_1"
FILES, CHUNKS = 60, 20


def terms_of(text: str, *, as_query: bool = False) -> set[str]:
    return set(analyzer().analyze(prepared(text, as_query=as_query)))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Running the connections", {"run", "the", "connect"}),
        ("getUserName", {"getusernam", "get", "user", "name"}),
        ("get_user_name", {"get", "user", "name", "getusernam"}),
        ("HTTPServer2Start", {"httpserver2start", "http", "server", "2", "start"}),
        ("MAX_SIZE __init__", {"max", "size", "maxsiz", "init"}),
        ("plain Words ONLY", {"plain", "word", "onli"}),
        ("Größe straße naïve Œuvre", {"gross", "strass", "naiv", "oeuvr"}),
        ("ﬁle ｗｉｄｅ co\u00adop", {"file", "wide", "coop"}),
        ("東京 x", {"東", "京", "東京", "x"}),
        ("한국어", {"한", "국", "어", "한국", "국어"}),
        ("x" * 200, set()),
        ("!?\0\ud800", set()),
    ],
)
def test_a_text_is_found_by_these_terms(text: str, terms: set[str]) -> None:
    assert terms_of(text) == terms


def test_a_question_looks_for_pairs_and_for_a_letter_that_stands_alone() -> None:
    assert terms_of("東京都 京", as_query=True) == {"東京", "京都", "京"}


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStorage]:
    storage = EmbeddedStorage(tmp_path_factory.mktemp("words"))
    storage.create_store(StoreRecord(STORE, "x", 1, 1))
    random = np.random.default_rng(4)
    storage.add_files([FileRecord(STORE, f"file-{n:02}", "f", n, attributes={"n": n}) for n in range(FILES)])
    for file in storage.claim(this_process(), limit=FILES):
        texts = [" ".join(f"w{word}" for word in random.zipf(1.3, size=30) if word < 500) for _ in range(CHUNKS)]
        chunks = [Chunk(n, text, 30, 0, len(text)) for n, text in enumerate(texts)]
        storage.put_chunks(file, chunks, content_hash="", needs_vectors=False)
    yield storage
    storage.close()


@pytest.mark.parametrize("files", [0, 1, 3, 8, 9, 10, 30, 59, 60])
@pytest.mark.parametrize("query", ["w1 w2 w3", "w40 w77", "w1", "w499 w498 w2"])
def test_a_filter_takes_from_the_whole_ranking(storage: EmbeddedStorage, files: int, query: str) -> None:
    everything = storage.match_words(STORE, query, filters=None, limit=FILES * CHUNKS)
    owners = storage.read_chunks([match.key for match in everything])
    expected = [match for match in everything if owners[match.key][0].attributes["n"] < files]
    for limit in (1, 7, 40, 2000):
        found = storage.match_words(STORE, query, filters=Comparison("lt", "n", files), limit=limit)
        assert [(one.key, round(one.score, 4)) for one in found] == [
            (one.key, round(one.score, 4)) for one in expected[:limit]
        ]
