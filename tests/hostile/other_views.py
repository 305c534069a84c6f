"""The views that aren't of one run: values, conversations, requests, reports, chats, batches and graphs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from every_store_view import citing_items, store_bundles, store_fragments
from every_view import Bundle, Point, agent_for, as_json, call_of, steps_for

from agentkit import Agent
from agentkit.models import AgentOutputSchema
from agentkit.notebook.browser.kept import kept_page
from agentkit.notebook.browser.pages import Listed, Page
from agentkit.notebook.browser.wanted import Wanted
from agentkit.notebook.chat.front import Frame, FrontEnd
from agentkit.notebook.chat.kept import kept_bundle
from agentkit.notebook.chat.turns import AttachedFile, Turn, TurnTree
from agentkit.notebook.conversation_list import Conversation
from agentkit.notebook.display.conversation_view import ConversationList, ConversationText
from agentkit.notebook.display.filling import PartialView
from agentkit.notebook.display.listing import Listing
from agentkit.notebook.display.trace_view import trace_bundle
from agentkit.notebook.display.value_text import value_text
from agentkit.notebook.display.values import value_html
from agentkit.notebook.doctor.findings import Finding
from agentkit.notebook.doctor.report import Report, scan_report
from agentkit.notebook.doctor.scan import Scan
from agentkit.notebook.dry_run import DryRun
from agentkit.notebook.over.summary import summary_bundle
from agentkit.notebook.over.watching import progress_html
from agentkit.notebook.token_estimate import TokenEstimate
from agentkit.records.opened import RecordedNote, RecordedTrace
from agentkit.runtime.batch import Batch, BatchOptions
from agentkit.runtime.batch.outcome import BatchProgress

__all__ = ["chat_messages", "fragments", "leaves", "other_bundles"]


async def other_bundles(text: str) -> AsyncIterator[tuple[str, Bundle]]:
    """Yield every kept output besides those of runs, with the text in each of its places."""
    for name, shown in _shown(text):
        yield name, shown._repr_mimebundle_()
    tree = _tree(text)
    yield "chat", kept_bundle(tree, tree.path(), title=text, agent=text)
    yield "chat, a turn", kept_bundle(tree, tree.path()[:1], title="", agent=text, part=True)
    yield "trace", trace_bundle(_trace(text))
    listed = Listed(text, text, text, text, 0, text, text, text, text, text, text, text, text)
    yield "traces", kept_page(Page([listed], 0, 99), Wanted(agent=text, model=text, status=text, text=text))
    with pd.option_context("mode.string_storage", "python"):  # Arrow's texts have no place for half an emoji
        stores = list(store_bundles(text))
        batches = [(name, summary_bundle(batch, batch.result(), text)) for name, batch in await _batches(text)]
    for each in (*stores, *batches):
        yield each


def _trace(text: str) -> RecordedTrace:
    """Return a recorded trace with the text in every place that takes one."""
    content = [{"type": "input_text", "text": text}, {"type": "input_image", "image_url": text}]
    values = (text, [{"role": text, "content": content}], {text: [text]})
    error = json.dumps({"message": text, "data": {text: text}})
    row = {"trace_id": text, "workflow": text, "status": text, "agents": text, "models": text, "started_ns": 1}
    row |= {"input": json.dumps(values[1]), "output": json.dumps(text), "error": error}
    spans: list[dict[str, Any]] = []
    for number, kind in enumerate(("agent", "response", "function", "custom", text)):
        stored = json.dumps(values[number % 3])
        own = {"trace_id": text, "span_id": str(number), "kind": kind, "started_ns": number, "ended_ns": number + 9}
        texts = {"name": text, "model": text, "agent": text, "input": stored, "output": stored, "data": stored}
        spans.append({**own, **texts, "status": "error", "error": error})
    trace = RecordedTrace(row | {"metadata": json.dumps({text: text})}, spans)
    trace._notes = [RecordedNote("", text, text, trace.started_at), RecordedNote("1", text, text, trace.started_at)]
    return trace


def _shown(text: str) -> Iterator[tuple[str, Any]]:
    """Yield objects that show themselves."""
    conversation = Conversation(text, None, text, 3, text, "2026-11-21")
    yield "conversations", ConversationList([conversation, conversation], everywhere=True)
    yield "conversation", ConversationText(text, _items(text))
    yield "citing conversation", ConversationText(text, citing_items(text))
    yield "request", _request(text)
    yield "listing", Listing(text, [[text, text], ["a", text]], [text, text], frozenset({0}), frozenset({1}), text)
    inner = agent_for(text).as_tool(tool_name="ask", tool_description=text)
    agents = agent_for(text, handoffs=[agent_for(f"{text} b"), agent_for(text)], tools=[inner])
    yield "graph", agents.graph()
    finding = Finding("bad", text, text, (text, text))
    yield "report", Report(text, {text: [finding], "fine": [Finding("ok", text, text)]})
    yield "scan", scan_report([Scan(Path(text[:200] or "x"), problem=text)])


def _items(text: str) -> list[dict[str, Any]]:
    part = {"type": "output_text", "text": text}
    image = {"type": "input_image", "image_url": text}
    file = {"type": "input_file", "filename": text, "file_data": f"data:{text}"}
    call = call_of(text, as_json(text)) | {"call_id": "1"}
    return [
        {"role": "user", "content": text},
        {"role": "user", "content": [{"type": "input_text", "text": text}, image, file]},
        {"role": "assistant", "type": "message", "content": [part]},
        {"role": text, "content": text},
        call,
        {"type": "function_call_output", "call_id": "1", "output": text},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]},
        {"type": text, "content": [{"type": text}]},
    ]


def _request(text: str) -> DryRun:
    tool = {"type": "function", "name": text, "description": text, "parameters": {"properties": {text: {}}}}
    return DryRun(
        agent=text,
        model=text,
        address=text,
        instructions=text,
        messages=_items(text),
        earlier=2,
        tools=[tool, {"type": text}],
        settings={"stop": text, "output_type": text},
        body={"input": text, text[:100]: [text]},
        estimate=TokenEstimate(10, 1),
        max_turns=3,
    )


def _turn(text: str, number: int, parent: str | None, **fields: Any) -> Turn:
    files = [AttachedFile(text, text, 12_345)]
    told = {"agent": text, "model": text, "usage_line": text, "note": text, "remark": text, "question": text}
    steps = steps_for(text)
    return Turn(
        f"t{number}",
        parent,
        0,
        files=files,
        status="completed",
        answer=text,
        steps=steps,
        rating="down",
        **told,
        **fields,
    )


def _tree(text: str) -> TurnTree:
    tree = TurnTree()
    for number, parent in enumerate((None, None, "t1", "t1")):
        tree.add(_turn(text, number, parent))
    answer = json.dumps({"title": text, text[:100]: [text], "rows": [{"a": text}]})
    structured = _turn(text, 9, "t3", structured=True)
    structured.answer = answer
    tree.add(structured)
    return tree


async def _batches(text: str) -> list[tuple[str, Batch]]:
    """Return batches over a frame whose columns, index and cells are the text."""
    name = text[:50]
    frame = pd.DataFrame({name: [text, "b"], "c": [[text], {"a": text}]}, index=pd.Index([text, "i"], name=name))
    options = BatchOptions(resume=False, run_config=None)
    good = Batch(agent_for(text, text, text), frame, "What of {{c}}?", options)
    bad = Batch(agent_for(text, ValueError(text), ValueError(text)), frame, "What of {{c}}?", options)
    point = json.dumps({"label": text, "tags": [text]})
    typed = Batch(agent_for(text, point, point, output_type=Point), frame, "What of {{c}}?", options)
    batches = [("batch", good), ("failed batch", bad), ("typed batch", typed)]
    for _, batch in batches:
        await batch.run()
    return batches


def fragments(text: str) -> Iterator[str]:
    """Yield the pieces of HTML that widgets are sent beside those of a run."""
    yield progress_html(BatchProgress(3, ok=1, failed=1, last_error=text))
    yield from store_fragments(text)
    for value in (
        text,
        [text],
        {text: text},
        [{text: text, "b": [text]}],
        Point(text, (text,)),
        {"a": {"b": {"c": text}}},
    ):
        yield value_html(value)
        assert value_text(value) is not None
    partial = PartialView(AgentOutputSchema(Point))
    data = json.dumps({"label": text, "tags": [text]})
    for start in range(0, len(data), max(11, len(data) // 20)):
        partial.feed(data[start : start + max(11, len(data) // 20)])
        yield partial.html()
    no_json = PartialView(AgentOutputSchema(Point))
    no_json.feed(text)
    yield no_json.html()


async def chat_messages(text: str) -> list[dict[str, Any]]:
    """Return what the front end of a chat is sent."""
    sent: list[dict[str, Any]] = []
    channel = SimpleNamespace(send=sent.append)
    frame = Frame(text, [text], lambda: [text])
    front = FrontEnd(channel, asyncio.get_running_loop(), frame)
    record = SimpleNamespace(model=text)
    front.talk = SimpleNamespace(
        agent=Agent(name=text if text.strip() else "a"), record=record, tree=_tree(text), busy=False
    )
    front.says({"kind": "ready"})
    front.says({"kind": "upload", "key": "1", "name": text, "last": True}, [b"some text"])
    await asyncio.sleep(0)
    front.tell(text, back=text)
    return sent


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield every text in a JSON value, with the keys that lead to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from leaves(part, path)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, key))
