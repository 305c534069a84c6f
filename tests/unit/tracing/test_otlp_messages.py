"""Items of both APIs as messages by OpenTelemetry's GenAI conventions."""

from __future__ import annotations

from typing import Any

import pytest

from agentkit.tracing.otlp_messages import input_messages, output_messages, tool_definitions


def text(content: str) -> dict[str, str]:
    return {"type": "text", "content": content}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("Hello", {"role": "user", "parts": [text("Hello")]}),
        ({"role": "user", "content": "Hello"}, {"role": "user", "parts": [text("Hello")]}),
        ({"role": "developer", "content": "Be brief"}, {"role": "system", "parts": [text("Be brief")]}),
        (
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]},
            {"role": "assistant", "parts": [text("Hi")]},
        ),
        (
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
            {"role": "assistant", "parts": [{"type": "refusal", "content": "No"}]},
        ),
        (
            {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1}'},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "add", "arguments": {"a": 1}}]},
        ),
        (
            {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{broken"},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "add", "arguments": "{broken"}]},
        ),
        (
            {"type": "function_call_output", "call_id": "c1", "output": "3"},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "3"}]},
        ),
        (
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "First"}, {"text": "then"}]},
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "First\n\nthen"}]},
        ),
        (
            {"type": "web_search_call", "id": "w", "status": "completed", "action": {"query": "x"}},
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "id": "w",
                        "name": "web_search",
                        "server_tool_call": {
                            "type": "web_search_call",
                            "status": "completed",
                            "action": {"query": "x"},
                        },
                    }
                ],
            },
        ),
        (
            {"type": "compaction", "encrypted_content": "…"},
            {"role": "user", "parts": [{"type": "compaction", "encrypted_content": "…"}]},
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "t", "name": "f", "arguments": {}}]},
        ),
        (
            {"role": "tool", "tool_call_id": "t", "content": "ok"},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t", "response": "ok"}]},
        ),
    ],
)
def test_an_item_is_a_message(item: Any, message: dict[str, Any]) -> None:
    assert input_messages([item]) == [message]


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            {"type": "uri", "modality": "image", "uri": "https://example.org/a.png"},
        ),
        ({"type": "input_file", "file_id": "f1"}, {"type": "file", "modality": "document", "file_id": "f1"}),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,BBBB", "filename": "a.pdf"}},
            {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": "BBBB"},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "wav"}},
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "CCCC"},
        ),
        ({"type": "something", "x": 1}, {"type": "something", "x": 1}),
        ("plain", text("plain")),
    ],
)
def test_a_piece_of_content_is_a_part(part: Any, written: dict[str, Any]) -> None:
    assert input_messages([{"role": "user", "content": [part]}]) == [{"role": "user", "parts": [written]}]


def test_the_items_of_one_answer_are_one_message() -> None:
    items = [
        {"role": "user", "content": "Add"},
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "content": "Adding"},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "3"},
    ]
    assert [(message["role"], [part["type"] for part in message["parts"]]) for message in input_messages(items)] == [
        ("user", ["text"]),
        ("assistant", ["text", "tool_call"]),
        ("tool", ["tool_call_response"]),
    ]


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([{"type": "message", "role": "assistant", "content": "Hi"}], "stop"),
        ([{"type": "message", "role": "assistant", "content": "Hi", "status": "incomplete"}], "length"),
        ([{"type": "function_call", "name": "f", "arguments": "{}"}], "tool_call"),
    ],
)
def test_an_answer_says_why_it_ended(items: list[Any], reason: str) -> None:
    (message,) = output_messages(items)
    assert (message["role"], message["finish_reason"]) == ("assistant", reason)


def test_nothing_said_is_no_message() -> None:
    assert output_messages(None) == output_messages([]) == input_messages(None) == []
    assert output_messages([{"type": "reasoning", "encrypted_content": "…", "summary": []}]) == []


def test_tools_of_both_apis_have_kind_and_name() -> None:
    tools = [
        {"type": "function", "name": "add", "description": "Add.", "parameters": {}},
        {"type": "function", "function": {"name": "sub"}},
        {"type": "mcp", "server_label": "files"},
        {"type": "web_search"},
        "odd",
    ]
    assert tool_definitions(tools) == [
        {"type": "function", "name": "add"},
        {"type": "function", "name": "sub"},
        {"type": "mcp", "name": "files"},
        {"type": "web_search", "name": "web_search"},
    ]
    assert tool_definitions(None) == []
