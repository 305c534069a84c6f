"""Agents that are given stores, the tool that becomes of them, and what answers rest on."""

from __future__ import annotations

from typing import Any

import pytest

from agentkit import Agent, FileSearchTool, Runner, function_tool
from agentkit.exceptions import ModelStatusError, UserError
from agentkit.files.store import VectorStore
from agentkit.runtime.citations import Citation, citations_in
from agentkit.tooling.file_filters import attr

from .conftest import Wire


@function_tool
def look() -> str:
    """Look around."""
    return "nothing"


def test_stores_among_the_tools_become_one_tool_that_searches(store: VectorStore) -> None:
    other = VectorStore.create("other")
    agent = Agent(name="clerk", tools=[look, store, other])
    assert agent.tools == [look, FileSearchTool([store.id, other.id], include_search_results=True)]
    assert "file_search" in repr(agent)


async def test_a_store_that_is_added_later_is_searched_too(store: VectorStore) -> None:
    await store.aadd("docs")
    agent = Agent(name="clerk")
    agent.tools.append(store)
    result = await Runner.run(agent, "How many days of leave are there each year?")
    assert [citation.filename for citation in result.citations] == ["leave.md"]


def test_an_answer_tells_what_it_rests_on(store: VectorStore) -> None:
    store.add("docs", attributes={"year": 2026})
    result = Runner.run_sync(Agent(name="clerk", tools=[store]), "How many days of leave are there each year?")
    citation = result.citations[0]
    assert (citation.number, citation.kind, citation.filename, citation.heading, citation.chunk) == (
        1, "file", "leave.md", "Leave", 0,
    )  # fmt: skip
    assert "thirty days of leave" in (citation.quote or "")
    assert citation.attributes == {"year": 2026}
    assert citation.place == "leave.md, Leave"
    assert store.file(citation).filename == "leave.md"
    assert "thirty days" in result.final_output


def test_an_agent_whose_store_is_gone_says_so(store: VectorStore) -> None:
    store.add("docs")
    agent = Agent(name="clerk", tools=[store])
    store.delete()
    with pytest.raises(
        ModelStatusError, match=r"404: .*It was deleted, or has expired. Give the agent a store"
    ) as told:
        Runner.run_sync(agent, "How many days of leave are there each year?")
    assert "model's name" not in str(told.value)


def test_the_conversation_goes_on_with_what_was_found(store: VectorStore) -> None:
    store.add("docs")
    agent = Agent(name="clerk", tools=[store])
    first = Runner.run_sync(agent, "How many days of leave are there each year?")
    second = Runner.run_sync(agent, [*first.to_input_list(), {"role": "user", "content": "Who makes new coffee?"}])
    assert {citation.filename for citation in second.citations} == {"kitchen.txt"}


def test_the_tool_takes_stores_filters_as_python_and_options_by_name(store: VectorStore) -> None:
    tool = FileSearchTool(
        [store, "vs_2"], filters=attr("year") >= 2024, max_num_results=5, score_threshold=0.3, text_weight=2,
        ranking_options={"ranker": "auto", "score_threshold": 0.1},
    )  # fmt: skip
    assert tool.vector_store_ids == [store.id, "vs_2"]
    assert tool.filters == {"type": "gte", "key": "year", "value": 2024}
    assert tool.ranking == {
        "ranker": "auto", "score_threshold": 0.3, "hybrid_search": {"embedding_weight": 1.0, "text_weight": 2},
    }  # fmt: skip
    assert FileSearchTool(store) == FileSearchTool([store.id])
    assert FileSearchTool(["vs_1"]).ranking is None


def test_the_tools_options_count(store: VectorStore) -> None:
    store.add("docs", attributes=lambda path: {"kind": path.suffix})
    agent = Agent(
        name="clerk", tools=[FileSearchTool(store, filters=attr("kind") == ".txt", include_search_results=True)]
    )
    result = Runner.run_sync(agent, "How many days of leave are there each year?")
    (call,) = [item.raw for item in result.new_items if item.raw["type"] == "file_search_call"]
    assert {each["filename"] for each in call["results"]} <= {"kitchen.txt"}


async def test_filters_that_are_set_later_are_written_as_the_api_has_them(store: VectorStore, wire: Wire) -> None:
    from agentkit.models.hosted_tools import hosted_tool_json

    tool = FileSearchTool(["vs_1"])
    tool.filters = attr("year") >= 2024
    tool.vector_store_ids = [store]
    assert hosted_tool_json(tool, "m") == {
        "type": "file_search",
        "vector_store_ids": [store.id],
        "filters": {"type": "gte", "key": "year", "value": 2024},
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"vector_store_ids": [3]}, "FileSearchTool can't search int 3. Pass ids of vector stores"),
        ({"max_num_results": 51}, "max_num_results can't be 51. It is 1 to 50."),
        ({"score_threshold": 1.5}, "score_threshold can't be 1.5. It is 0 to 1."),
        ({"text_weight": -1}, "text_weight can't be -1"),
        ({"text_weight": 0, "embedding_weight": 0}, "can't rank by nothing"),
        ({"filters": {"type": "like", "key": "a", "value": 1}}, "FileSearchTool's filters has no operator 'like'"),
    ],
)
def test_wrong_options_of_the_tool_are_told(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        FileSearchTool(**({"vector_store_ids": ["vs_1"]} | options))


def message(text: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": list(annotations)}],
    }


def cited(file_id: str, index: int) -> dict[str, Any]:
    return {"type": "file_citation", "file_id": file_id, "filename": f"{file_id}.pdf", "index": index}


def test_openais_citations_without_results_are_numbered_by_file() -> None:
    text = "Leave is thirty days. Coffee is free. Ask again."
    made = citations_in([message(text, cited("b", 37), cited("a", 21), cited("a", 48))])
    assert made == [
        Citation(1, "file", "a", "a.pdf", said="Leave is thirty days.", index=21),
        Citation(2, "file", "b", "b.pdf", said="Coffee is free.", index=37),
        Citation(1, "file", "a", "a.pdf", said="Ask again.", index=48),
    ]


def test_with_results_a_citation_has_the_passage_that_says_it() -> None:
    results = [
        {"file_id": "a", "filename": "a.pdf", "text": "Coffee is free for all.", "score": 0.9, "attributes": {}},
        {"file_id": "a", "filename": "a.pdf", "text": "Leave is thirty days.", "score": 0.5, "attributes": {"y": 1}},
    ]
    call = {"type": "file_search_call", "id": "fs_1", "queries": ["q"], "status": "completed", "results": results}
    text = "You have thirty days of leave. And coffee is free."
    made = citations_in([call, message(text, cited("a", 30), cited("a", 50))])
    assert [(each.number, each.quote, each.score, each.attributes) for each in made] == [
        (1, "Leave is thirty days.", 0.5, {"y": 1}), (2, "Coffee is free for all.", 0.9, {}),
    ]  # fmt: skip
    assert str(made[0]) == "[1] a.pdf: 'Leave is thirty days.'"


def test_pages_of_the_web_and_files_of_tools_are_cited_too() -> None:
    url = {"type": "url_citation", "url": "https://who.int", "title": "WHO", "start_index": 0, "end_index": 5}
    made_file = {
        "type": "container_file_citation", "container_id": "cntr_1", "file_id": "cfile_1", "filename": "plot.png",
        "start_index": 6, "end_index": 9,
    }  # fmt: skip
    made = citations_in([message("Wash. See.", url, made_file)])
    assert [(each.number, each.kind, each.filename, each.url, each.file_id) for each in made] == [
        (1, "url", "WHO", "https://who.int", None), (2, "container_file", "plot.png", None, "cfile_1"),
    ]  # fmt: skip


def test_messages_without_annotations_and_odd_ones_have_no_citations() -> None:
    odd = {"type": "file_path", "file_id": "a", "index": 0}
    assert citations_in([message("text"), message("text", odd), {"role": "user", "content": "text"}]) == []
