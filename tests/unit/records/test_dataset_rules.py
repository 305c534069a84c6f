"""`dataset.validate()`: what OpenAI's platform asks of training data."""

from __future__ import annotations

import base64
import copy
import json
import random
from typing import Any

import pandas as pd
import pytest

from agentkit.records.datasets.dataset import Dataset
from agentkit.training_files.rules import problems_in

Line = dict[str, Any]

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"
GIF = b"GIF89a\x01\0\x01\0\0\0\0"
CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}


def image(data: bytes, detail: str = "auto") -> Line:
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return {"type": "image_url", "image_url": {"url": url, "detail": detail}}


def sft() -> Line:
    return {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "1 and 1?"}, image(PNG)]},
            {"role": "assistant", "tool_calls": [copy.deepcopy(CALL)]},
            {"role": "tool", "content": "2", "tool_call_id": "call_1"},
            {"role": "assistant", "content": "Two.", "weight": 1},
        ],
        "tools": [copy.deepcopy(TOOL)],
        "parallel_tool_calls": False,
    }


def preference() -> Line:
    return {
        "input": {"messages": [{"role": "user", "content": "1 and 1?"}], "tools": [copy.deepcopy(TOOL)]},
        "preferred_output": [{"role": "assistant", "content": "2"}],
        "non_preferred_output": [{"role": "assistant", "content": "3"}],
    }


def case() -> Line:
    return {"messages": [{"role": "user", "content": "1 and 1?"}], "expected": "2", "rejected": None}


LINES = {"sft": sft, "preferences": preference, "evals": case}


def changed(line: Line, path: str, value: Any) -> Line:
    """Return a line with the value at `path` replaced; ... takes it out."""
    *before, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    at: Any = line
    for step in before:
        at = at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return line


@pytest.mark.parametrize("kind", LINES)
def test_what_is_right_has_no_problems(kind: str) -> None:
    assert list(problems_in(kind, LINES[kind]())) == []


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("messages", [], "messages", "is an empty list"),
        ("messages", "text", "messages", "is a text"),
        ("prompt", "text", "prompt", "isn't a field of the format"),
        ("messages.1.role", "human", "messages[1].role", "is 'human'"),
        ("messages.1", "text", "messages[1].role", "is 'text'"),
        ("messages.0.content", None, "messages[0].content", "is missing"),
        ("messages.0.content", 3, "messages[0].content", "is 3"),
        ("messages.0.weight", 0, "messages[0].weight", "isn't a field of a message of role 'system'"),
        ("messages.4.weight", 2, "messages[4].weight", "is 2"),
        ("messages.4.weight", True, "messages[4].weight", "is True"),
        ("messages.4.content", "", "messages[4].content", "is missing"),
        ("messages.4.role", "user", "messages[4].role", "is 'user'"),
        ("messages.4.weight", 0, None, None),
        ("messages.1.content.0.text", None, "messages[1].content[0].text", "is missing"),
        ("messages.1.content.0.type", "input_text", "messages[1].content[0]", "is of type 'input_text'"),
        ("messages.1.content.1.image_url.url", "ftp://a", "messages[1].content[1].image_url.url", "is 'ftp://a'"),
        ("messages.1.content.1.image_url.detail", "fine", "messages[1].content[1].image_url.detail", "is 'fine'"),
        ("messages.1.content.1", image(GIF), "messages[1].content[1].image_url.url", "is image/gif"),
        ("messages.1.content.1", image(b"text"), "messages[1].content[1].image_url.url", "is no known image"),
        ("messages.1.content.1.image_url.url", "data:image/png;base64,?", "messages[1].content[1].image_url.url",
         "is no base64"),
        ("messages.1.content", [image(PNG)] * 11, "messages", "has 11 images"),
        ("messages.1.content.1", image(PNG + bytes(10_000_000)), "messages[1].content[1].image_url.url",
         "has 10,000,029 bytes"),
        ("messages.4.content", [image(PNG)], "messages[4].content[0]", "is an image in a message of role 'assistant'"),
        ("messages.2.tool_calls", [], "messages[2].tool_calls", "is an empty list"),
        ("messages.2.tool_calls.0.id", "", "messages[2].tool_calls[0].id", "is an empty text"),
        ("messages.2.tool_calls.0.type", "custom", "messages[2].tool_calls[0]", "calls no function"),
        ("messages.2.tool_calls.0.function.name", "sub", "messages[2].tool_calls[0].function.name",
         "'sub' isn't among the tools"),
        ("messages.2.tool_calls.0.function.arguments", "[]", "messages[2].tool_calls[0].function.arguments",
         "is no JSON object"),
        ("messages.2.tool_calls.0.function.arguments", {}, "messages[2].tool_calls[0].function.arguments",
         "is no JSON object"),
        ("messages.3.tool_call_id", "call_2", "messages[3].tool_call_id", "answers no call before it"),
        ("messages.3", {"role": "user", "content": "Hm."}, "messages[3]", "comes before the output of call_1"),
        ("tools", [], "tools", "is an empty list"),
        ("tools", [TOOL] * 129, "tools", "is a list"),
        ("tools.0.type", "web_search", "tools[0]", "is no function"),
        ("tools.0.function.name", "add numbers", "tools[0].function.name", "is 'add numbers'"),
        ("tools.0.function.parameters", "none", "tools[0].function.parameters", "is a text"),
        ("parallel_tool_calls", "no", "parallel_tool_calls", "is a text"),
    ],
)  # fmt: skip
def test_each_rule_of_supervised_fine_tuning(path: str, value: Any, field: str | None, problem: str | None) -> None:
    found = [(each.field, each.problem) for each in problems_in("sft", changed(sft(), path, value))]
    if field is None:
        assert found == []
    else:
        assert (field, problem) in found


def test_an_example_teaches_something() -> None:
    line = sft()
    for message in line["messages"]:
        if message["role"] == "assistant":
            message["weight"] = 0
    assert [each.problem for each in problems_in("sft", line)] == [
        "has no message of the assistant but those of weight 0"
    ]
    line = {"messages": [{"role": "system", "content": "Hi"}, {"role": "assistant", "content": "Hi"}]}
    assert [(each.problem, each.level) for each in problems_in("sft", line)] == [
        ("has no message of the user", "warning")
    ]


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("input", None, "input", "is missing"),
        ("messages", [], "messages", "isn't a field of the format"),
        ("input.model", "m", "input.model", "isn't a field of the format"),
        ("input.messages.0.role", "assistant", "input.messages[0].role", "is 'assistant'"),
        ("input.messages.0.content", [image(PNG)], "input.messages", "has images"),
        ("preferred_output", ..., "preferred_output", "is missing"),
        ("preferred_output", [], "preferred_output", "is an empty list"),
        ("preferred_output.0.role", "user", "preferred_output[0].role", "is 'user'"),
        ("preferred_output.0.content", "", "preferred_output[0].content", "is an empty text"),
        ("preferred_output.0.tool_calls", [CALL], "preferred_output[0].tool_calls", "is there"),
        ("non_preferred_output.0.content", "2", "non_preferred_output", "is the same as preferred_output"),
    ],
)
def test_each_rule_of_preference_pairs(path: str, value: Any, field: str, problem: str) -> None:
    found = [(each.field, each.problem) for each in problems_in("preferences", changed(preference(), path, value))]
    assert (field, problem) in found


def test_a_case_ends_with_a_question_and_knows_an_answer() -> None:
    line = changed(case(), "messages.0", {"role": "assistant", "content": "2"})
    assert [each.problem for each in problems_in("evals", line)] == ["is 'assistant'"]
    assert [each.field for each in problems_in("evals", changed(case(), "expected", None))] == ["expected"]


def test_problems_are_a_dataframe_with_line_and_field() -> None:
    lines = [sft() for _ in range(10)]
    changed(lines[6], "messages.1.role", "human")
    frame = pd.DataFrame({"images": [0] * 10, "redacted": [0] * 10})
    dataset = Dataset("sft", lines, frame, pd.DataFrame({"reason": []}))
    assert dataset.validate().values.tolist() == [
        [
            7,
            "messages[1].role",
            "is 'human'",
            "It is one of system, developer, user, assistant, tool.",
            "error",
        ],
        [7, "messages", "has no message of the user", "Models are asked before they answer.", "warning"],
    ]
    few = Dataset("sft", lines[:9], frame.head(9), pd.DataFrame({"reason": []})).validate().head(1)
    assert (few["line"].isna().all(), list(few["problem"]), list(few["remedy"])) == (
        True,
        ["9 examples"],
        ["The platform trains on 10 or more."],
    )


def test_nothing_that_json_can_hold_crashes_the_check() -> None:
    chance = random.Random(5)
    values = [None, True, 0, -1.5, "", "x", "user", "assistant", "tool", [], {}, [None], {"type": "text"}, {"id": []}]

    def spoil(value: Any) -> Any:
        if chance.random() < 0.08:
            return copy.deepcopy(chance.choice(values))
        if isinstance(value, dict):
            return {key: spoil(each) for key, each in value.items() if chance.random() > 0.03}
        return [spoil(each) for each in value] if isinstance(value, list) else value

    for _ in range(1500):
        for kind, make in LINES.items():
            line = spoil(make())
            for problem in problems_in(kind, line):
                assert problem.problem
                assert problem.remedy, json.dumps(line)
