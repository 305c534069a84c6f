from __future__ import annotations

from typing import Any

import pytest

from agentkit import Agent, HandoffCallItem, HandoffOutputItem, MessageOutputItem, ReasoningItem, ToolCallItem
from agentkit import ToolCallOutputItem as ToolOutput
from agentkit.notebook.display.transcript import Step, Transcript
from agentkit.testing import call, message

AGENT: Agent[Any] = Agent(name="a")


def tool_call(name: str = "add", call_id: str = "c1") -> ToolCallItem:
    return ToolCallItem(AGENT, {**call(name, a=1), "id": "fc", "call_id": call_id})


def output(text: str, call_id: str = "c1", outcome: Any = "ok") -> ToolOutput:
    return ToolOutput(AGENT, {"type": "function_call_output", "call_id": call_id, "output": text}, text, outcome)


def test_streamed_text_is_not_counted_twice() -> None:
    transcript = Transcript()
    transcript.add_text("It is ")
    transcript.add_text("sunny.")
    transcript.add_item(MessageOutputItem(AGENT, message("It is sunny.")))
    assert transcript.answer == "It is sunny."


def test_two_messages_are_two_paragraphs_streamed_or_not() -> None:
    streamed, whole = Transcript(), Transcript()
    first, second = message("One."), message("Two.")
    streamed.add_text("One.")
    assert streamed.begin_message() == "\n\n"
    streamed.add_text("Two.")
    for item in (first, second):
        whole.add_item(MessageOutputItem(AGENT, item))
    assert streamed.answer == whole.answer == "One.\n\nTwo."


def test_the_first_message_begins_nothing() -> None:
    assert Transcript().begin_message() == ""


def test_text_before_a_call_moves_to_the_steps() -> None:
    transcript = Transcript()
    transcript.add_text("Let me see.")
    change = transcript.add_item(tool_call())
    assert change.answer_moved
    assert [step.kind for step in change.steps] == ["text", "call"]
    assert transcript.answer == ""


@pytest.mark.parametrize(
    ("text", "state"), [("3", "ok"), ("An error occurred", "failed"), ("The run was stopped", "stopped")]
)
def test_an_output_ends_its_call(text: str, state: Any) -> None:
    transcript = Transcript()
    transcript.add_item(tool_call(call_id="c1"))
    transcript.add_item(tool_call(call_id="c2"))
    change = transcript.add_item(output(text, "c2", state))
    assert change.steps == [transcript.steps[1]]
    assert [(step.state, step.output) for step in transcript.steps] == [("running", ""), (state, text)]


def test_an_output_of_an_unknown_call_changes_nothing() -> None:
    assert Transcript().add_item(output("3", "c9")).steps == []


def test_a_handoff_ends_with_the_agent_that_takes_over() -> None:
    transcript, other = Transcript(), Agent(name="b")
    transcript.add_item(HandoffCallItem(AGENT, {**call("transfer_to_b"), "call_id": "h1"}))
    done = {"type": "function_call_output", "call_id": "h1", "output": "{}"}
    transcript.add_item(HandoffOutputItem(AGENT, done, AGENT, other))
    assert transcript.steps == [Step("handoff", "h1", "a", output="b", state="ok")]


def test_thoughts_that_may_be_seen_are_steps() -> None:
    transcript = Transcript()
    transcript.add_item(ReasoningItem(AGENT, {"type": "reasoning", "id": "r1", "summary": []}))
    summary = [{"type": "summary_text", "text": "Hmm."}]
    transcript.add_item(ReasoningItem(AGENT, {"type": "reasoning", "id": "r2", "summary": summary}))
    assert transcript.steps == [Step("thought", "r2", "Hmm.", state="ok")]
