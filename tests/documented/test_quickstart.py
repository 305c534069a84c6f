"""The quickstart of the documentation."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from running_examples import EXAMPLES, Run


def test_hello_world_answers_with_a_haiku(run: Run) -> None:
    assert len(run("quickstart/hello_world").lines) == 3


def test_a_plain_script_runs_with_an_address_and_a_key_in_its_environment(
    script: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = script("quickstart/function_tool")
    assert (done.stdout, done.stderr) == ("The weather in Tokyo is sunny.\n", "")


def test_a_tool_is_called_and_its_result_is_the_answer(run: Run) -> None:
    assert run("quickstart/function_tool").printed == "The weather in Tokyo is sunny.\n"


def test_a_request_goes_to_the_agent_of_its_language(run: Run) -> None:
    name, answer = run("quickstart/handoff_by_language").lines
    assert name == "Spanish agent"
    assert answer.startswith("¡Hola!")


def test_homework_goes_to_the_tutor_of_its_subject(run: Run) -> None:
    assert run("quickstart/orchestration").lines == ["History Tutor", "Math Tutor"]


def test_a_guardrail_lets_homework_through_and_stops_the_rest(run: Run) -> None:
    assert run("quickstart/guardrail").lines == ["History Tutor", "Guardrail tripped: False"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda path: path.stem)
def test_only_the_import_is_another(path: Path) -> None:
    """The examples use nothing of agentkit but what stands where the SDK has it: at the top, or under extensions."""
    source = path.read_text(encoding="utf-8")
    assert "from agentkit" in source
    assert "connect(" not in source
    assert "import agentkit" not in source.replace("from agentkit import", "")
