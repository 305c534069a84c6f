"""Files are checked without anything else of the kit: what the trainer does before it trains."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from agentkit.exceptions import UserError
from agentkit.finetuning import check_file
from agentkit.training_files import check_path
from tests.unit.finetuning.lines import chat, many, pair, written
from tests.unit.finetuning.test_fuzzed_files import odd, spoilt


def test_a_right_file_is_ok(tmp_path: Path) -> None:
    checker = check_path(written(tmp_path / "train.jsonl", many()))
    assert (checker.ok, checker.kind, checker.examples, checker.problems()) == (True, "sft", 60, [])


def test_the_first_problems_have_line_field_and_remedy(tmp_path: Path) -> None:
    lines = many()
    lines[3]["messages"][2]["role"] = "bot"
    lines[7] = chat(weight=1)
    checker = check_path(written(tmp_path / "train.jsonl", lines))
    assert not checker.ok
    assert [(each.line, each.field, each.problem, each.remedy) for each in checker.problems(2)] == [
        (4, "messages[2].role", "is 'bot'", "It is one of system, developer, user, assistant, tool."),
        (4, "messages[2].role", "is 'bot'", "The last message is the assistant's."),
    ]
    assert checker.problems()[-1][:3] == (8, "weight", "unknown-field")


def test_warnings_are_no_problems(tmp_path: Path) -> None:
    checker = check_path(written(tmp_path / "train.jsonl", many(12)))
    assert (checker.ok, checker.problems(), [each.rule for each in checker.findings]) == (True, [], ["few"])


@pytest.mark.parametrize(("content", "rule"), [(b"\x1f\x8b\x08\0", "not-text"), (b"[\n{}\n]", "json-array")])
def test_what_is_no_file_of_lines_is_told(tmp_path: Path, content: bytes, rule: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(content)
    assert [each.rule for each in check_path(path).problems()] == [rule]


def test_a_file_of_the_other_kind_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "pairs.jsonl", [pair(f"{n}?") for n in range(60)])
    assert check_path(path).kind == "dpo"
    assert {each.rule for each in check_path(path, kind="sft").problems(100)} == {"mixed-kinds"}


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        check_path(tmp_path / "none.jsonl")
    with pytest.raises(UserError, match='kind is "sft", "dpo" or None'):
        check_path(written(tmp_path / "train.jsonl", many()), kind="evals")  # type: ignore[arg-type]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoilt() | odd())
def test_a_fuzzed_file_is_only_told_of_and_both_ways_to_check_agree(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.jsonl")
        path.write_bytes(b"\n".join([data, *[json.dumps(each).encode() for each in many()]]))
        checker, report = check_path(path), check_file(path)
        assert checker.ok == report.ok
        assert [tuple(each) for each in checker.problems(1000)] == _rows(report)


def _rows(report: Any) -> list[tuple[Any, ...]]:
    errors = report[report["level"] == "error"]
    return [
        (None if str(line) == "<NA>" else int(line), *rest) for line, *rest in errors.itertuples(index=False, name=None)
    ]


def test_neither_pandas_nor_the_rest_of_the_kit_is_loaded() -> None:
    command = "import sys, agentkit.training_files; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded & {"pandas", "numpy", "openai", "torch", "matplotlib", "agentkit.runtime", "agentkit.local"} == set()
    assert "agentkit.training_files.checking" in loaded
