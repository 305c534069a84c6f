"""Every view of the kit, with one text in each place that takes a text from outside."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel

from agentkit import Agent, GuardrailFunctionOutput, Handoff, Runner, input_guardrail
from agentkit.exceptions import AgentsException
from agentkit.models import AgentOutputSchema
from agentkit.notebook.display.approvals import approval_html
from agentkit.notebook.display.cards import AgentsTable, ToolCards, agent_bundle, tool_bundle
from agentkit.notebook.display.console import ConsoleView
from agentkit.notebook.display.live import LiveView
from agentkit.notebook.display.run_view import run_bundle
from agentkit.notebook.display.transcript import Step, Transcript
from agentkit.notebook.latest import Asked
from agentkit.notebook.running import Question
from agentkit.testing import ScriptedModel, message
from agentkit.tooling import FunctionTool

__all__ = [
    "Bundle",
    "approval_fragments",
    "bundles",
    "console_output",
    "live_html",
    "live_messages",
    "runs",
    "steps_for",
]

Bundle = dict[str, str]


class Report(BaseModel):
    """A structured answer."""

    title: str
    lines: list[str]
    rows: list[dict[str, str]]
    other: dict[str, Any]


@dataclasses.dataclass
class Point:
    """Another."""

    label: str
    tags: tuple[str, ...]


def call_of(name: str, arguments: str) -> dict[str, Any]:
    """Return a call as the model wrote it, whatever the name and the arguments are."""
    return {
        "type": "function_call",
        "id": "",
        "call_id": "",
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def as_json(text: str) -> str:
    """Return arguments that hold the text, as JSON."""
    return json.dumps({"text": text, text[:200]: [text, {"a": text}]})


def thought_of(text: str) -> dict[str, Any]:
    return {"type": "reasoning", "id": "", "summary": [{"type": "summary_text", "text": text}]}


def tools_for(text: str) -> list[FunctionTool]:
    """Return a tool that returns the text, one that fails with it, and one that waits, all described by it."""

    async def give(context: Any, arguments: str) -> str:
        return text

    async def fail(context: Any, arguments: str) -> str:
        raise ValueError(text)

    schema = {
        "type": "object",
        "title": text,
        "properties": {
            text: {"type": "string", "description": text, "default": text},
            "b": {"enum": [text]},
            "c": {"$ref": f"#/$defs/{text}"},
            "d": {"type": "object", "title": text},
            "e": {"const": text},
        },
        "required": ["b"],
    }
    make = dataclasses.replace
    base = FunctionTool("give", text, schema, give, strict_json_schema=False)
    return [base, make(base, name="fail", on_invoke_tool=fail), make(base, name="wait", needs_approval=True)]


def agent_for(text: str, *replies: Any, **fields: Any) -> Agent[Any]:
    """Return an agent whose name, instructions and description are the text."""
    model = ScriptedModel()
    for reply in replies:
        model.reply(*reply) if isinstance(reply, tuple) else model.reply(reply)
    tools = fields.pop("tools", None) or tools_for(text)
    return Agent(
        name=text if text.strip() else "a",
        instructions=text,
        handoff_description=text,
        tools=tools,
        model=model,
        **fields,
    )


async def _last(agent: Agent[Any], asked: str) -> Any:
    """Return the result of a run, also of one that was stopped by an error."""
    try:
        return await Runner.run(agent, asked)
    except AgentsException as error:
        return error.run_data
    except Exception as error:  # what the tool raised
        return getattr(error, "run_data", None)


async def runs(text: str) -> AsyncIterator[tuple[str, Any]]:
    """Yield results whose answers, names, arguments, outputs and errors are the text."""
    arguments = as_json(text)
    calls = (
        thought_of(text),
        message(text),
        call_of("give", arguments),
        call_of("give", text),
        call_of("fail", arguments),
        call_of(text, text),
    )
    yield "run", await _last(agent_for(text, calls, text), text)
    yield "waiting", await _last(agent_for(text, (call_of("wait", arguments), call_of("wait", text))), text)
    answer = Report(title="t", lines=[], rows=[], other={}).model_dump()
    answer |= {"title": text, "lines": [text, text], "rows": [{"a": text}, {"a": text}], "other": {text: [text]}}
    yield "report", await _last(agent_for(text, json.dumps(answer), output_type=Report), text)
    yield "refused", await _last(agent_for(text, json.dumps(answer)[:-9], output_type=Report), text)
    point = json.dumps({"label": text, "tags": [text]})
    yield "point", await _last(agent_for(text, point, output_type=Point), text)
    listed = json.dumps({"response": [text, text]})
    yield "list", await _last(agent_for(text, listed, output_type=list[str]), text)
    inner = agent_for(text, (call_of("give", arguments),), text)
    outer_tool = inner.as_tool("ask", text)
    yield (
        "inner",
        await _last(agent_for(text, call_of("ask", json.dumps({"input": text})), text, tools=[outer_tool]), text),
    )
    yield "guarded", await _last(agent_for(text, text, input_guardrails=[_guardrail(text)]), text)
    yield "failed", await _last(agent_for(text, ValueError(text)), text)
    other = Agent(name=f"{text} other", model=ScriptedModel(text))
    name = Handoff.default_tool_name(other)
    yield "handed over", await _last(agent_for(text, call_of(name, "{}"), handoffs=[other]), text)


def _guardrail(text: str) -> Any:
    @input_guardrail(name=text or "g")
    async def stop(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=text, tripwire_triggered=True)

    return stop


async def bundles(text: str) -> AsyncIterator[tuple[str, Bundle]]:
    """Yield every kept output that can hold the text, by the name of the view."""
    async for name, result in runs(text):
        yield name, run_bundle(result)
        asked = Asked(Question(result.last_agent, text, f"%ask {text}"), 3, Transcript.of(result))
        yield f"{name}, noted", run_bundle(result, text, asked=asked)
    agent = agent_for(text, handoffs=[Agent(name=text if text.strip() else "b", model=text)])
    yield "agent", agent_bundle(agent)
    for tool in agent.tools:
        yield f"tool {tool.name}", tool_bundle(tool)
    yield "tools", ToolCards(tuple(agent.tools))._repr_mimebundle_()
    yield "table", AgentsTable({text: agent}, {text: agent.tools[0]})._repr_mimebundle_()


class _Front:
    """Takes what the live view sends, as the widget does."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, content: dict[str, Any]) -> None:
        self.messages.append(content)


def steps_for(text: str) -> list[Step]:
    """Return steps of each kind, with the text wherever one has a text."""
    inner = Transcript()
    inner.steps = [Step("call", "i", text, text, text, "running"), Step("text", "j", text)]
    inner.add_text(text)
    kinds = [Step(kind, f"{kind}-{text}", text, text, text, "ok") for kind in ("call", "handoff", "text", "thought")]
    states = [
        Step("call", state, text, as_json(text), text, state) for state in ("running", "failed", "rejected", "waiting")
    ]
    return [*kinds, *states, Step("call", "inner", text, text, text, "running", inner)]


async def live_html(text: str) -> tuple[list[str], list[str]]:
    """Return what the front end of a running cell gets: what it puts in as HTML, and what as text."""
    html: list[str] = []
    plain: list[str] = []
    for sent in await live_messages(text):
        for name, *texts in sent.get("ops", []):
            match name:
                case "block" | "live":
                    html.append(texts[0])
                case "step" | "ask":
                    html.append(texts[1])
                case "tail" | "status":
                    plain.append(texts[0])
        if state := sent.get("all"):
            html += [state["done"], state["live"], *(shown for _, shown in state["steps"] + state["asks"])]
            plain.append(state["status"])
    assert html
    return html, plain


async def live_messages(text: str) -> list[dict[str, Any]]:
    """Return every message that the front end of a running cell gets."""
    front, loop = _Front(), asyncio.get_running_loop()
    view = LiveView(front, loop, on_stop=lambda: None, clock=lambda: 0.0)
    view.start()
    view.front_end_says({"kind": "ready"})
    await asyncio.sleep(0)
    size = max(5, len(text) // 40)
    for start in range(0, len(text), size):
        view.text(text[start : start + size])
        view.flush()
    view.text("\n\nafter\n\n")
    view.flush()
    for step in steps_for(text):
        view.step(step)
    view.status(text)
    view.notice(text)
    waiting = asyncio.ensure_future(view.decide(await approval_items(text)))
    await asyncio.sleep(0)
    view.flush()
    view.front_end_says({"kind": "ready"})
    await asyncio.sleep(0)
    view.clear_text()
    view.status(text, schema=AgentOutputSchema(Point))
    view.text(text)
    view.flush()
    view.clear_text()
    view.text(json.dumps({"response": [text, text]})[:-8])
    view.flush()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    view.close()
    await asyncio.sleep(0)
    return front.messages


async def approval_items(text: str) -> list[Any]:
    """Return calls that wait for approval."""
    waiting = await _last(agent_for(text, (call_of("wait", as_json(text)), call_of("wait", text))), text)
    items: list[Any] = waiting.interruptions
    assert len(items) == 2
    return items


async def approval_fragments(text: str) -> list[str]:
    """Return the cards of calls that wait."""
    return [approval_html(item) for item in await approval_items(text)]


async def console_output(text: str) -> str:
    """Return what a terminal gets of a run."""
    stream = io.StringIO()
    view = ConsoleView(stream)
    for start in range(0, len(text), 7 if len(text) < 2_000 else 997):
        view.text(text[start : start + 7] if len(text) < 2_000 else text[start : start + 997])
    for step in steps_for(text):
        view.step(step)
        view.inner_step(step, 1)
    view.notice(text)
    view.note(text)
    view.close()
    return stream.getvalue()
