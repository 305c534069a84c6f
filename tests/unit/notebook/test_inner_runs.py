"""Agents used as tools: what their runs do is shown within the call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from agentkit import Agent, AgentToolStreamEvent, Runner, function_tool
from agentkit.notebook.display.live import LiveView
from agentkit.notebook.display.run_view import run_bundle, step_html
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.transcript import Change, Step, Transcript
from agentkit.testing import ScriptedModel, call

if TYPE_CHECKING:
    from conftest import Run
    from IPython.core.interactiveshell import InteractiveShell


@function_tool
def look_up(topic: str) -> str:
    """Look something up."""
    return f"all about {topic}"


def boss(*, depth: int = 1, calls: int = 1) -> Agent[Any]:
    """Return an agent that asks a researcher, who looks something up; with others between when `depth` is more."""
    model = ScriptedModel()
    for topic in ("tea", "milk")[:calls]:
        model.reply("Let me see.", call("look_up", topic=topic)).reply(f"I know **all** about {topic}.")
    agent = Agent(name="researcher", model=model, tools=[look_up])
    for level in range(depth):
        asks = [call("ask", input=f"Question {number}") for number in range(calls if level == depth - 1 else 1)]
        tool = agent.as_tool("ask", "Asks somebody who knows.")
        agent = Agent(name=f"boss {level}", model=ScriptedModel(asks, "Done."), tools=[tool])
    return agent


async def watched(agent: Agent[Any]) -> tuple[Transcript, list[Change], Any]:
    transcript, changes = Transcript(), []
    result = Runner.run_streamed(agent, "Go")
    async for event in result.stream_events():
        changes.append(transcript.add_event(event))
    return transcript, changes, result


def told(steps: list[Step]) -> list[Any]:
    """Return steps in short: title, output and what is inside."""
    return [
        (step.title, step.output, *([told(step.inner.steps), step.inner.answer] if step.inner else []))
        for step in steps
    ]


RESEARCH = ([("Let me see.", ""), ("look_up", "all about tea")], "I know **all** about tea.")


@pytest.mark.parametrize("depth", [1, 2, 3])
async def test_what_an_agent_used_as_a_tool_does_is_in_its_call(depth: int) -> None:
    transcript, _, result = await watched(boss(depth=depth))
    expected: Any = [("ask", "I know **all** about tea.", *RESEARCH)]
    for _ in range(depth - 1):
        expected = [("ask", "Done.", expected, "Done.")]
    assert told(transcript.steps) == expected
    assert told(Transcript.of(result).steps) == expected


async def test_calls_side_by_side_keep_their_runs_apart() -> None:
    @function_tool
    async def echo(word: str) -> str:
        """Say it again."""
        return word

    def speaker(word: str) -> Agent[Any]:
        return Agent(name=word, model=ScriptedModel(call("echo", word=word), word.upper()), tools=[echo])

    tools = [speaker(word).as_tool(f"say_{word}", "Says it.") for word in "ab"]
    agent = Agent(name="x", model=ScriptedModel([call("say_a", input=""), call("say_b", input="")], "."), tools=tools)
    transcript, _, _ = await watched(agent)
    assert told(transcript.steps) == [("say_a", "A", [("echo", "a")], "A"), ("say_b", "B", [("echo", "b")], "B")]


async def test_each_change_inside_shows_the_outer_call_again() -> None:
    _, changes, _ = await watched(boss(depth=2))
    inside = [
        (depth, step.title, {top.title for top in change.steps}) for change in changes for depth, step in change.inner
    ]
    assert [(depth, title) for depth, title, _ in inside] == [
        (1, "ask"), (2, "Let me see."), (2, "look_up"), (2, "look_up"), (1, "ask"),
    ]  # fmt: skip
    assert all(top == {"ask"} for _, _, top in inside)


async def test_an_event_of_a_call_that_is_not_known_changes_nothing() -> None:
    transcript = Transcript()
    found = [transcript.add_event(event) for event in await inner_events(boss())]
    assert found == [Change()] * len(found)
    assert len(found) > 5


async def inner_events(agent: Agent[Any]) -> list[AgentToolStreamEvent]:
    result = Runner.run_streamed(agent, "Go")
    return [event async for event in result.stream_events() if event.type == "agent_tool_stream_event"]


async def test_text_inside_is_told_in_pieces_that_are_worth_it() -> None:
    words = "word " * 200
    inner = Agent(name="writer", model=ScriptedModel(words))
    agent = Agent(name="x", model=ScriptedModel(call("write", input=""), "."), tools=[inner.as_tool("write", "")])
    _, changes, _ = await watched(agent)
    shown = [change for change in changes if change.steps]
    assert len(words) // 80 < len(shown) < len(words) // 50


def body(agent_result: Any) -> str:
    return run_bundle(agent_result)["text/html"].replace(STYLE, "")


async def test_the_kept_output_has_the_inner_run_folded() -> None:
    html = body(await Runner.run(boss(), "Go"))
    assert '<details class="agk-r"><summary><span class="agk-m agk-ok">✓</span> <span class="agk-n">ask</span>' in html
    inside = html.partition("</summary>")[2]
    assert '<span class="agk-n">look_up</span> <span class="agk-g">topic=&quot;tea&quot;</span>' in inside
    assert html.count("I know") == 1  # the answer is the tool's output: once is enough


async def test_an_answer_that_is_not_the_output_is_shown_too() -> None:
    async def shout(result: Any) -> str:
        return str(result.final_output).upper()

    inner = Agent(name="writer", model=ScriptedModel("It is **quiet**."))
    tool = inner.as_tool("write", "", custom_output_extractor=shout)
    html = body(
        await Runner.run(Agent(name="x", model=ScriptedModel(call("write", input=""), "."), tools=[tool]), "Go")
    )
    assert "<p>It is <strong>quiet</strong>.</p>" in html
    assert "IT IS **QUIET**." in html


def running(inner_steps: int, text: str = "") -> Step:
    inner = Transcript()
    inner.steps = [Step("call", str(n), f"step_{n}", output="x" * 5_000, state="ok") for n in range(inner_steps)]
    inner.add_text(text)
    return Step("call", "c", "ask", "{}", inner=inner)


def test_while_it_goes_on_the_last_of_it_is_unfolded_and_short() -> None:
    html = step_html(running(40, "word " * 5_000 + "and the end"), live=True)
    assert html.startswith('<details class="agk-r" open>')
    assert "▸ 35 before" in html
    assert re.findall("step_[0-9]+", html) == [f"step_{n}" for n in range(35, 40)]
    assert "and the end" in html
    assert len(html) < 2_500


def test_a_key_that_is_cut_off_is_not_shown() -> None:
    key = "sk-proj-abcdefgh12345678ijkl"
    for text in (f"{key} {'x' * 85}", f"It is {key[:20]}"):
        html = step_html(running(0, text), live=True)
        assert not re.search("abcdefgh|12345678|ijkl", html)


class Channel:
    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, content: dict[str, Any]) -> None:
        self.messages.append(content)


class Loop:
    def call_later(self, delay: float, callback: Any) -> Any:
        return self

    def call_soon_threadsafe(self, callback: Any) -> None:
        callback()

    def cancel(self) -> None:
        pass


def test_a_step_that_changes_often_is_sent_once_a_message() -> None:
    channel, loop = Channel(), Loop()
    view = LiveView(channel, loop, on_stop=lambda: None, clock=lambda: 1.0)  # type: ignore[arg-type]
    view.flush()
    step = running(0)
    for _ in range(100):
        view.step(step)
    step.output, step.state = "done", "ok"
    view.flush()
    sent = [op for message in channel.messages for op in message["ops"]]
    assert [op[:2] for op in sent] == [["step", "c"]]
    assert "done" in sent[0][2]


def test_a_terminal_prints_the_inner_steps_indented(run: Run, loaded: InteractiveShell) -> None:
    loaded.user_ns["boss"] = boss()
    assert run("%ask boss Go").stdout.splitlines()[:4] == [
        "  “ Let me see.",
        '  ✓ look_up(topic="tea") → all about tea',
        '✓ ask(input="Question 0") → I know **all** about tea.',
        "Done.",
    ]
