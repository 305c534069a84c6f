"""Whatever is in a file, the check reports and never crashes; and what it passes quickly is right by the rules."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit import UserError
from agentkit.finetuning import FineTuningDataset, check_file
from agentkit.training_files.checking import Checker
from agentkit.training_files.findings import RULES
from agentkit.training_files.models import is_plain
from agentkit.training_files.parsing import NOTHING, parsed
from agentkit.training_files.reading import RawLine
from agentkit.training_files.rules import problems_in
from tests.unit.finetuning.lines import chat, many, pair, with_call, with_images, written

LINES = [json.dumps(each).encode() for each in (chat(), pair(), with_call(), with_images(), *many(2))]
fuzz = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

texts = st.text(st.characters(), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from(["user", "assistant", "tool", "text", "image_url", "call_1"]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "messages", "type", "tool_calls", "function", "id", "name", "weight"])
            | texts,
            below,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Bytes of lines, of which some are changed, taken out or put in."""
    data = bytearray(b"\n".join(draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=4))))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 3))] = draw(
            st.binary(max_size=3)
            | st.sampled_from([b"\0", b"\n", b'"', b"{", b"]", b"\\ud800", b"NaN", b"1e999", b"\xff", b"\xef\xbb\xbf"])
        )
        data = data or bytearray(b" ")
    return bytes(data)


@st.composite
def odd(draw: st.DrawFn) -> bytes:
    """A line that is JSON, with a value somewhere that doesn't belong there."""
    line: Any = json.loads(draw(st.sampled_from(LINES)))
    at = line
    while True:
        if not at:
            break
        key = draw(st.sampled_from(sorted(at))) if isinstance(at, dict) else draw(st.integers(0, len(at) - 1))
        if not isinstance(at[key], dict | list) or draw(st.integers(0, 3)) == 0:
            at[key] = draw(values)
            break
        at = at[key]
    return json.dumps(line).encode()


def check(data: bytes, kind: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.jsonl")
        path.write_bytes(data)
        report = check_file(path, kind=kind)
    assert set(report["rule"]) <= set(RULES)
    assert report["problem"].str.len().gt(0).all()
    assert report["remedy"].str.len().gt(0).all()
    assert sum(report.counts.values()) == report.errors + report.warnings
    assert repr(report)


@fuzz
@given(st.binary(max_size=400) | spoilt(), st.sampled_from([None, "sft", "dpo"]))
def test_bytes_of_any_kind_never_crash_the_check(data: bytes, kind: Any) -> None:
    check(data, kind)


@fuzz
@given(
    st.lists(odd() | values.map(lambda value: json.dumps(value).encode()), max_size=3), st.sampled_from([None, "dpo"])
)
def test_json_of_any_kind_never_crashes_the_check(lines: list[bytes], kind: Any) -> None:
    check(b"\n".join(lines), kind)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(odd(), st.sampled_from(["sft", "preferences"]))
def test_what_the_models_pass_is_right_by_the_rules(line: bytes, kind: str) -> None:
    value = parsed(line)
    if value is not NOTHING and isinstance(value, dict) and is_plain(kind, value):
        assert list(problems_in(kind, value)) == []


@fuzz
@given(st.lists(st.binary(max_size=40) | odd() | spoilt() | st.sampled_from(LINES), max_size=8), st.booleans())
def test_a_data_set_of_anything_keeps_its_bytes_and_can_be_worked_with(pieces: list[bytes], ends: bool) -> None:
    data = b"\n".join(pieces) + b"\n" * ends
    lines = [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line and not line.isspace()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.jsonl")
        path.write_bytes(data)
        try:
            dataset = FineTuningDataset.from_jsonl(path)
        except UserError as error:
            assert "no file of examples on lines" in str(error)  # noqa: PT017
            return
        assert list(dataset.lines) == lines
        if lines:
            assert dataset.to_jsonl(Path(folder, "copy.jsonl")).read_bytes() == b"\n".join(lines) + b"\n"
        assert set(dataset.check(validation=dataset, max_tokens=20).counts) <= set(RULES)
        assert len(dataset.dedupe(near=True)) <= len(lines)
        assert len(dataset.tokens()) == len(lines)
        assert len(dataset.diff(dataset)) == 0
        assert repr(dataset.preview(9))


@pytest.mark.parametrize("line", [chat(), chat(system=None), *many(2)])
def test_what_most_lines_look_like_needs_no_rules(line: dict[str, Any]) -> None:
    assert is_plain("sft", line)


def test_what_most_pairs_look_like_needs_no_rules() -> None:
    assert is_plain("preferences", pair())


@pytest.mark.parametrize(("weight", "plain"), [(1, True), (0, False), (True, False), (1.0, False), ("1", False)])
def test_odd_weights_are_left_to_the_rules(weight: Any, plain: bool) -> None:
    line = chat()
    line["messages"][-1]["weight"] = weight
    assert is_plain("sft", line) is plain


def test_answers_that_are_not_learnt_need_no_rules_where_the_last_one_is() -> None:
    line = chat()
    line["messages"][1:1] = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi", "weight": 0}]
    assert is_plain("sft", line)


def test_a_file_that_is_wrong_throughout_has_few_rows_and_all_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", ['{"messages": ['] * 5000)
    report = check_file(path, shown=7)
    assert (len(report), report.counts, report.errors) == (7, {"json": 5000}, 5000)
    assert list(report["line"]) == [1, 2, 3, 4, 5, 6, 7]
    assert "(5,000 times)" in repr(report)


def test_long_names_and_keys_are_cut_in_a_report() -> None:
    checker = Checker("sft")
    line = json.dumps({"x" * 100_000: 1, "messages": [{"role": "y" * 100_000, "content": "z"}]}).encode()
    checker.line(RawLine(1, 0, line, len(line)))
    assert max(len(each.field + each.problem) for each in checker.findings) < 400


def test_a_line_of_50_mb_is_checked() -> None:
    checker = Checker("sft")
    line = json.dumps(chat("x" * 50_000_000)).encode()
    checker.line(RawLine(1, 0, line, len(line)))
    assert (checker.findings.counts, checker.examples) == ({}, 1)
    broken = line[:-2]
    checker.line(RawLine(2, 0, broken, len(broken)))
    assert checker.findings.counts == {"json": 1}


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", [chat("x" * 600_000)] * 4)
    told: list[tuple[int, int]] = []
    check_file(path, progress=lambda done, total: told.append((done, total)))
    size = path.stat().st_size
    assert told == [(size // 2, size), (size, size)]
