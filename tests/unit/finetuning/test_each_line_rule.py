"""Every rule about a line or a file has an example that breaks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentkit.finetuning import check_file
from agentkit.training_files.findings import RULES
from agentkit.training_files.rules import LINE_RULES
from tests.unit.finetuning.lines import TOOL, call, chat, image, many, pair, with_call, with_images, written

Case = tuple[str, str, Any, int | None, str, str, str]


def message(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hi"}, fields]}


LEGACY = {
    "messages": [
        {"role": "user", "content": "1 and 1?"},
        {"role": "assistant", "function_call": {"name": "add", "arguments": "{}"}},
        {"role": "function", "name": "add", "content": "2"},
        {"role": "assistant", "content": "Two."},
    ],
    "functions": [{"name": "add", "parameters": {}}],
}

# kind, rule, the line, field, a word of the problem, level
BROKEN = [
    ("sft", "object", "[1, 2]", "", "is a list", "error"),
    ("sft", "unknown-field", chat(prompt="x"), "prompt", "isn't a field", "error"),
    ("sft", "unknown-field", message(role="assistant", content="x", mood="good"), "messages[1].mood", "isn't", "error"),
    ("dpo", "unknown-field", pair() | {"preferred_completion": []}, "preferred_completion", "isn't a field", "error"),
    ("dpo", "unknown-field", pair() | {"preferred_output": [{"role": "assistant", "content": "a", "x": 1}]},
     "preferred_output[0].x", "isn't a field", "error"),
    ("sft", "messages", {"messages": []}, "messages", "is an empty list", "error"),
    ("sft", "role", message(role="human", content="x"), "messages[1].role", "is 'human'", "error"),
    ("sft", "content", {"messages": [{"role": "user", "content": None}, {"role": "assistant", "content": "x"}]},
     "messages[0].content", "is missing", "error"),
    ("sft", "content", {"messages": [{"role": "user", "content": []}, {"role": "assistant", "content": "x"}]},
     "messages[0].content", "is an empty list", "error"),
    ("sft", "content", message(role="assistant", content="x", refusal=3), "messages[1].refusal", "is 3", "error"),
    ("sft", "empty-text", chat(" "), "messages[1].content", "says nothing", "warning"),
    ("sft", "empty-text", chat("a", " \t"), "messages[2].content", "says nothing", "warning"),
    ("sft", "name", message(role="assistant", content="x", name=3), "messages[1].name", "is 3", "error"),
    ("sft", "weight", message(role="assistant", content="x", weight=2), "messages[1].weight", "is 2", "error"),
    ("sft", "part", {"messages": [{"role": "user", "content": [{"type": "input_text", "text": "a"}]},
                                  {"role": "assistant", "content": "x"}]},
     "messages[0].content[0]", "is of type 'input_text'", "error"),
    ("sft", "image", with_images(data=b"GIF89a\x01\0\x01\0\0\0\0"), "messages[0].content[1].image_url.url",
     "is image/gif", "error"),
    ("sft", "images", with_images(11), "messages", "has 11 images", "error"),
    ("dpo", "images", pair() | {"input": {"messages": [{"role": "user", "content": [image()]}]}}, "input.messages",
     "has images", "error"),
    ("sft", "tools", chat(tools=[]), "tools", "is an empty list", "error"),
    ("sft", "tools", chat(tools=[TOOL] * 129), "tools", "is a list", "error"),
    ("sft", "tools", chat(functions=[{"name": "a b"}]), "functions[0].name", "is 'a b'", "error"),
    ("sft", "tool-twice", chat(tools=[TOOL, TOOL]), "tools[1].function.name", "'add' is there twice", "error"),
    ("sft", "parallel-tool-calls", chat(parallel_tool_calls=1), "parallel_tool_calls", "is 1", "error"),
    ("sft", "tool-calls", with_call(arguments="[]"), "messages[1].tool_calls[0].function.arguments",
     "is no JSON object", "error"),
    ("sft", "tool-calls", message(role="assistant", tool_calls=[call(), call()]) | {"tools": [TOOL]},
     "messages[1].tool_calls[1].id", "'call_1' is there twice", "error"),
    ("sft", "tool-calls", message(role="assistant", function_call={"name": "a"}), "messages[1].function_call",
     "is an object", "error"),
    ("sft", "unknown-tool", with_call(name="sub"), "messages[1].tool_calls[0].function.name",
     "'sub' isn't among the tools", "error"),
    ("sft", "tool-output", with_call(identifier="call_2"), "messages[2].tool_call_id", "answers no call", "error"),
    ("sft", "last-message", {"messages": [{"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]},
     "messages[1].role", "is 'user'", "error"),
    ("dpo", "last-message", pair() | {"input": {"messages": [{"role": "assistant", "content": "x"}]}},
     "input.messages[0].role", "is 'assistant'", "error"),
    ("sft", "no-answer", message(role="assistant", content="x", weight=0), "messages", "weight 0", "error"),
    ("sft", "no-question", {"messages": [{"role": "assistant", "content": "x"}]}, "messages", "of the user", "warning"),
    ("dpo", "pair", pair() | {"preferred_output": []}, "preferred_output", "is an empty list", "error"),
    ("dpo", "pair", {"input": {"messages": [{"role": "user", "content": "x"}]}}, "preferred_output", "missing",
     "error"),
    ("dpo", "same-answers", pair("a", "b", "b"), "non_preferred_output", "is the same", "error"),
    ("sft", "deprecated", LEGACY, "functions", "is what tools were called", "warning"),
    ("sft", "mixed-kinds", pair(), "", "is a pair for DPO", "error"),
    ("dpo", "mixed-kinds", chat(), "", "is a conversation for SFT", "error"),
    ("sft", "empty-line", "  ", "", "is empty", "warning"),
    ("sft", "encoding", b'{"messages": "gr\xfcn"}', "", "isn't UTF-8: byte 17 is 0xFC", "error"),
    ("sft", "nul", b'{"messages": "a\0b"}', "", "has a NUL byte at byte 16", "error"),
    ("sft", "nul", chat("a\0b"), "", "has NUL characters", "warning"),
    ("sft", "control-character", '{"messages": "a\tb"}', "", r"has '\t' in a text, at character 16", "error"),
    ("sft", "json", "{'messages': []}", "", "isn't JSON", "error"),
    ("sft", "json", '{"messages": [', "", "isn't JSON", "error"),
    ("sft", "json", "{} {}", "", "isn't JSON: extra data", "error"),
    ("sft", "not-a-number", json.dumps(chat(tools=float("nan"))), "", "has NaN", "error"),
    ("sft", "not-a-number", json.dumps(chat(tools=float("inf"))), "", "has Infinity", "error"),
    ("sft", "number", json.dumps(chat(tools=[TOOL])).replace('"object"', "1e999"), "tools[0].function.parameters.type",
     "64 bits", "error"),
    ("sft", "number", '{"messages": ' + "1" * 5000 + "}", "", "thousands of digits", "error"),
    ("sft", "duplicate-key", '{"messages": [], "messages": []}', "messages", "is there twice", "error"),
    ("sft", "surrogate", json.dumps(chat("\ud83d")), "", "half a character", "error"),
    ("sft", "nesting", '{"messages": ' + "[" * 300 + "]" * 300 + "}", "", "nested", "error"),
    ("sft", "nesting", "[" * 100_000, "", "nested", "error"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "rule", "line", "field", "problem", "level"), BROKEN)
def test_each_rule_of_a_line(
    tmp_path: Path, kind: Any, rule: str, line: Any, field: str, problem: str, level: str
) -> None:
    right = [pair(str(i)) for i in range(50)] if kind == "dpo" else many(50)
    path = written(tmp_path / "train.jsonl", [*right[:2], line, *right[2:]])
    report = check_file(path, kind=kind)
    found = report[report["rule"] == rule]
    assert [(3, field, level)] == list(found[["line", "field", "level"]].itertuples(index=False, name=None))[:1]
    assert problem in found["problem"].iloc[0]
    assert found["remedy"].iloc[0]
    assert set(report["line"]) == {3}, "the others are right"


WHOLE = {
    "not-text": b"\x1f\x8b\x08\0",
    "json-array": json.dumps(many(), indent=1).encode(),
    "bom": b"\xef\xbb\xbf" + b"\n".join(json.dumps(each).encode() for each in many()),
    "too-few": b"\n".join(json.dumps(each).encode() for each in many(9)),
    "few": b"\n".join(json.dumps(each).encode() for each in many(49)),
}


@pytest.mark.parametrize("rule", WHOLE)
def test_each_rule_of_a_file(tmp_path: Path, rule: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(WHOLE[rule])
    report = check_file(path)
    assert rule in set(report["rule"])
    assert report[report["rule"] == rule]["line"].isna().all()


def test_a_byte_order_mark_does_not_spoil_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(WHOLE["bom"])
    assert check_file(path).counts == {"bom": 1}


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        (json.dumps(many()), ["json-array"]),
        (json.dumps(many(), indent=2), ["json-array"]),
        (json.dumps(many()[0], indent=2), ["json-array"]),
        ("[1, 2]\n[3]", ["object", "too-few"]),
        ('{\n{"messages": []}', ["json", "messages", "too-few"]),
    ],
)
def test_one_value_over_many_lines_is_told_once(tmp_path: Path, content: str, rules: list[str]) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(content)
    assert sorted(check_file(path).counts) == rules


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_told_in_one_problem(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes("\n".join(json.dumps(each) for each in many()).encode(encoding))
    assert check_file(path)[["rule", "problem"]].to_numpy().tolist() == [["not-text", "is UTF-16"]]


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", [*many(55), chat("x" * 5000), *many(5)])
    report = check_file(path, max_line_bytes=1000)
    assert report[["line", "rule", "level"]].to_numpy().tolist() == [[56, "line-too-long", "warning"]]
    assert report.examples == 61


def test_images_are_counted_and_limited(tmp_path: Path) -> None:
    line = json.dumps(with_images()).encode() + b"\n"
    path = tmp_path / "train.jsonl"
    path.write_bytes(line * 50_001)
    assert check_file(path)[["rule", "problem"]].to_numpy().tolist() == [["with-images", "50,001 examples with images"]]


def test_the_size_of_a_file_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    with path.open("wb") as file:
        for each in many():
            file.write(json.dumps(each).encode() + b"\n")
        file.truncate(512_000_001)  # sparse: NUL bytes that no line ends
    assert set(check_file(path).counts) == {"line-too-long", "file-size"}


def test_every_rule_of_a_line_has_a_failing_example() -> None:
    of_sets = {
        "duplicate", "near-duplicate", "overlap", "contradiction", "imbalance", "refusals", "missing-system", "tone",
        "truncated", "secret", "personal-data",
    }  # fmt: skip
    here = {"line-too-long", "with-images", "file-size"}
    broken = {case[1] for case in BROKEN} | set(WHOLE) | here
    assert set(LINE_RULES) - {"expected"} <= broken, "cases for evaluations aren't trained on"
    assert set(RULES) - of_sets - {"expected"} == broken
