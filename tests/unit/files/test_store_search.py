"""Searches: what they find, how it is filtered, and how it shows itself."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from openai.types import VectorStoreSearchResponse

from agentkit.exceptions import UserError
from agentkit.files.marks import excerpt, marked_words
from agentkit.files.search import Hit, SearchResult, hit_of
from agentkit.files.store import VectorStore
from agentkit.runtime.citations import citations_in
from agentkit.tooling.file_filters import attr
from agentkit.tooling.hosted import FileSearchTool

from .conftest import Wire


@pytest.fixture
def filled(store: VectorStore) -> VectorStore:
    years = {"docs/leave.md": 2023, "docs/travel.md": 2024, "docs/office/kitchen.txt": 2025}
    store.add("docs", attributes=lambda path: {"year": years[path.as_posix()], "kind": path.suffix})
    return store


def test_hits_tell_where_they_stand(filled: VectorStore) -> None:
    (hit,) = filled.search("How many days of leave are there?", limit=1)
    assert (hit.filename, hit.name, hit.heading, hit.chunk, hit.page) == ("leave.md", "docs/leave.md", "Leave", 0, None)
    assert hit.attributes == {"year": 2023, "kind": ".md"}
    assert "thirty days of leave" in hit.text
    assert 0 <= hit.score <= 1
    assert hit.keyword_score is not None
    assert hit.semantic_score is None
    assert {hit.text[start:end] for start, end in hit.marks} == {"Leave", "days", "leave"}


@pytest.mark.parametrize(
    ("page", "last_page", "place"),
    [
        (1, 3, "handbook.pdf, pages 1–3, Leave"),
        (1, 1, "handbook.pdf, page 1, Leave"),
        (2, None, "handbook.pdf, page 2, Leave"),
        (None, None, "handbook.pdf, Leave"),
    ],
)
def test_the_place_tells_all_pages_that_a_passage_stands_on(
    page: int | None, last_page: int | None, place: str
) -> None:
    details = {"position": 0, "page": page, "last_page": last_page, "heading": "Leave"}
    told = VectorStoreSearchResponse.model_validate(
        {
            "file_id": "file-1", "filename": "handbook.pdf", "score": 0.5, "attributes": {},
            "content": [{"type": "text", "text": "Leave"}], "agentkit": details,
        }
    )  # fmt: skip
    hit = hit_of(told, "leave")
    assert (hit.place, hit.page, hit.last_page) == (place, page, last_page)
    frame = SearchResult("leave", "handbook", [hit]).to_dataframe()
    assert frame[["page", "last_page"]].astype(object).to_numpy().tolist() == [
        [pd.NA if each is None else each for each in (page, last_page)]
    ]
    call = {
        "type": "file_search_call",
        "results": [{"file_id": "file-1", "filename": "handbook.pdf", "text": "Leave", "agentkit": details}],
    }
    cited = {"type": "file_citation", "file_id": "file-1", "filename": "handbook.pdf", "index": 5}
    text = {"type": "output_text", "text": "Leave", "annotations": [cited]}
    (citation,) = citations_in([call, {"role": "assistant", "content": [text]}])
    assert (citation.place, citation.last_page) == (place, last_page)


def test_a_filter_by_an_attribute_that_no_file_has_is_told(filled: VectorStore, wire: Wire) -> None:
    said = r"has the attribute 'yaer' \(did you mean 'year'\?\), nor 'zebra', which the filters ask for"
    with pytest.warns(UserWarning, match=said) as told:
        assert not filled.search("leave", filters=(attr("yaer") == 2023) & (attr("zebra") == 1) & (attr("year") > 1))
    assert told[0].filename == __file__
    watched = VectorStore.open(filled.id, client=wire.client())
    assert not watched.search("leave", filters=attr("year") == 1)
    assert watched.search("leave", filters=attr("yaer") != 2023)
    wire.requests.clear()
    assert watched.search("leave", filters=attr("year") == 2023)
    assert [method for method, _, _ in wire.requests] == ["POST"]


async def test_async_code_is_told_of_such_a_filter_at_its_own_line(filled: VectorStore) -> None:
    with pytest.warns(UserWarning, match="'yaer'") as told:
        assert not await filled.asearch("leave", filters=attr("yaer") == 2023)
    assert told[0].filename == __file__


def test_a_platform_with_the_documented_fields_alone_is_searched_the_same(filled: VectorStore, wire: Wire) -> None:
    plain = VectorStore.open(filled.id, client=wire.client())
    (hit,) = plain.search("leave", limit=1)
    assert (hit.filename, hit.heading, hit.chunk, hit.page, hit.keyword_score) == ("leave.md", None, None, None, None)
    assert plain.chunks("leave.md")["text"].tolist() == [hit.text]
    assert plain.chunks("leave.md")["chunk"].tolist() == [0]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (attr("year") >= 2024, {"travel.md", "kitchen.txt"}),
        ((attr("year") < 2024) | (attr("kind") == ".txt"), {"leave.md", "kitchen.txt"}),
        (~(attr("kind") == ".md"), {"kitchen.txt"}),
        (attr("year").isin([2023, 2025]) & attr("kind").notin([".txt"]), {"leave.md"}),
        ({"type": "eq", "key": "year", "value": 2024}, {"travel.md"}),
    ],
)
def test_filters_choose_the_files(filled: VectorStore, filters: Any, found: set[str]) -> None:
    assert set(filled.search("days night Fridays", filters=filters).files) == found


def test_options_are_sent_as_the_api_takes_them(filled: VectorStore, wire: Wire) -> None:
    watched = VectorStore.open(filled.id, client=wire.client())
    watched.search(
        ["coffee", "kitchen"], filters=attr("year") > 2000, limit=3, score_threshold=0.2, rewrite=True, ranker="auto",
        embedding_weight=0.5, text_weight=2,
    )  # fmt: skip
    assert wire.requests[-1] == (
        "POST",
        f"/vector_stores/{filled.id}/search",
        {
            "query": ["coffee", "kitchen"],
            "filters": {"type": "gt", "key": "year", "value": 2000},
            "max_num_results": 3,
            "ranking_options": {
                "ranker": "auto",
                "score_threshold": 0.2,
                "hybrid_search": {"embedding_weight": 0.5, "text_weight": 2},
            },
            "rewrite_query": True,
        },
    )
    watched.search("coffee")
    assert wire.requests[-1][2] == {"query": "coffee", "max_num_results": 10}


@pytest.mark.parametrize(
    ("weights", "sent"),
    [
        ({"text_weight": 0.5}, {"embedding_weight": 1, "text_weight": 0.5}),
        ({"embedding_weight": 0}, {"embedding_weight": 0, "text_weight": 1}),
    ],
)
def test_a_weight_that_is_not_given_is_one_for_searches_and_the_tool(
    filled: VectorStore, wire: Wire, weights: dict[str, float], sent: dict[str, float]
) -> None:
    VectorStore.open(filled.id, client=wire.client()).search("coffee", **weights)  # type: ignore[arg-type]
    assert wire.requests[-1][2]["ranking_options"] == {"hybrid_search": sent}
    assert FileSearchTool(filled, **weights).ranking == {"hybrid_search": sent}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"query": " "}, "A search needs a text"),
        ({"query": 3}, "A search needs a text, not 3"),
        ({"query": "x" * 4097}, "4,097 characters is too long"),
        ({"query": "a", "limit": 51}, "limit can't be 51. It is 1 to 50."),
        ({"query": "a", "score_threshold": 2}, "score_threshold can't be 2. It is 0 to 1."),
        ({"query": "a", "ranker": "best"}, "no ranker 'best'"),
        ({"query": "a", "text_weight": -1}, "text_weight can't be -1"),
        ({"query": "a", "text_weight": 0, "embedding_weight": 0}, "can't rank by nothing"),
        ({"query": "a", "filters": {"type": "like"}}, "no operator 'like'"),
        ({"query": "a", "filter": 1}, "store.search has no argument 'filter'. Did you mean filters?"),
    ],
)
def test_wrong_options_are_told_by_their_names(filled: VectorStore, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        filled.search(**options)


async def test_async_code_searches_in_its_own_loop(filled: VectorStore) -> None:
    assert (await filled.asearch("coffee")).files == ["kitchen.txt"]


def test_the_result_is_a_sequence_that_shows_itself(filled: VectorStore) -> None:
    result = filled.search("coffee kitchen")
    assert isinstance(result[0], Hit)
    assert isinstance(result[:1], SearchResult)
    assert (len(result), next(iter(result)) is result[0]) == (1, True)
    assert str(result) == (
        f"1. kitchen.txt · {result[0].score:.2f}\n"
        "   The kitchen is cleaned on Fridays. Whoever takes the last coffee makes new coffee."
    )
    assert repr(result) == "SearchResult('coffee kitchen', 1 hits in 'handbook')"
    assert str(filled.search("zebra")) == "Nothing in 'handbook' answers 'zebra'."


def test_the_result_is_a_dataframe_on_request(filled: VectorStore) -> None:
    frame = filled.search("days").to_dataframe()
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "score": "Float64", "filename": "string", "name": "string", "page": "Int64", "last_page": "Int64",
        "heading": "string", "chunk": "Int64", "text": "string", "file_id": "string",
        "semantic_score": "Float64", "keyword_score": "Float64", "year": "Int64", "kind": "string",
    }  # fmt: skip
    assert frame[["filename", "name"]].to_numpy().tolist() == [["leave.md", "docs/leave.md"]]
    assert filled.search("zebra").to_dataframe().empty


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("Filters filter what is filtered.", "filter", ["Filters", "filter", "filtered"]),
        ("Ein Café in Köln", "cafe koln", ["Café", "Köln"]),
        ("The cat sat.", "the cat", ["cat"]),
        ("the the", "the", ["the", "the"]),
        ("Formation is a format, and no form.", "formation", ["Formation", "format"]),
        ("年次休暇は三十日です", "年次休暇", ["年次休暇は三十日です"[:4]]),
        ("nothing", "", []),
    ],
)
def test_words_are_marked_whatever_their_case_accents_and_endings(text: str, query: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in marked_words(text, query)] == marked


def test_an_excerpt_is_where_the_marks_are() -> None:
    text = "filler " * 100 + "the needle in the haystack " + "filler " * 100
    cut = excerpt(text, marked_words(text, "needle haystack"), 60)
    assert "needle in the haystack" in cut
    assert (cut[0], cut[-1], len(cut) <= 60) == ("…", "…", True)
    assert excerpt("short", (), 60) == "short"
