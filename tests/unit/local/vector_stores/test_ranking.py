"""Rankings by words and by meaning become one, with scores from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from agentkit.local.vector_stores import ranking
from agentkit.local.vector_stores.filters import Comparison, Filter
from agentkit.local.vector_stores.passages import Chunk, Found, Match
from agentkit.local.vector_stores.ranking import Weights
from agentkit.local.vector_stores.storage import FileRecord, StorageError, StoreRecord


class Ranked:
    """A storage that answers with rankings made before; chunk 10 is the first of file 1, and so on."""

    def __init__(self, words: dict[str, list[Match]], near: list[Match], *, gone: frozenset[int] = frozenset()) -> None:
        self.words = words
        self.near = near
        self.gone = gone
        self.embedder: str | None = None
        self.asked: list[tuple[object, ...]] = []

    def get_store(self, store_id: str) -> StoreRecord:
        return StoreRecord(store_id, "x", 1, 1, embedder=self.embedder)

    def match_words(self, store_id: str, query: str, *, filters: Filter | None, limit: int) -> list[Match]:
        self.asked.append((store_id, query, filters, limit))
        return self.words.get(query, [])[:limit]

    def match_vector(self, store_id: str, vector: np.ndarray, *, filters: Filter | None, limit: int) -> list[Match]:
        self.asked.append((store_id, vector.tolist(), filters, limit))
        return self.near[:limit]

    def read_chunks(self, keys: Sequence[int]) -> dict[int, tuple[FileRecord, Chunk]]:
        return {
            key: (
                FileRecord("vs_1", f"file-{key // 10}", f"{'cba'[key // 10]}.txt", 1, attributes={"n": key}),
                Chunk(key % 10, f"text {key}", 2, 0, 7),
            )
            for key in keys
            if key not in self.gone
        }


class Fixed:
    """An embedder that knows one vector."""

    name, dimensions = "fixed", 2

    def windows(self, text: str) -> list[str]:
        return [text]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        raise NotImplementedError

    def embed_query(self, text: str) -> np.ndarray:
        return np.array([len(text), 0], dtype=np.float32)


def matches(*keys: int, best: float = 0.9) -> list[Match]:
    return [Match(key, best - n / 10) for n, key in enumerate(keys)]


def search(storage: Ranked, *queries: str, embedder: Fixed | None = None, **options: object) -> list[Found]:
    return ranking.search(storage, embedder, "vs_1", queries, **options)  # type: ignore[arg-type]  # a fake


def keys(found: list[Found]) -> list[object]:
    return [hit.attributes["n"] for hit in found]


def test_a_score_is_the_weighted_mean_of_both_rankings() -> None:
    (hit,) = search(Ranked({"q": matches(11, best=0.4)}, matches(11)), "q", embedder=Fixed())
    score = 0.7 * 0.9 + 0.3 * 0.4
    expected = Found("file-1", "b.txt", {"n": 11}, Chunk(1, "text 11", 2, 0, 7), score, semantic=0.9, keyword=0.4)
    assert replace(hit, score=pytest.approx(hit.score)) == expected


def test_what_stands_in_one_ranking_only_gets_nothing_from_one_that_has_all_there_are() -> None:
    found = search(Ranked({"q": matches(11, 12, best=0.5)}, matches(12, 13)), "q", embedder=Fixed())
    assert keys(found) == [12, 13, 11]
    assert [hit.score for hit in found] == pytest.approx([0.7 * 0.9 + 0.3 * 0.4, 0.7 * 0.8, 0.3 * 0.5])
    assert [(hit.semantic, hit.keyword) for hit in found] == [(0.9, 0.4), (0.8, None), (None, 0.5)]


def test_what_a_full_ranking_had_no_room_for_gets_the_score_of_its_last() -> None:
    near = [Match(100 + n, 0.8 - n / 1_000) for n in range(100)]
    storage = Ranked({"q": [Match(11, 0.5)]}, near)
    storage.read_chunks = lambda keys: {  # type: ignore[method-assign]
        key: (FileRecord("vs_1", f"file-{key}", "a.txt", 1, attributes={"n": key}), Chunk(0, "", 1, 0, 0))
        for key in keys
    }
    found = {hit.attributes["n"]: hit.score for hit in search(storage, "q", embedder=Fixed(), limit=25)}
    assert found[100] == pytest.approx(0.7 * 0.8)
    storage = Ranked({"q": [Match(11, 0.5)]}, [Match(12, 0.3)] * 100)
    (first, *_) = search(storage, "q", embedder=Fixed())
    assert (first.attributes["n"], first.score) == (11, pytest.approx(0.7 * 0.3 + 0.3 * 0.5))


def test_what_is_unlike_the_question_gets_nothing_for_it() -> None:
    found = search(Ranked({"q": matches(11)}, [Match(12, 0.5), Match(11, -0.2)]), "q", embedder=Fixed())
    assert [(hit.attributes["n"], hit.score) for hit in found] == [(12, pytest.approx(0.35)), (11, pytest.approx(0.27))]
    found = search(Ranked({"q": matches(11)}, [Match(12, -0.1)]), "q", embedder=Fixed())
    assert [(hit.attributes["n"], hit.score) for hit in found] == [(11, pytest.approx(0.27)), (12, 0.0)]


def test_words_that_only_make_a_question_are_not_looked_for_but_meant() -> None:
    storage = Ranked({}, [])
    search(storage, "how do I sort?", embedder=Fixed())
    assert [asked[1] for asked in storage.asked] == [[14.0, 0.0], "   sort?"]


def test_weights_shift_the_score() -> None:
    storage = Ranked({"q": matches(11)}, matches(12))
    found = search(storage, "q", embedder=Fixed(), weights=Weights(embedding=3, text=1))
    assert [(hit.attributes["n"], hit.score) for hit in found] == [
        (12, pytest.approx(0.675)),
        (11, pytest.approx(0.225)),
    ]


@pytest.mark.parametrize(
    ("weights", "embedder", "expected"),
    [
        (Weights(1, 0), Fixed(), [12]),
        (Weights(0, 1), Fixed(), [11]),
        (Weights(1, 1), None, [11]),
        (Weights(1, 0), None, [11]),
        (Weights(0, 0), Fixed(), [11]),
    ],
)
def test_a_ranking_without_weight_is_not_made(weights: Weights, embedder: Fixed | None, expected: list[int]) -> None:
    storage = Ranked({"q": matches(11)}, matches(12))
    found = search(storage, "q", embedder=embedder, weights=weights)
    assert (keys(found), [hit.score for hit in found]) == (expected, [pytest.approx(0.9)])
    assert len(storage.asked) == 1


def test_a_threshold_keeps_what_reaches_it() -> None:
    storage = Ranked({"q": [Match(11, 0.8), Match(12, 0.8)]}, matches(12))  # 0.24 and 0.87
    assert keys(search(storage, "q", embedder=Fixed(), score_threshold=0.24)) == [12, 11]
    assert keys(search(storage, "q", embedder=Fixed(), score_threshold=0.25)) == [12]
    assert keys(search(storage, "q", embedder=Fixed(), score_threshold=0.87)) == [12]
    assert keys(search(storage, "q", embedder=Fixed(), score_threshold=1.0)) == []


def test_equals_are_ordered_by_file_name_and_position_even_at_the_limit() -> None:
    same = Weights(1, 1)
    storage = Ranked({"q": matches(12)}, matches(21))  # files 1 and 2 are called b.txt and a.txt
    assert keys(search(storage, "q", embedder=Fixed(), weights=same)) == [21, 12]
    assert keys(search(storage, "q", embedder=Fixed(), weights=same, limit=1)) == [21]
    storage = Ranked({"q": matches(12)}, matches(11))
    assert keys(search(storage, "q", embedder=Fixed(), weights=same, limit=1)) == [11]


def test_several_queries_are_fused() -> None:
    found = search(Ranked({"a": matches(11, 12), "b": matches(12)}, []), "a", "b")
    assert keys(found) == [12, 11]
    assert found[0].score == pytest.approx((0.8 + 0.9) / 2)
    assert found[0].keyword == 0.9


def test_forty_candidates_or_four_a_hit_are_asked_for() -> None:
    storage = Ranked({}, [])
    wanted = Comparison("eq", "n", 1)
    assert search(storage, "abc", embedder=Fixed(), filters=wanted, limit=3) == []
    assert search(storage, "abc", limit=50) == []
    assert storage.asked == [
        ("vs_1", [3.0, 0.0], wanted, 40),
        ("vs_1", "abc", wanted, 40),
        ("vs_1", "abc", None, 200),
    ]


def test_what_was_removed_meanwhile_is_left_out() -> None:
    storage = Ranked({"q": matches(11, 12, 13)}, [], gone=frozenset([12]))
    assert keys(search(storage, "q")) == [11, 13]


def test_vectors_of_another_embedder_are_not_compared() -> None:
    storage = Ranked({"q": matches(11)}, matches(12))
    storage.embedder = "another"
    with pytest.raises(StorageError, match=r"vs_1.*'another'.*'fixed'.*AGENTKIT_EMBEDDER"):
        search(storage, "q", embedder=Fixed())
    assert keys(search(storage, "q")) == keys(search(storage, "q", embedder=Fixed(), weights=Weights(0, 1))) == [11]
    storage.embedder = "fixed"
    assert len(search(storage, "q", embedder=Fixed())) == 2


def test_no_query_finds_nothing() -> None:
    assert search(Ranked({}, matches(11)), embedder=Fixed()) == []


def test_a_query_that_another_store_was_asked_gets_no_second_vector() -> None:
    class Counting(Fixed):
        made: list[str] = []  # noqa: RUF012  (of one test)

        def embed_query(self, text: str) -> np.ndarray:
            self.made.append(text)
            return super().embed_query(text)

    storage, vectors = Ranked({}, matches(10, best=0.8)), dict[str, np.ndarray]()
    first = search(storage, "a", "bc", embedder=Counting(), vectors=vectors)
    assert search(storage, "bc", "a", embedder=Counting(), vectors=vectors) == first
    assert Counting.made == ["a", "bc"]
    assert [query for _, query, _, _ in storage.asked if isinstance(query, list)] == [[1, 0], [2, 0], [2, 0], [1, 0]]
