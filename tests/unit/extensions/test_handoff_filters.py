"""Input filters of handoffs, and the prompt about handoffs."""

from __future__ import annotations

from typing import Any

import pytest

from agentkit import Agent, HandoffInputData, RunItem, Runner, function_tool, handoff
from agentkit.extensions import handoff_filters
from agentkit.extensions.handoff_prompt import RECOMMENDED_PROMPT_PREFIX, prompt_with_handoff_instructions
from agentkit.runtime.items import (
    HandoffCallItem,
    HandoffOutputItem,
    MessageOutputItem,
    ReasoningItem,
    ToolApprovalItem,
    ToolCallItem,
    ToolCallOutputItem,
)
from agentkit.testing import ScriptedModel, call

AGENT = Agent[Any](name="a")
USER = {"role": "user", "content": "Hi"}
SAID = {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
THOUGHT = {"type": "reasoning", "id": "rs", "summary": []}
CALL = {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "1", "output": "x"}


def history_after(*items: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    data = handoff_filters.remove_all_tools(HandoffInputData(items, (), ()))
    assert isinstance(data.input_history, tuple)
    return data.input_history


def test_messages_stay_and_calls_with_their_outputs_go() -> None:
    assert history_after(USER, CALL, OUTPUT, SAID) == (USER, SAID)


@pytest.mark.parametrize(
    "kind",
    [
        "additional_tools", "apply_patch_call", "apply_patch_call_output", "code_interpreter_call", "computer_call",
        "computer_call_output", "custom_tool_call", "custom_tool_call_output", "file_search_call",
        "image_generation_call", "local_shell_call", "local_shell_call_output", "mcp_approval_request",
        "mcp_approval_response", "mcp_call", "mcp_list_tools", "program", "program_output", "shell_call",
        "shell_call_output", "tool_search_call", "tool_search_output", "web_search_call",
    ],
)  # fmt: skip
def test_every_kind_of_tool_item_goes(kind: str) -> None:
    assert history_after(USER, {"type": kind, "id": "x"}, SAID) == (USER, SAID)


@pytest.mark.parametrize("kind", ["message", "compaction", "item_reference"])
def test_what_is_of_no_tool_stays(kind: str) -> None:
    item = {"type": kind, "id": "x"}
    assert history_after(item) == (item,)


def test_reasoning_goes_with_the_call_that_it_led_to_and_stays_with_a_message() -> None:
    assert history_after(USER, THOUGHT, CALL, OUTPUT, THOUGHT, SAID) == (USER, THOUGHT, SAID)


def test_reasoning_that_led_to_nothing_goes() -> None:
    assert history_after(USER, SAID, THOUGHT) == (USER, SAID)


def test_text_input_stays_as_it_is() -> None:
    assert handoff_filters.remove_all_tools(HandoffInputData("Hi", (), ())).input_history == "Hi"


def test_items_of_the_run_are_filtered_in_every_part() -> None:
    message, thought = MessageOutputItem(AGENT, SAID), ReasoningItem(AGENT, THOUGHT)
    items: tuple[RunItem, ...] = (
        thought,
        ToolCallItem(AGENT, CALL),
        ToolCallOutputItem(AGENT, OUTPUT, "x"),
        ToolCallItem(AGENT, {"type": "web_search_call", "id": "ws"}),
        ToolApprovalItem(AGENT, CALL),
        HandoffCallItem(AGENT, CALL),
        HandoffOutputItem(AGENT, OUTPUT, AGENT, AGENT),
        message,
    )
    filtered = handoff_filters.remove_all_tools(HandoffInputData("Hi", items, items, input_items=items))
    assert filtered == HandoffInputData("Hi", (message,), (message,), input_items=(message,))


def test_input_items_that_were_not_set_stay_so() -> None:
    assert handoff_filters.remove_all_tools(HandoffInputData("Hi", (), ())).input_items is None


@function_tool
def look_up() -> str:
    return "found"


async def test_the_next_agent_sees_no_tools_and_the_result_keeps_them() -> None:
    model = ScriptedModel().reply(call("look_up")).reply(call("transfer_to_faq")).reply("Done")
    faq = Agent[Any](name="faq", model=model)
    way = handoff(faq, input_filter=handoff_filters.remove_all_tools)
    result = await Runner.run(Agent(name="desk", model=model, tools=[look_up], handoffs=[way]), "Hi")
    assert model.requests[-1].input == [{"role": "user", "content": "Hi"}]
    assert [item.type for item in result.new_items] == [
        "tool_call_item",
        "tool_call_output_item",
        "handoff_call_item",
        "handoff_output_item",
        "message_output_item",
    ]


async def test_nested_history_tells_the_conversation_in_one_message() -> None:
    model = ScriptedModel().reply(call("transfer_to_faq")).reply("Done")
    faq = Agent[Any](name="faq", model=model)
    way = handoff(faq, input_filter=handoff_filters.nest_handoff_history)
    await Runner.run(Agent(name="desk", model=model, handoffs=[way]), "Where is my parcel?")
    (told,) = model.requests[-1].input
    assert told["role"] == "assistant"
    assert "Where is my parcel?" in told["content"]


def test_instructions_about_handoffs_come_before_the_prompt() -> None:
    assert prompt_with_handoff_instructions("Help.") == f"{RECOMMENDED_PROMPT_PREFIX}\nHelp."
    assert "transfer_to_" in RECOMMENDED_PROMPT_PREFIX
