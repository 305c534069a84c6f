"""`file_search` in responses: what is searched, what is told, in which events, and what the answer rests on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai.types.responses import Response

from agentkit.local import embedded_transports
from agentkit.local.engines.base import Citation, FileSearch, FunctionCall, Piece, Prompt, TextDelta

HANDBOOK = """# Leave

Everyone has 30 days of holiday a year. Parental leave is 14 months.

# Pay

Salaries are paid on the 25th of each month.
"""
POLICY = "Laptops are replaced every four years. Phones are replaced every two years."
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Library:
    """A store with two files, and the questions put to it."""

    def __init__(self, api: openai.OpenAI) -> None:
        self.api = api
        self.store_id = api.vector_stores.create(name="library").id
        self.handbook = self.add("handbook.md", HANDBOOK, year=2024)
        self.policy = self.add("policy.txt", POLICY, year=2022)
        self.tool: dict[str, Any] = {"type": "file_search", "vector_store_ids": [self.store_id]}

    def add(self, name: str, text: str, **attributes: Any) -> str:
        file = self.api.files.create(file=(name, text.encode()), purpose="assistants")
        self.api.vector_stores.files.create_and_poll(
            file.id, vector_store_id=self.store_id, attributes=attributes, poll_interval_ms=1
        )
        return file.id

    def ask(self, question: Any, *, tool: dict[str, Any] | None = None, more: Any = (), **options: Any) -> Any:
        tools: Any = [{**self.tool, **(tool or {})}, *more]
        return self.api.responses.create(model="rehearsal-1", input=question, tools=tools, **options)


@pytest.fixture
def library(api: openai.OpenAI) -> Library:
    return Library(api)


def kinds(response: Any) -> list[str]:
    return [item.type for item in response.output]


def cited(response: Any) -> list[tuple[str, str]]:
    """Return the answer's citations: file name, and the text up to each."""
    (part,) = response.output[-1].content
    return [(note.filename, part.text[: note.index]) for note in part.annotations]


# -- what is told -----------------------------------------------------------------------------------------------------


def test_an_answer_from_files_has_every_documented_field(library: Library, strictly: Any) -> None:
    raw = library.api.responses.with_raw_response.create(
        model="rehearsal-1",
        input="When are salaries paid?",
        tools=[library.tool],  # type: ignore[list-item]
        include=["file_search_call.results"],
    )
    body = raw.http_response.json()
    strictly(Response, body)
    search, message = body["output"]
    assert search["id"].startswith("fs_")
    results = search.pop("results")
    assert search == {
        "id": search["id"],
        "type": "file_search_call",
        "status": "completed",
        "queries": ["salaries paid"],
    }
    assert results[0] == {
        "attributes": {"year": 2024},
        "file_id": library.handbook,
        "filename": "handbook.md",
        "score": pytest.approx(0.406, abs=0.001),
        "text": HANDBOOK.strip(),
    }
    text = "Salaries are paid on the 25th of each month."
    citation = {"type": "file_citation", "index": len(text), "file_id": library.handbook, "filename": "handbook.md"}
    assert message["content"] == [{"type": "output_text", "text": text, "annotations": [citation], "logprobs": []}]
    assert body["tools"] == [
        {
            "type": "file_search",
            "vector_store_ids": [library.store_id],
            "filters": None,
            "max_num_results": 20,
            "ranking_options": {"ranker": "auto", "score_threshold": 0.0},
        }
    ]


def test_results_are_told_only_where_they_are_asked_for(library: Library) -> None:
    assert library.ask("When are salaries paid?").output[0].results is None


def test_details_of_results_are_told_where_they_are_asked_for(library: Library) -> None:
    response = library.ask(
        "When are salaries paid?",
        include=["file_search_call.results"],
        extra_headers={"x-agentkit-details": "true"},
    )
    details = response.output[0].results[0].agentkit
    assert (details["position"], details["heading"], details["page"]) == (0, "Leave", None)


def test_what_was_found_is_counted_as_input(library: Library) -> None:
    found = library.ask("When are salaries paid?").usage.input_tokens
    nothing = library.ask("When are salaries paid?", tool_choice="none").usage.input_tokens
    assert found > nothing + 30


def test_events_come_in_the_documented_order(library: Library, strictly_event: Any) -> None:
    with library.api.responses.with_streaming_response.create(
        model="rehearsal-1",
        input="When are salaries paid?",
        tools=[library.tool],  # type: ignore[list-item]
        include=["file_search_call.results"],
        stream=True,
    ) as reply:
        text = reply.read().decode()
    events = [json.loads(block.partition("data: ")[2]) for block in text.removesuffix("\n\n").split("\n\n")]
    for event in events:
        strictly_event(event)
    names = [event["type"].removeprefix("response.") for event in events]
    deltas = names.count("output_text.delta")
    assert names == [
        "created",
        "in_progress",
        "output_item.added",
        "file_search_call.in_progress",
        "file_search_call.searching",
        "file_search_call.completed",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * deltas,
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    added, *searching, done = events[2:7]
    assert added["item"] == {**done["item"], "status": "in_progress", "queries": [], "results": None}
    assert {(event["item_id"], event["output_index"]) for event in searching} == {(done["item"]["id"], 0)}
    noted = events[9 + deltas]
    assert (noted["annotation_index"], noted["content_index"], noted["output_index"]) == (0, 0, 1)
    final = events[-1]["response"]
    assert final["output"][1]["content"][0]["annotations"] == [noted["annotation"]]
    assert final["output"][0]["results"][0]["file_id"] == library.handbook


# -- what is searched -------------------------------------------------------------------------------------------------


def test_max_num_results_and_filters_and_threshold_are_kept(library: Library) -> None:
    def names(question: str = "How often are laptops replaced and when are salaries paid?", **tool: Any) -> list[str]:
        response = library.ask(question, tool=tool, include=["file_search_call.results"])
        return [result.filename for result in response.output[0].results]

    assert sorted(names()) == ["handbook.md", "policy.txt"]
    assert len(names(max_num_results=1)) == 1
    assert names(filters={"type": "gte", "key": "year", "value": 2023}) == ["handbook.md"]
    assert names(filters={"type": "eq", "key": "year", "value": 1999}) == []
    assert names("How often are laptops replaced?", ranking_options={"score_threshold": 0.3}) == ["policy.txt"]


@pytest.mark.parametrize("weights", [(1, 0), (0, 1), (0.7, 0.3)])
def test_the_weights_of_the_two_rankings_are_kept(
    library: Library, weights: tuple[float, float], embedder: Any
) -> None:
    ranking = {"hybrid_search": {"embedding_weight": weights[0], "text_weight": weights[1]}}
    response = library.ask(
        "When are salaries paid?",
        tool={"ranking_options": ranking},
        include=["file_search_call.results"],
        extra_headers={"x-agentkit-details": "true"},
    )
    details = response.output[0].results[0].agentkit
    assert (details["semantic"] is not None, details["keyword"] is not None) == (weights[0] > 0, weights[1] > 0)
    assert response.tools[0].ranking_options.hybrid_search.text_weight == weights[1]


def test_several_stores_are_searched_and_a_file_in_both_is_found_once(library: Library) -> None:
    other = library.api.vector_stores.create().id
    for file_id in (library.handbook,):
        library.api.vector_stores.files.create_and_poll(file_id, vector_store_id=other, poll_interval_ms=1)
    extra = library.api.files.create(file=("extra.txt", b"Salaries rise in May."), purpose="assistants").id
    library.api.vector_stores.files.create_and_poll(extra, vector_store_id=other, poll_interval_ms=1)
    response = library.ask(
        "What about salaries?",
        tool={"vector_store_ids": [library.store_id, other]},
        include=["file_search_call.results"],
    )
    names = [result.filename for result in response.output[0].results]
    assert sorted(names) == ["extra.txt", "handbook.md", "policy.txt"]


TOOLS: list[tuple[dict[str, Any], str, str]] = [
    ({"vector_store_ids": []}, "tools[0].vector_store_ids", "empty_array"),
    ({"max_num_results": 0}, "tools[0].max_num_results", "integer_below_min_value"),
    ({"max_num_results": 51}, "tools[0].max_num_results", "integer_above_max_value"),
    ({"filters": {"type": "near", "key": "a", "value": 1}}, "tools[0].filters.type", "invalid_value"),
    ({"ranking_options": {"ranker": "best"}}, "tools[0].ranking_options.ranker", "invalid_value"),
    (
        {"ranking_options": {"hybrid_search": {"embedding_weight": 0, "text_weight": 0}}},
        "tools[0].ranking_options.hybrid_search",
        "invalid_value",
    ),
    ({"colour": "red"}, "tools[0].colour", "unknown_parameter"),
]


@pytest.mark.parametrize(("tool", "param", "code"), TOOLS)
def test_a_wrong_tool_is_refused(library: Library, tool: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        library.ask("Hi", tool=tool)
    assert (caught.value.param, caught.value.code) == (param, code)


def test_two_searches_in_one_request_are_refused(library: Library) -> None:
    with pytest.raises(openai.BadRequestError, match="Duplicate tool: 'file_search'"):
        library.ask("Hi", more=[library.tool])


def test_a_store_that_is_not_there_is_told_of_before_anything_is_sent(library: Library) -> None:
    for stream in (False, True):
        with pytest.raises(openai.NotFoundError, match="Vector store with id 'vs_none' not found"):
            library.ask("When are salaries paid?", tool={"vector_store_ids": ["vs_none"]}, stream=stream)


def test_chat_completions_search_no_files(library: Library) -> None:
    with pytest.raises(openai.BadRequestError, match="files are searched through /v1/responses"):
        library.api.chat.completions.create(
            model="rehearsal-1",
            messages=[{"role": "user", "content": "Hi"}],
            tools=[library.tool],  # type: ignore[list-item]
        )


# -- when rehearsal-1 searches, and what it says ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many days of holiday does everyone have?", "Everyone has 30 days of holiday a year."),
        ("How often are laptops replaced?", "Laptops are replaced every four years."),
        ("according to the handbook, how long is parental leave?", "Parental leave is 14 months."),
        ("Could you please tell me when salaries are paid?", "Salaries are paid on the 25th of each month."),
    ],
)
def test_it_answers_with_the_sentence_that_says_so(library: Library, question: str, answer: str) -> None:
    response = library.ask(question)
    assert (kinds(response), response.output_text) == (["file_search_call", "message"], answer)


def test_two_questions_are_two_queries_and_two_citations(library: Library) -> None:
    response = library.ask("When are salaries paid? How often are phones replaced?")
    assert response.output[0].queries == ["salaries paid", "phones replaced"]
    assert response.output_text == (
        "Salaries are paid on the 25th of each month. Phones are replaced every two years."
    ) or response.output_text == ("Phones are replaced every two years. Salaries are paid on the 25th of each month.")
    assert sorted(name for name, _ in cited(response)) == ["handbook.md", "policy.txt"]


def test_each_citation_stands_behind_its_sentence(library: Library) -> None:
    response = library.ask("When are salaries paid? How often are phones replaced?")
    for name, text in cited(response):
        assert text.endswith("month." if name == "handbook.md" else "two years.")


@pytest.mark.parametrize("question", ["Hello!", "What is 2 + 3?", "Thanks!", "Who are you?", "Tell me a joke."])
def test_small_talk_and_sums_need_no_search(library: Library, question: str) -> None:
    assert kinds(library.ask(question)) == ["message"]


def test_nothing_found_is_said_and_nothing_is_cited(platform: Any) -> None:
    response = Library(platform(with_embedder=False)).ask("What is the capital of Mongolia?")
    assert response.output_text == "I searched the files for “capital of Mongolia” and found nothing that answers it."
    assert cited(response) == []


def test_a_passage_that_is_near_without_the_words_is_quoted_as_the_nearest(library: Library, embedder: Any) -> None:
    embedder.embed_query = lambda text: embedder.embed([POLICY])[0]
    response = library.ask("Wann gibt es neue Telefone?")
    assert kinds(response) == ["file_search_call", "message"]
    assert "`policy.txt`" in response.output_text
    assert "Laptops are replaced every four years." in response.output_text
    assert [name for name, _ in cited(response)] == ["policy.txt"]


def test_a_search_that_is_forced_is_made(library: Library) -> None:
    for choice in ({"type": "file_search"}, "required"):
        assert kinds(library.ask("Hello!", tool_choice=choice)) == ["file_search_call", "message"]
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "file_search"}]}
    assert kinds(library.ask("Hello!", tool_choice=allowed)) == ["file_search_call", "message"]


def test_a_search_that_is_forbidden_is_not_made(library: Library) -> None:
    assert kinds(library.ask("When are salaries paid?", tool_choice="none")) == ["message"]
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]}
    assert kinds(library.ask("When are salaries paid?", more=[WEATHER], tool_choice=allowed)) == ["message"]


def test_functions_beside_it_are_called_for_what_they_do(library: Library) -> None:
    assert kinds(library.ask("What is the weather in Oslo?", more=[WEATHER])) == ["function_call"]
    assert kinds(library.ask("When are salaries paid?", more=[WEATHER])) == ["file_search_call", "message"]


def test_a_request_for_both_gets_both(library: Library) -> None:
    question = "What is the weather in Oslo, and what do the files say about laptops?"
    first = library.ask(question, more=[WEATHER])
    assert kinds(first) == ["file_search_call", "function_call"]
    output = {"type": "function_call_output", "call_id": first.output[1].call_id, "output": "Rain, 4 °C"}
    second = library.ask([output], more=[WEATHER], previous_response_id=first.id)
    assert kinds(second) == ["file_search_call", "message"]  # what was found is not kept: it is looked for again
    assert "Rain, 4 °C" in second.output_text
    assert "Laptops are replaced every four years." in second.output_text
    assert [name for name, _ in cited(second)] == ["policy.txt"]


def test_a_question_is_not_taken_for_the_last_tools(library: Library) -> None:
    first = library.ask("What is the weather in Oslo?", more=[WEATHER])
    output = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": "Rain"}
    second = library.ask([output], more=[WEATHER], previous_response_id=first.id)
    third = library.ask("When are people paid?", more=[WEATHER], previous_response_id=second.id)
    assert (kinds(third), third.output_text) == (
        ["file_search_call", "message"],
        "Salaries are paid on the 25th of each month.",
    )
    fourth = library.ask("What about Rome?", more=[WEATHER], previous_response_id=third.id)
    assert [(item.type, item.name) for item in fourth.output] == [("function_call", "get_weather")]


def test_a_follow_up_is_searched_with_what_it_goes_on_from(library: Library) -> None:
    first = library.ask("How often are laptops replaced?")
    second = library.ask("And phones?", previous_response_id=first.id)
    assert second.output[0].queries == ["laptops replaced phones"]
    assert second.output_text == "Phones are replaced every two years."


def test_a_conversation_that_is_sent_back_goes_on(library: Library) -> None:
    first = library.ask("When are salaries paid?", include=["file_search_call.results"], store=False)
    history = [{"role": "user", "content": "When are salaries paid?"}, *first.output]
    second = library.ask([*history, {"role": "user", "content": "Thanks!"}], store=False)
    assert (kinds(second), second.output_text) == (["message"], "You're welcome!")


def test_a_stored_answer_is_given_back_as_it_was(library: Library) -> None:
    made = library.ask("When are salaries paid?", include=["file_search_call.results"])
    assert library.api.responses.retrieve(made.id) == made


def test_instructions_on_form_are_kept(library: Library) -> None:
    response = library.ask("When are salaries paid?", instructions="Answer in upper case.")
    assert response.output_text == "SALARIES ARE PAID ON THE 25TH OF EACH MONTH."
    assert cited(response) == [("handbook.md", response.output_text)]


def test_an_answer_of_a_given_shape_is_filled_from_the_files(library: Library) -> None:
    schema = {
        "type": "object",
        "properties": {"months": {"type": "integer"}},
        "required": ["months"],
        "additionalProperties": False,
    }
    response = library.ask(
        "How long is parental leave?",
        text={"format": {"type": "json_schema", "name": "leave", "schema": schema, "strict": True}},
    )
    assert kinds(response) == ["file_search_call", "message"]
    assert json.loads(response.output_text) == {"months": 14}


# -- any engine -------------------------------------------------------------------------------------------------------


class Searching:
    """Searches as often as it may, then says what it was told and cites the first result."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        self.calls_function = False

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        self.prompts.append(prompt)
        if any(tool["type"] == "file_search" for tool in prompt.tools):
            yield TextDelta("One moment.")
            yield FileSearch((f"laptops {len(self.prompts)}",))
            raise AssertionError("it was asked to go on")
        if self.calls_function:
            yield FunctionCall("get_weather", '{"city": "Oslo"}')
            return
        found = prompt.items[-1]["results"][0]
        yield TextDelta("Every four")
        yield Citation(found["file_id"], found["filename"])
        yield TextDelta(" years.")

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def test_any_engine_searches_by_the_same_path(platform: Any) -> None:
    engine = Searching()
    library = Library(platform(engine=engine))
    response = library.ask("Laptops?", max_tool_calls=2)
    assert kinds(response) == ["message", "file_search_call", "message", "file_search_call", "message"]
    assert [item.queries for item in response.output if item.type == "file_search_call"] == [
        ["laptops 1"],
        ["laptops 2"],
    ]
    assert cited(response) == [("policy.txt", "Every four")]
    last = engine.prompts[-1]
    assert [item["type"] for item in last.items] == ["message", "file_search_call", "file_search_call"]
    assert [tool["type"] for tool in last.tools] == []


def test_a_search_that_is_forced_is_forced_once(platform: Any) -> None:
    engine = Searching()
    library = Library(platform(engine=engine))
    library.ask("Laptops?", tool_choice={"type": "file_search"}, max_tool_calls=1)
    assert [prompt.tool_choice for prompt in engine.prompts] == [{"type": "file_search"}, "auto"]


def test_an_engine_may_call_functions_after_a_search(platform: Any) -> None:
    engine = Searching()
    engine.calls_function = True
    library = Library(platform(engine=engine))
    response = library.ask("Laptops?", more=[WEATHER], max_tool_calls=1)
    assert kinds(response) == ["message", "file_search_call", "function_call"]


def test_an_engine_that_never_has_enough_is_stopped(platform: Any) -> None:
    engine = Searching()
    response = Library(platform(engine=engine)).ask("Laptops?")
    assert kinds(response).count("file_search_call") == 8


def test_a_search_that_fails_fails_the_response(platform: Any, embedder: Any) -> None:
    library = Library(platform())

    def fail(text: str) -> Any:
        from agentkit.local.embedding.embedder import EmbedderError

        raise EmbedderError("https://embedder.example/v1 does not answer.")

    embedder.embed_query = fail
    with pytest.raises(openai.InternalServerError, match="does not answer"):
        library.ask("When are salaries paid?")
    *_, last = library.ask("When are salaries paid?", stream=True)
    assert last.type == "response.failed"
    assert [(item.type, item.status) for item in last.response.output] == [("file_search_call", "failed")]


async def test_the_asynchronous_client_does_the_same_and_leaves_no_task(tmp_path: Any, embedder: Any) -> None:
    transport = embedded_transports(home=tmp_path, embedder=lambda: embedder)[0]
    http_client = openai.DefaultAsyncHttpx2Client(transport=transport)
    async with openai.AsyncOpenAI(
        api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0
    ) as client:
        store = await client.vector_stores.create(name="library")
        files = [("handbook.md", HANDBOOK.encode()), ("policy.txt", POLICY.encode())]
        batch = await client.vector_stores.file_batches.upload_and_poll(store.id, files=files, poll_interval_ms=1)
        assert (batch.status, batch.file_counts.completed) == ("completed", 2)
        page = await client.vector_stores.search(store.id, query="salaries")
        assert page.data[0].filename == "handbook.md"
        tool: Any = {"type": "file_search", "vector_store_ids": [store.id]}
        responses = await asyncio.gather(
            *(
                client.responses.create(model="rehearsal-1", input=question, tools=[tool])
                for question in ("When are salaries paid?", "How often are phones replaced?")
            )
        )
        assert [response.output_text for response in responses] == [
            "Salaries are paid on the 25th of each month.",
            "Phones are replaced every two years.",
        ]
        assert sorted([file.filename async for file in client.files.list()]) == ["handbook.md", "policy.txt"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
