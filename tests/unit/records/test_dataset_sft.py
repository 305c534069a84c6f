"""`traces().to_dataset()`: runs as examples for supervised fine-tuning, over real runs."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai.types.chat as chat_types
import pytest
from pydantic import TypeAdapter

import agentkit
from agentkit import Agent, ModelInputData, ModelSettings, RunConfig, Runner, SQLiteSession, UserError, function_tool
from agentkit.extensions.handoff_filters import remove_all_tools
from agentkit.records.datasets.dataset import Dataset
from agentkit.records.traces import traces
from agentkit.testing import ScriptedModel, call
from agentkit.tracing import trace
from agentkit.tracing.feedback import rate
from tests.unit.records.conftest import Platform, calling

Line = dict[str, Any]

SYSTEM = {"role": "system", "content": "Be brief."}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89").decode()


@function_tool
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


def agent(*replies: Any, **options: Any) -> Agent[Any]:
    options = {"instructions": "Be brief.", **options}
    return Agent(name=options.pop("name", "guide"), model=ScriptedModel(*replies), **options)


def liked(who: Agent[Any], asked: Any, rating: Any = "up", **options: Any) -> Any:
    result = Runner.run_sync(who, asked, **options)
    rate(result, rating)
    return result


def user(content: Any) -> Line:
    return {"role": "user", "content": content}


def said(content: str, **more: Any) -> Line:
    return {"role": "assistant", "content": content, **more}


def called(number: int, name: str, arguments: str, **more: Any) -> Line:
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "tool_calls": [{"id": f"call_{number}", "type": "function", "function": function}],
        **more,
    }


def gave(number: int, content: str) -> Line:
    return {"role": "tool", "content": content, "tool_call_id": f"call_{number}"}


def left_out(dataset: Dataset) -> list[tuple[Any, Any]]:
    plain = dataset.skipped[["agent", "reason"]].astype(object)
    return list(plain.where(plain.notna(), None).itertuples(index=False, name=None))


def test_a_liked_run_is_an_example_and_others_are_left_out_with_the_reason() -> None:
    guide = agent("In June.", "In May.", "In July.")
    good = liked(guide, "When?")
    liked(guide, "Where?", "down")
    Runner.run_sync(guide, "Why?")

    dataset = traces().to_dataset()

    assert dataset.examples == [{"messages": [SYSTEM, user("When?"), said("In June.")]}]
    assert (len(dataset), list(dataset), dataset[0]) == (1, dataset.examples, dataset.examples[0])
    assert left_out(dataset) == [(None, "not rated up")] * 2
    assert list(dataset.skipped["detail"]) == [
        "It wasn't rated. rating=None takes runs however rated.",
        "It was rated down. rating=None takes runs however rated.",
    ]
    names = ["line", "trace_id", "agent", "model", "rating", "reason", "messages", "tokens", "images", "redacted"]
    assert dataset.frame[names].values.tolist() == [
        [1, good.trace_id, "guide", "scripted", "up", "rated up", 3, good.usage.total_tokens, 0, 0]
    ]


def test_runs_are_chosen_by_rating_by_the_frame_and_by_a_function() -> None:
    guide = agent("1", "2", "3", call("get_weather", city="Oslo"), "4", tools=[get_weather])
    for asked, rating in (("a", "up"), ("b", "down"), ("c", "up")):
        liked(guide, asked, rating)
    Runner.run_sync(guide, "d")

    def asked(dataset: Dataset) -> list[str]:
        return [example["messages"][1]["content"] for example in dataset]

    frame = traces()
    assert asked(frame.to_dataset(rating=None)) == ["d", "c", "b", "a"]
    assert asked(frame.to_dataset(rating="down")) == ["b"]
    assert asked(frame[frame["input"] == "a"].to_dataset()) == ["a"]
    assert asked(traces(text="c").to_dataset(rating=None)) == ["c"]
    by_function = frame.to_dataset(rating=None, where=lambda trace: len(trace.calls) == 2)
    assert asked(by_function) == ["d"]
    assert list(by_function.frame["reason"]) == ["where"]
    assert left_out(by_function) == [(None, "where")] * 3
    assert list(frame.to_dataset(where=lambda trace: trace.input == "c").frame["reason"]) == ["rated up, where"]
    assert list(frame.to_dataset(rating=None).frame["reason"]) == ["in the frame"] * 4


def test_an_error_of_the_function_says_at_which_trace() -> None:
    liked(agent("1"), "a")
    with pytest.raises(ZeroDivisionError) as info:
        traces().to_dataset(where=lambda trace: 1 // 0)
    assert "while where looked at RecordedTrace('Agent workflow', ok: 1 model call), trace_" in info.value.__notes__[0]


def test_tools_their_calls_and_their_results_are_in_it() -> None:
    both = [call("get_weather", city="Rome"), call("get_weather", city="Oslo")]
    guide = agent(["Let me see.", *both], "Sunny.", tools=[get_weather], model_settings=ModelSettings(temperature=0.1))
    guide.model = ScriptedModel().reply("Let me see.", *both).reply("Sunny.")
    liked(guide, "The weather?")

    (example,) = traces().to_dataset()

    first = called(1, "get_weather", '{"city":"Rome"}', content="Let me see.")
    first["tool_calls"] += called(2, "get_weather", '{"city":"Oslo"}')["tool_calls"]
    assert example == {
        "messages": [
            SYSTEM,
            user("The weather?"),
            first,
            gave(1, "sunny in Rome"),
            gave(2, "sunny in Oslo"),
            said("Sunny."),
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "description": "Return the weather of a city.",
                    "parameters": get_weather.params_json_schema,
                    "strict": True,
                },
            }
        ],
    }
    assert traces().to_dataset(tools=False).examples == []
    assert left_out(traces().to_dataset(tools=False)) == [("guide", "tool calls")]


def test_without_tools_none_is_described_either() -> None:
    liked(agent("Hello.", tools=[get_weather]), "Hi")
    assert [list(example) for example in traces().to_dataset(tools=False)] == [["messages"]]
    assert [list(example) for example in traces().to_dataset()] == [["messages", "tools"]]


def test_what_a_session_had_before_carries_no_weight() -> None:
    session = SQLiteSession("s")
    guide = agent("Hello.", call("get_weather", city="Rome"), "Sunny.", "Bye.", tools=[get_weather])
    for asked in ("Hi", "Rome?", "Bye"):
        liked(guide, asked, session=session)

    dataset = traces().to_dataset()

    before = [
        SYSTEM,
        user("Hi"),
        said("Hello.", weight=0),
        user("Rome?"),
        called(1, "get_weather", '{"city":"Rome"}', weight=0),
        gave(1, "sunny in Rome"),
        said("Sunny.", weight=0),
    ]
    assert [example["messages"] for example in dataset] == [
        [*before, user("Bye"), said("Bye.")],
        [*before[:4], called(1, "get_weather", '{"city":"Rome"}'), *before[5:6], said("Sunny.")],
        [*before[:2], said("Hello.")],
    ]
    assert list(dataset.frame["session_id"]) == ["s"] * 3


def test_each_agents_part_is_an_example_with_its_own_instructions_and_tools() -> None:
    model = ScriptedModel(call("transfer_to_second"), call("get_weather", city="Rome"), "Sunny.")
    second = Agent(name="second", instructions="You are second.", tools=[get_weather], model=model)
    liked(Agent(name="first", instructions="You are first.", handoffs=[second], model=model), "Rome?")

    dataset = traces().to_dataset()

    transfer, result = called(1, "transfer_to_second", "{}"), gave(1, '{"assistant": "second"}')
    assert [example["messages"] for example in dataset] == [
        [{"role": "system", "content": "You are first."}, user("Rome?"), transfer],
        [
            {"role": "system", "content": "You are second."},
            user("Rome?"),
            {**transfer, "weight": 0},
            result,
            called(2, "get_weather", '{"city":"Rome"}'),
            gave(2, "sunny in Rome"),
            said("Sunny."),
        ],
    ]
    assert [[tool["function"]["name"] for tool in example["tools"]] for example in dataset] == [
        ["transfer_to_second"],
        ["get_weather"],
    ]
    assert list(dataset.frame["agent"]) == ["first", "second"]
    assert list(dataset.validate()["line"].dropna()) == []

    only = traces().to_dataset(agent=second)
    assert (list(only.frame["agent"]), left_out(only)) == (["second"], [("first", "other agent")])
    assert list(traces().to_dataset(agent=["first", second]).frame["agent"]) == ["first", "second"]


def test_an_agent_used_as_a_tool_is_an_example_of_its_own() -> None:
    inner = Agent(name="inner", instructions="Count.", model=ScriptedModel("Three."))
    outer = agent(call("ask_inner", input="How many?"), "It is three.")
    outer.tools = [inner.as_tool("ask_inner", "Ask.")]
    liked(outer, "How many are they?")
    assert [[message.get("content") for message in example["messages"]] for example in traces().to_dataset()] == [
        ["Be brief.", "How many are they?", None, "Three.", "It is three."],
        ["Count.", "How many?", "Three."],
    ]


def test_a_call_that_was_not_shown_all_begins_an_example() -> None:
    def shorten(data: Any) -> ModelInputData:
        given = data.model_data.input
        return ModelInputData(input=given[-2:] if len(given) > 3 else given, instructions=data.model_data.instructions)

    guide = agent(
        call("get_weather", city="Rome"), call("get_weather", city="Oslo"), "Both sunny.", tools=[get_weather]
    )
    liked(guide, "Rome and Oslo?", run_config=RunConfig(call_model_input_filter=shorten))
    rome, oslo = (called(1, "get_weather", f'{{"city":"{city}"}}') for city in ("Rome", "Oslo"))
    assert [example["messages"][1:] for example in traces().to_dataset()] == [
        [user("Rome and Oslo?"), rome, gave(1, "sunny in Rome"), {**oslo, "tool_calls": _numbered(oslo, 2)}],
        [{**oslo, "weight": 0}, gave(1, "sunny in Oslo"), said("Both sunny.")],
    ]


def _numbered(message: Line, number: int) -> list[Line]:
    return [{**message["tool_calls"][0], "id": f"call_{number}"}]


def test_instructions_that_change_on_the_way_begin_an_example() -> None:
    numbers = iter((1, 2))
    guide = agent(
        call("get_weather", city="Rome"), "Sunny.", tools=[get_weather],
        instructions=lambda context, agent: f"Turn {next(numbers)}.",
    )  # fmt: skip
    liked(guide, "Rome?")
    messages = [example["messages"] for example in traces().to_dataset()]
    assert [[each[0]["content"], len(each)] for each in messages] == [["Turn 1.", 3], ["Turn 2.", 5]]
    assert [message.get("weight") for message in messages[1]] == [None, None, 0, None, None]


async def test_a_filtered_handoff_is_shown_as_the_second_agent_saw_it(platform: Platform, api: str) -> None:
    from agentkit import handoff

    platform.reply(calling("get_weather", city="Rome")).reply(calling("transfer_to_second", "call_2")).reply("Sunny.")
    second = Agent(name="second", instructions="You are second.")
    first = Agent(
        name="first", tools=[get_weather], handoffs=[handoff(second, input_filter=remove_all_tools)], model="m"
    )
    rate(await Runner.run(first, "Rome?"), "up")
    messages = [example["messages"] for example in traces().to_dataset()]
    assert messages[1] == [{"role": "system", "content": "You are second."}, user("Rome?"), said("Sunny.")]
    assert [message["role"] for message in messages[0]] == ["user", "assistant", "tool", "assistant"]


async def test_both_apis_give_the_same_examples(platform: Platform, api: str) -> None:
    platform.reply("Let me see.", calling("get_weather", city="Rome")).reply("Sunny.")
    settings = ModelSettings(parallel_tool_calls=False)
    guide = Agent(name="guide", instructions="Be brief.", tools=[get_weather], model="m-1", model_settings=settings)
    rate(await Runner.run(guide, "Rome?"), "up")
    (example,) = traces().to_dataset()
    assert example["messages"] == [
        SYSTEM,
        user("Rome?"),
        called(1, "get_weather", '{"city": "Rome"}', content="Let me see."),
        gave(1, "sunny in Rome"),
        said("Sunny."),
    ]
    assert example["parallel_tool_calls"] is False
    assert [tool["function"]["name"] for tool in example["tools"]] == ["get_weather"]
    assert list(traces().to_dataset().frame["tokens"]) == [15]


async def test_reasoning_is_left_out(platform: Platform) -> None:
    platform.connect("responses")
    thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}
    platform.reply(thought, calling("get_weather", city="Rome")).reply(thought, "Sunny.")
    rate(await Runner.run(Agent(name="guide", tools=[get_weather], model="m"), "Rome?"), "up")
    (example,) = traces().to_dataset()
    assert example["messages"] == [
        user("Rome?"),
        called(1, "get_weather", '{"city": "Rome"}'),
        gave(1, "sunny in Rome"),
        said("Sunny."),
    ]


async def test_a_conversation_that_the_platform_keeps_is_whole_where_it_began_in_the_run(platform: Platform) -> None:
    platform.connect("responses")
    platform.reply(calling("get_weather", city="Rome")).reply("Sunny.").reply("Bye.")
    guide = Agent(name="guide", tools=[get_weather], model="m")
    first = await Runner.run(guide, "Rome?", auto_previous_response_id=True)
    second = await Runner.run(guide, "Bye", previous_response_id=first.last_response_id)
    rate(first, "up")
    rate(second, "up")
    dataset = traces().to_dataset()
    assert [[message["role"] for message in example["messages"]] for example in dataset] == [
        ["user", "assistant", "tool", "assistant"]
    ]
    assert left_out(dataset) == [("guide", "history on the platform")]


async def test_runs_that_used_the_platforms_tools_are_left_out(platform: Platform) -> None:
    platform.connect("responses")
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    platform.reply(search, "Found.")
    rate(await Runner.run(Agent(name="guide", tools=[agentkit.WebSearchTool()], model="m"), "Rome?"), "up")
    dataset = traces().to_dataset()
    assert left_out(dataset) == [("guide", "other items")]
    assert list(dataset.skipped["detail"]) == ["It has web_search_call, for which the format has no place."]


async def test_answers_that_are_no_good_to_learn_are_left_out(platform: Platform) -> None:
    platform.connect("responses")
    part = {"type": "output_text", "text": "I was cut", "annotations": []}
    stopped = {"type": "message", "id": "m", "role": "assistant", "status": "incomplete", "content": [part]}
    refused = {**stopped, "status": "completed", "content": [{"type": "refusal", "refusal": "No."}]}
    for item in (stopped, refused, {**refused, "content": [{**part, "text": ""}]}):
        model = ScriptedModel(item)
        liked_run = await Runner.run(Agent(name="guide", model=model), "Rome?")
        rate(liked_run, "up")
    assert left_out(traces().to_dataset()) == [
        ("guide", "no answer"),
        ("guide", "refusal"),
        ("guide", "incomplete answer"),
    ]


def test_runs_that_failed_were_stopped_or_did_not_end_are_left_out() -> None:
    with pytest.raises(RuntimeError):
        Runner.run_sync(agent(RuntimeError("no luck")), "a")
    with pytest.raises(agentkit.MaxTurnsExceeded):
        Runner.run_sync(agent(call("get_weather", city="Rome"), tools=[get_weather]), "b", max_turns=1)
    with trace("nothing"):
        pass
    unfinished = trace("half")
    unfinished.start()
    try:
        dataset = traces().to_dataset(rating=None)
    finally:
        unfinished.finish()
    assert left_out(dataset) == [
        (None, "running"),
        (None, "no model call"),
        (None, "max_turns"),
        (None, "error"),
    ]
    assert "no luck" in dataset.skipped["detail"].iloc[-1]


def test_a_run_that_its_process_did_not_end_is_left_out() -> None:
    code = """if True:
        import os
        import agentkit.tracing as tracing

        started = tracing.trace("cut off")
        started.start(mark_as_current=True)
        tracing.flush_traces()
        os._exit(1)
    """
    subprocess.run([sys.executable, "-c", code], check=False)
    assert left_out(traces().to_dataset(rating=None)) == [(None, "unfinished")]


def test_what_was_said_before_an_approval_is_in_the_example_that_follows_it_without_weight() -> None:
    @function_tool(needs_approval=True)
    def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    guide = agent(call("pay", amount=3), "Done.", tools=[pay])
    waiting = Runner.run_sync(guide, "Pay 3.")
    state = waiting.to_state()
    state.approve(waiting.interruptions[0])
    rate(Runner.run_sync(guide, state), "up")
    dataset = traces().to_dataset(rating=None)
    assert [example["messages"][1:] for example in dataset] == [
        [user("Pay 3."), called(1, "pay", '{"amount":3}', weight=0), gave(1, "paid 3"), said("Done.")]
    ]
    assert left_out(dataset) == [(None, "waiting")]


async def test_a_cancelled_run_is_left_out() -> None:
    started = asyncio.Event()

    @function_tool
    async def wait() -> str:
        """Wait."""
        started.set()
        await asyncio.Event().wait()
        return ""

    run = asyncio.create_task(Runner.run(agent(call("wait"), tools=[wait]), "Wait."))
    await started.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert left_out(traces().to_dataset(rating=None)) == [(None, "cancelled")]


def test_texts_that_were_cut_or_not_recorded_are_no_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_TRACE_MAX_BYTES", "1000")
    guide = agent("Yes.", "y" * 3000, "No.")
    liked(guide, "x" * 3000)
    liked(guide, "A long answer?")
    liked(guide, "Secret?", run_config=RunConfig(trace_include_sensitive_data=False))
    assert left_out(traces().to_dataset()) == [("guide", "not recorded"), ("guide", "cut"), ("guide", "cut")]


def test_a_trace_that_was_deleted_since_is_left_out() -> None:
    Runner.run_sync(agent("1"), "a")
    frame = traces()
    traces.prune(older_than="0s")
    assert left_out(frame.to_dataset(rating=None)) == [(None, "not in the store")]


def test_images_of_the_user_are_kept_unless_not_wanted() -> None:
    url = f"data:image/png;base64,{PNG}"
    content = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": url, "detail": "low"},
    ]
    liked(agent("A dot."), [{"role": "user", "content": content}])
    whole = [content[0], {**content[1], "detail": "original"}]
    liked(agent("A dot."), [{"role": "user", "content": whole}], "down")
    assert traces().to_dataset(rating="down")[0]["messages"][1]["content"][1]["image_url"]["detail"] == "high"
    dataset = traces().to_dataset()
    assert dataset[0]["messages"][1] == user(
        [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url, "detail": "low"}}]
    )
    assert list(dataset.frame["images"]) == [1]
    assert left_out(traces(rating="up").to_dataset(images=False)) == [("guide", "images")]


def test_an_image_that_a_tool_gave_back_follows_it_as_the_model_of_chat_completions_sees_it() -> None:
    @function_tool
    def look() -> agentkit.ToolOutputImage:
        """Look."""
        return agentkit.ToolOutputImage(image_url=f"data:image/png;base64,{PNG}", detail="low")

    liked(agent(call("look"), "A dot.", tools=[look]), "What is there?")
    dataset = traces().to_dataset()
    assert [message["role"] for message in dataset[0]["messages"]][2:] == ["assistant", "tool", "user", "assistant"]
    shown = dataset[0]["messages"][4]["content"]
    assert [shown[0]["text"], shown[1]["image_url"]["detail"]] == ["Returned by the tool call call_1:", "low"]
    assert list(dataset.validate()["line"].dropna()) == []


def test_half_an_emoji_does_no_harm(tmp_path: Path) -> None:
    liked(agent("Yes \ud83d"), "No \ud83d")
    dataset = traces().to_dataset()
    assert dataset[0]["messages"][1:] == [user("No \ud83d"), said("Yes \ud83d")]
    assert json.loads(dataset.to_jsonl(tmp_path / "train.jsonl").read_text("utf-8")) == dataset[0]


def test_files_have_no_place_in_an_example() -> None:
    content = [{"type": "input_file", "file_id": "file-1"}]
    liked(agent("A file."), [{"role": "user", "content": content}])
    liked(agent("A picture."), [{"role": "user", "content": [{"type": "input_image", "file_id": "file-1"}]}])
    assert left_out(traces().to_dataset()) == [("guide", "files")] * 2


def test_instructions_of_developers_are_those_of_a_system() -> None:
    given = [{"role": "developer", "content": "In French."}, {"role": "user", "content": "Hi"}]
    liked(agent("Salut."), given)
    assert [message["role"] for message in traces().to_dataset()[0]["messages"]] == [
        "system",
        "system",
        "user",
        "assistant",
    ]


@dataclass
class Verdict:
    category: str


def test_a_structured_answer_is_its_json() -> None:
    liked(agent('{"category": "billing"}', output_type=Verdict), "I paid twice.")
    assert traces().to_dataset()[0]["messages"][-1] == said('{"category": "billing"}')


def test_a_run_that_ends_with_a_tools_output_ends_with_the_call() -> None:
    guide = agent(call("get_weather", city="Rome"), tools=[get_weather], tool_use_behavior="stop_on_first_tool")
    liked(guide, "Rome?")
    dataset = traces().to_dataset()
    assert dataset[0]["messages"][-1] == called(1, "get_weather", '{"city":"Rome"}')
    assert list(dataset.validate()["line"].dropna()) == []


def test_the_same_conversation_is_in_it_once() -> None:
    for _ in range(3):
        liked(agent(call("get_weather", city="Rome"), "Sunny.", tools=[get_weather]), "Rome?")
    liked(agent("Sunny.", tools=[get_weather]), "Rome?")
    dataset = traces().to_dataset()
    assert (len(dataset), left_out(dataset)) == (2, [("guide", "duplicate")] * 2)
    assert len(traces().to_dataset(dedupe=False)) == 4
    assert left_out(traces().to_dataset(dedupe=False)) == []


def test_keys_are_replaced_or_their_examples_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "tomato-48151623-potato"
    liked(agent(call("get_weather", city=key), f"It is {key}.", tools=[get_weather]), "What is the key?")
    liked(agent("Rome."), "Where?")
    assert sum(key in str(example) for example in traces().to_dataset()) == 1  # nobody knew that it was one

    monkeypatch.setenv("OTHER_API_KEY", key)
    dataset = traces().to_dataset()
    assert key not in str(dataset.examples)
    assert dataset[1]["messages"][2:] == [
        called(1, "get_weather", '{"city":"[redacted]"}'),
        gave(1, "sunny in [redacted]"),
        said("It is [redacted]."),
    ]
    assert list(dataset.frame["redacted"]) == [0, 3]
    assert list(dataset.validate()["level"]) == ["error", "warning"]

    skipping = traces().to_dataset(redact="skip")
    assert (len(skipping), left_out(skipping)) == (1, [("guide", "secret")])
    assert list(skipping.skipped["detail"]) == ["It has a key of this process."]


def test_keys_that_were_taken_out_on_recording_count_too() -> None:
    liked(agent("It is sk-proj-0123456789abcdefghij."), "What is the key?")
    assert list(traces().to_dataset().frame["redacted"]) == [1]
    assert list(traces().to_dataset(redact="skip").skipped["detail"]) == [
        "It has a key that was taken out when it was recorded."
    ]


def test_what_is_private_is_taken_out_by_a_function_of_ones_own() -> None:
    import re

    liked(agent(call("get_weather", city='Rome "a@b.org"'), "Ask a@b.org.", tools=[get_weather]), "I am c@d.org")
    dataset = traces().to_dataset(scrub=lambda text: re.sub(r"[\w.]+@[\w.]+\w", "<e-mail>", text))
    assert "@" not in str(dataset.examples)
    assert [message.get("content") for message in dataset[0]["messages"]] == [
        "Be brief.", "I am <e-mail>", None, 'sunny in Rome "<e-mail>"', "Ask <e-mail>.",
    ]  # fmt: skip
    arguments = dataset[0]["messages"][2]["tool_calls"][0]["function"]["arguments"]
    assert arguments == '{"city":"Rome \\"<e-mail>\\""}'
    assert dataset[0]["tools"][0]["function"]["name"] == "get_weather"

    with pytest.raises(UserError, match="scrub returns a text without what is to be left out, not NoneType None"):
        traces().to_dataset(scrub=lambda text: None)  # type: ignore[arg-type, return-value]


def test_several_runs_of_one_trace_are_examples_of_their_own() -> None:
    guide = agent("1", "2")
    with trace("both") as both:
        Runner.run_sync(guide, "a")
        Runner.run_sync(guide, "b")
    rate(both.trace_id, "up")
    assert [example["messages"][1:] for example in traces().to_dataset()] == [
        [user("a"), said("1")],
        [user("b"), said("2")],
    ]


async def test_examples_of_the_embedded_platform_are_taken_by_its_api_and_by_the_clients_types() -> None:
    backend = agentkit.connect("embedded")
    second = Agent(name="second", instructions="You are second.", tools=[get_weather])
    first = Agent(name="first", instructions="Use tools.", tools=[get_weather], handoffs=[second])
    session = SQLiteSession("s")
    for asked in ("What is the weather in Tokyo?", "Transfer me to second.", "And the weather in Rome?"):
        rate(await Runner.run(first, asked, session=session), "up")
    dataset = traces().to_dataset()
    assert len(dataset) >= 3
    assert list(dataset.validate()["line"].dropna()) == []
    messages: Any = TypeAdapter(list[chat_types.ChatCompletionMessageParam])
    tools: Any = TypeAdapter(list[chat_types.ChatCompletionToolUnionParam])
    for example in dataset:
        plain = [{key: value for key, value in each.items() if key != "weight"} for each in example["messages"]]
        messages.validate_python(plain, extra="forbid")
        tools.validate_python(example["tools"], extra="forbid")
        asked = plain[: max(index for index, each in enumerate(plain) if each["role"] in ("user", "tool")) + 1]
        answer = await backend.client.chat.completions.create(
            model=backend.default_model, messages=asked, tools=example["tools"]
        )
        assert answer.choices[0].message.role == "assistant"
