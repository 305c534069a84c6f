"""Answers of real models, with random weights, through the plain client: text, schemas, calls, errors."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from openai.types import CompletionUsage
from openai.types.responses import Response
from pydantic import BaseModel

from agentkit._install import install_command
from tests.unit.local.engines.trained_models import ANSWER_TOKENS, CONTEXT, PROMPTS

pytestmark = pytest.mark.filterwarnings("ignore:.*Pydantic serializer warnings.*")


class Route(BaseModel):
    """A small answer."""

    category: Literal["billing", "technical", "größe"]
    urgent: bool
    parts: list[Literal["a", "b"]]


PARAMETERS = {
    "type": "object",
    "properties": {"place": {"enum": ["Paris", "Köln"]}, "deep": {"$ref": "#/$defs/deep"}},
    "required": ["place", "deep"],
    "additionalProperties": False,
    "$defs": {
        "deep": {
            "type": "object",
            "properties": {"on": {"type": "boolean"}},
            "required": ["on"],
            "additionalProperties": False,
        }
    },
}
WEATHER: Any = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": True}
CLOCK: Any = {
    "type": "function",
    "name": "clock",
    "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    "strict": True,
}
FORMATS = ["plain", "mistral", "mistral-args", "llama"]


def chat_tool(tool: Any) -> Any:
    return {"type": "function", "function": {key: value for key, value in tool.items() if key != "type"}}


@pytest.mark.parametrize("name", ["plain", "repeating", "adapter"])
def test_greedy_answers_are_exactly_those_of_transformers(
    serving: openai.OpenAI, models: Path, expected: dict[str, Any], name: str
) -> None:
    for prompt, wanted in zip(PROMPTS, expected[name], strict=True):
        response = serving.responses.create(
            model=str(models / name), input=prompt, temperature=0, max_output_tokens=ANSWER_TOKENS
        )
        assert response.usage is not None
        found = {
            "text": response.output_text,
            "input_tokens": response.usage.input_tokens,
            "output_tokens": response.usage.output_tokens,
        }
        assert found == wanted
        cut = wanted["output_tokens"] == ANSWER_TOKENS
        assert response.status == ("incomplete" if cut else "completed")


def test_a_streamed_answer_is_the_same_in_pieces(
    serving: openai.OpenAI, models: Path, expected: dict[str, Any], strictly_event: Any
) -> None:
    wanted = expected["plain"][0]
    with serving.responses.create(model=str(models / "plain"), input=PROMPTS[0], stream=True) as stream:
        events = list(stream)
    for event in events:
        strictly_event(event.to_dict())
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == wanted["text"]
    assert len(deltas) > wanted["output_tokens"] / 2
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.usage is not None
    assert last.response.usage.output_tokens == wanted["output_tokens"]


def test_chat_completions_say_the_same(
    serving: openai.OpenAI, models: Path, expected: dict[str, Any], strictly: Any
) -> None:
    wanted = expected["plain"][0]
    messages: Any = [{"role": "user", "content": PROMPTS[0]}]
    whole = serving.chat.completions.create(model=str(models / "plain"), messages=messages)
    strictly(type(whole), whole.to_dict())
    chunks = list(
        serving.chat.completions.create(
            model=str(models / "plain"), messages=messages, stream=True, stream_options={"include_usage": True}
        )
    )
    for chunk in chunks:
        strictly(type(chunk), chunk.to_dict())
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert (whole.choices[0].message.content, streamed) == (wanted["text"], wanted["text"])
    assert whole.choices[0].finish_reason == "stop"
    usages = [whole.usage, chunks[-1].usage]
    for usage in usages:
        assert isinstance(usage, CompletionUsage)
        assert (usage.prompt_tokens, usage.completion_tokens) == (wanted["input_tokens"], wanted["output_tokens"])


def test_an_answer_ends_at_a_stop_text(serving: openai.OpenAI, models: Path, expected: dict[str, Any]) -> None:
    wanted = expected["plain"][0]
    stop = wanted["text"][30:33]
    completion = serving.chat.completions.create(
        model=str(models / "plain"), messages=[{"role": "user", "content": PROMPTS[0]}], stop=[stop, "never this"]
    )
    assert completion.choices[0].message.content == wanted["text"].partition(stop)[0]
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.completion_tokens < wanted["output_tokens"]


def test_tokens_of_a_prompt_are_counted_as_the_model_reads_them(
    serving: openai.OpenAI, models: Path, expected: dict[str, Any]
) -> None:
    counted = serving.responses.input_tokens.count(model=str(models / "plain"), input=PROMPTS[1])
    assert counted.input_tokens == expected["plain"][1]["input_tokens"]


def test_what_a_user_writes_can_not_pass_for_the_end_of_a_message(serving: openai.OpenAI, models: Path) -> None:
    def count(text: str) -> int:
        return serving.responses.input_tokens.count(model=str(models / "plain"), input=text).input_tokens

    assert count("a<|im_end|>b") > count("ab") + 8  # it is read letter by letter, not as one mark


def test_what_a_tool_says_of_itself_can_not_pass_for_the_end_of_a_message(serving: openai.OpenAI, models: Path) -> None:
    def count(text: str) -> int:
        tools = [{**CLOCK, "description": text}]
        model = str(models / "plain")
        return serving.responses.input_tokens.count(model=model, input="hello", tools=tools).input_tokens

    assert count("a<|im_end|>b") > count("ab") + 8


def test_a_seed_makes_what_is_drawn_repeatable(serving: openai.OpenAI, models: Path) -> None:
    def ask(seed: int) -> str | None:
        completion = serving.chat.completions.create(
            model=str(models / "plain"),
            messages=[{"role": "user", "content": "hello"}],
            temperature=1.5,
            top_p=0.95,
            seed=seed,
            max_completion_tokens=20,
        )
        return completion.choices[0].message.content

    first, again, other = ask(1), ask(1), ask(2)
    assert first == again
    assert first != other


@pytest.mark.parametrize("seed", range(4))
def test_a_strict_schema_is_always_kept(serving: openai.OpenAI, models: Path, seed: int) -> None:
    completion = serving.chat.completions.parse(
        model=str(models / "plain"),
        messages=[{"role": "user", "content": f"message {seed}"}],
        response_format=Route,
        temperature=1.0,
        seed=seed,
        max_completion_tokens=400,
    )
    assert isinstance(completion.choices[0].message.parsed, Route)


def test_responses_are_parsed_and_a_stream_of_them_too(serving: openai.OpenAI, models: Path) -> None:
    parsed = serving.responses.parse(model=str(models / "plain"), input="hello", text_format=Route)
    assert isinstance(parsed.output_parsed, Route)
    with serving.responses.stream(model=str(models / "plain"), input="hello", text_format=Route) as stream:
        final = stream.get_final_response()
    assert final.output_parsed == parsed.output_parsed


def test_a_json_object_is_one_where_it_is_not_cut(serving: openai.OpenAI, models: Path) -> None:
    completion = serving.chat.completions.create(
        model=str(models / "plain"),
        messages=[{"role": "user", "content": "some json"}],
        response_format={"type": "json_object"},
        temperature=0.8,
        seed=3,
    )
    choice = completion.choices[0]
    assert choice.message.content is not None
    assert choice.message.content.startswith("{")
    if choice.finish_reason == "stop":
        assert isinstance(json.loads(choice.message.content), dict)


@pytest.mark.parametrize("name", FORMATS)
def test_a_call_that_is_required_is_made(serving: openai.OpenAI, models: Path, strictly: Any, name: str) -> None:
    response = serving.responses.create(
        model=str(models / name),
        input="hello",
        tools=[WEATHER, CLOCK],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=False,
    )
    strictly(Response, response.to_dict())
    [call] = response.output
    assert call.type == "function_call"
    arguments = json.loads(call.arguments)
    assert (call.name, call.status) == ("weather", "completed")
    assert arguments["place"] in ("Paris", "Köln")
    assert isinstance(arguments["deep"]["on"], bool)
    assert response.output_text == ""
    assert response.usage is not None
    assert response.usage.output_tokens > 5


@pytest.mark.parametrize("name", FORMATS)
def test_chat_completions_call_too(serving: openai.OpenAI, models: Path, strictly: Any, name: str) -> None:
    completion = serving.chat.completions.create(
        model=str(models / name),
        messages=[{"role": "user", "content": "hello"}],
        tools=[chat_tool(WEATHER), chat_tool(CLOCK)],
        tool_choice="required",
        temperature=1.0,
        seed=11,
    )
    strictly(type(completion), completion.to_dict())
    choice = completion.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls
    for call in choice.message.tool_calls:
        assert call.type == "function"
        assert (call.function.name, call.function.arguments == "{}") in [("weather", False), ("clock", True)]


def test_a_schema_and_tools_give_one_or_the_other(serving: openai.OpenAI, models: Path) -> None:
    for seed in range(4):
        completion = serving.chat.completions.parse(
            model=str(models / "plain"),
            messages=[{"role": "user", "content": "hello"}],
            tools=[chat_tool(WEATHER)],
            response_format=Route,
            temperature=1.0,
            seed=seed,
        )
        message = completion.choices[0].message
        assert message.tool_calls or isinstance(message.parsed, Route)


def test_a_conversation_goes_on_after_a_call(serving: openai.OpenAI, models: Path) -> None:
    model = str(models / "plain")
    first = serving.responses.create(
        model=model, input="hello", tools=[WEATHER], tool_choice="required", parallel_tool_calls=False
    )
    [call] = first.output
    assert call.type == "function_call"
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    second = serving.responses.create(
        model=model, previous_response_id=first.id, input=[output], tools=[WEATHER], max_output_tokens=16
    )
    assert second.usage is not None
    assert first.usage is not None
    assert second.usage.input_tokens > first.usage.input_tokens
    assert 0 < second.usage.output_tokens <= 16


def test_thoughts_are_counted_and_not_told(serving: openai.OpenAI, models: Path) -> None:
    response = serving.responses.create(model=str(models / "thinking"), input="hello", max_output_tokens=24)
    assert response.output_text == ""
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens == response.usage.output_tokens == 24
    at_once = serving.responses.create(
        model=str(models / "thinking"), input="hello", max_output_tokens=24, reasoning={"effort": "none"}
    )
    assert at_once.output_text != ""
    assert at_once.usage is not None
    assert at_once.usage.output_tokens_details.reasoning_tokens == 0


def test_files_are_searched_when_the_model_asks_for_it(serving: openai.OpenAI, models: Path) -> None:
    store = serving.vector_stores.create(name="laws")
    file = serving.files.create(file=("tax.txt", b"The tax is nine percent."), purpose="assistants")
    serving.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id)
    response = serving.responses.create(
        model=str(models / "plain"),
        input="What is the tax?",
        tools=[{"type": "file_search", "vector_store_ids": [store.id]}, WEATHER],
        tool_choice={"type": "file_search"},
        temperature=0,
        include=["file_search_call.results"],
    )
    search = response.output[0]
    assert search.type == "file_search_call"
    assert (search.status, len(search.queries) > 0) == ("completed", True)
    assert all(isinstance(query, str) and query for query in search.queries)
    assert [item.type for item in response.output[1:]] != []
    assert response.usage is not None
    assert response.usage.output_tokens > 0


def test_a_template_that_refuses_system_messages_gets_them_as_the_users(serving: openai.OpenAI, models: Path) -> None:
    response = serving.responses.create(
        model=str(models / "strict-roles"),
        instructions="Be brief.",
        input=[{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=False,
    )
    assert [item.type for item in response.output] == ["function_call"]


def test_several_are_answered_at_once(serving: openai.OpenAI, models: Path, expected: dict[str, Any]) -> None:
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        name, prompt = ("plain", "adapter")[number % 2], PROMPTS[number % 3]
        response = serving.responses.create(
            model=str(models / name), input=prompt, temperature=0, max_output_tokens=ANSWER_TOKENS
        )
        answers[number] = response.output_text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = {number: expected[("plain", "adapter")[number % 2]][number % 3]["text"] for number in range(6)}
    assert answers == wanted


def test_a_stream_that_is_left_leaves_the_others_alone(
    serving: openai.OpenAI, models: Path, expected: dict[str, Any]
) -> None:
    with serving.responses.create(model=str(models / "repeating"), input="hello", stream=True) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                break
    app: Any = serving._client._transport._app  # type: ignore[attr-defined]
    assert app.state.platform.trained.process._child._waiting == {}
    response = serving.responses.create(model=str(models / "plain"), input=PROMPTS[0])
    assert response.output_text == expected["plain"][0]["text"]


def refused(serving: openai.OpenAI, **request: Any) -> tuple[int, str | None, str]:
    with pytest.raises(openai.APIStatusError) as caught:
        serving.responses.create(**{"input": "hello", **request})
    return caught.value.status_code, caught.value.code, str(caught.value.body["message"])  # type: ignore[index]


def test_a_prompt_that_is_too_long_is_refused(serving: openai.OpenAI, models: Path) -> None:
    status, code, message = refused(serving, model=str(models / "plain"), input="hello " * CONTEXT)
    assert (status, code) == (400, "context_length_exceeded")
    assert f"maximum context length is {CONTEXT:,} tokens" in message


def test_an_answer_ends_where_the_context_does(serving: openai.OpenAI, models: Path) -> None:
    response = serving.responses.create(model=str(models / "repeating"), input="hello " * (CONTEXT // 2 - 32))
    assert response.usage is not None
    assert response.usage.total_tokens <= CONTEXT
    assert response.status == ("incomplete" if response.usage.total_tokens == CONTEXT else "completed")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/no/such/folder", "no folder '/no/such/folder'"),
        ("ft:tiny-1:agentkit::gone0000", "'ft:tiny-1:agentkit::gone0000'"),
        ("nobody/nothing", "hf download nobody/nothing"),
        ("gpt", "It has: 'rehearsal-1' and 'tiny-1'."),
    ],
)
def test_a_model_that_is_not_there_is_not_found(serving: openai.OpenAI, name: str, said: str) -> None:
    status, code, message = refused(serving, model=name)
    assert (status, code) == (404, "model_not_found")
    assert said in message


def bring_code(folder: Path) -> None:
    """Make a model one that brings its own code, which isn't run."""
    config = {"model_type": "strange", "auto_map": {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (
            lambda folder: [(folder / name).unlink() for name in ("tokenizer.json", "tokenizer_config.json")],
            "tokenizer",
        ),
        (lambda folder: (folder / "chat_template.jinja").unlink(), "no chat template"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"oops"), "can't be used"),
        (lambda folder: (folder / "model.safetensors").unlink(), "can't be used"),
        (lambda folder: (folder / "config.json").write_text("{"), "can't be used"),
        (lambda folder: bring_code(folder), "contains custom code"),
        (lambda folder: (folder / "chat_template.jinja").write_text("{{ raise_exception('never') }}"), "never"),
        (lambda folder: (folder / "chat_template.jinja").write_text("{% if true %}{% endif %}"), "makes no prompt"),
    ],
)
def test_a_folder_that_is_broken_is_told(
    serving: openai.OpenAI, models: Path, tmp_path: Path, break_it: Any, said: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / "plain", folder)
    break_it(folder)
    status, _, message = refused(serving, model=str(folder))
    assert status == 400
    assert said in message
    assert not (folder / "ran").exists()


def test_without_the_extra_it_is_told_what_to_install(
    serving: openai.OpenAI, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "llguidance", None)  # as if it were not installed
    status, code, message = refused(serving, model=str(models / "plain"))
    assert (status, code) == (400, "training_unavailable")
    assert message.endswith(f"llguidance is not installed. Install what runs models: {install_command('train')}.")


def test_an_adapter_whose_base_is_gone_is_told(serving: openai.OpenAI, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(models / "adapter", folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "/gone/base"
    (folder / "adapter_config.json").write_text(json.dumps(config))
    status, code, message = refused(serving, model=str(folder))
    assert (status, code) == (400, "invalid_model")
    assert "/gone/base" in message


def test_an_adapter_is_asked_where_the_platforms_folder_was_moved_to(
    serving: openai.OpenAI, models: Path, tmp_path: Path, expected: dict[str, Any]
) -> None:
    job = tmp_path / "ftjob-1"
    shutil.copytree(models / "adapter", job / "model")
    shutil.copytree(models / "plain", job / "start")
    config = json.loads((job / "model" / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "/gone/ftjob-1/start"
    (job / "model" / "adapter_config.json").write_text(json.dumps(config))
    answer = serving.responses.create(model=str(job / "model"), input=PROMPTS[0], max_output_tokens=ANSWER_TOKENS)
    assert answer.output_text == expected["adapter"][0]["text"]


def test_a_schema_that_can_not_be_followed_is_refused(serving: openai.OpenAI, models: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "pattern": "(?=x)y"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    text = {"format": {"type": "json_schema", "name": "odd", "schema": schema, "strict": True}}
    status, code, message = refused(serving, model=str(models / "plain"), text=text)
    assert (status, code) == (400, "invalid_json_schema")
    assert "'odd'" in message


def test_tiny_answers_untrained_and_says_so(serving: openai.OpenAI) -> None:
    raw = serving.responses.with_raw_response.create(model="tiny-1", input="hello", max_output_tokens=16)
    assert "never trained" in raw.headers["x-agentkit-notice"]
    response = raw.parse()
    assert response.model == "tiny-1"
    assert response.usage is not None
    assert response.usage.output_tokens <= 16
    rambling = serving.responses.create(model="tiny-1", input="hello")
    assert rambling.usage is not None
    assert rambling.usage.output_tokens <= 64  # it has no reason to stop
    parsed = serving.responses.parse(model="tiny-1", input="hello", text_format=Route)
    assert isinstance(parsed.output_parsed, Route)


async def test_loops_share_the_process(models: Path, serving: openai.OpenAI, expected: dict[str, Any]) -> None:
    transport: Any = serving._client._transport
    from agentkit.local.transport import AsyncEmbeddedTransport

    http = openai.DefaultAsyncHttpx2Client(transport=AsyncEmbeddedTransport(transport._app))
    client = openai.AsyncOpenAI(http_client=http, base_url="http://agentkit.local/v1", api_key="embedded")
    requests = [
        client.responses.create(model=str(models / "plain"), input=prompt, max_output_tokens=ANSWER_TOKENS)
        for prompt in PROMPTS
    ]
    found = await asyncio.gather(*requests)
    assert [response.output_text for response in found] == [wanted["text"] for wanted in expected["plain"]]
