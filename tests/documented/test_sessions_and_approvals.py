"""The documentation's examples of sessions and of human approval."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from running_examples import Run
from scripted_server import ScriptedServer, call


def test_a_session_in_a_file(run: Run) -> None:
    lines = run("sessions/sqlite").lines
    assert lines[-2:] == ["Assistant: Your cat is called Tom.", "4"]
    assert Path("conversation_history.db").exists()


def test_a_session_with_run_sync(run: Run) -> None:
    assert run("sessions/run_sync").lines == ["Your name is Ada."]


def test_operations_of_a_session(run: Run) -> None:
    assert run("sessions/operations").lines == [
        "[]",
        "[{'role': 'assistant', 'content': 'Hi there!'}]",
        "{'role': 'assistant', 'content': 'Hi there!'}",
        "[] None",
    ]


def test_a_question_is_corrected(run: Run) -> None:
    assert run("sessions/correction").lines == [
        "Agent: 2 + 2 = 4.",
        "assistant {'role': 'user', 'content': \"What's 2 + 2?\"}",
        "Agent: 2 + 3 = 5.",
        "2",
    ]


def test_sessions_are_apart_and_shared(run: Run) -> None:
    assert run("sessions/several").lines == ["Your name is Ada.", "Your name is Grace.", "Your name is Ada."]


def test_a_session_of_ones_own(run: Run) -> None:
    assert run("sessions/own_session").lines == ["Your name is Ada.", "['user', 'assistant', 'user', 'assistant']"]


def test_what_of_a_session_is_sent(run: Run, server: ScriptedServer) -> None:
    server.reply("One").reply("Two")
    assert run("sessions/input_callback").lines == ["14"]
    first, second = [[item["content"] for item in sent["input"]] for sent in server.requests]
    assert first == ["Message 8", "Message 9", "Continue from here."]
    assert len(second) == 4
    assert second[-1] == "And on."


def test_a_session_by_sqlalchemy(script: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    pytest.importorskip("aiosqlite")
    done = script("sessions/sqlalchemy_session")  # a Python of its own: nobody closes the database
    assert (done.stdout, done.returncode) == ("Your name is Ada.\n", 0)


def test_approved(run: Run) -> None:
    approved = run("approvals/approve", "y").lines
    assert approved[0] == "The temperature in Oslo is 20° Celsius."
    assert 'Approve get_temperature with {"city": "Oakland"}? [y/N]: ' in approved[1]
    assert approved[1].endswith("The temperature in Oakland is 20° Celsius.")


def test_refused(run: Run) -> None:
    assert "20° Celsius" not in run("approvals/approve", "n").lines[1]


def test_what_the_model_is_told_of_a_rejection(run: Run) -> None:
    waiting = """[('publish_text', '{"text": "Hello"}', 'Publisher')]"""
    assert run("approvals/rejection_message").lines == [
        waiting,
        "['Publish action was canceled because approval was rejected.']",
        waiting,
        "['The reviewer denied approval.']",
    ]


def test_approvals_in_a_streamed_run(run: Run) -> None:
    assert run("approvals/streamed").lines == [
        "tool_called",
        'approving cancel_order {"order_id": 42}',
        "tool_output",
        "message_output_created",
        "Order 42 is cancelled.",
    ]


def test_a_decision_that_stays_survives_the_state(run: Run, server: ScriptedServer) -> None:
    server.reply(call("delete_file", name="a.txt")).reply(call("delete_file", name="b.txt")).reply("Tidy.")
    assert run("approvals/sticky").lines == ["1 ['a.txt is deleted.', 'b.txt is deleted.']", "Tidy."]


def test_an_approval_inside_an_agent_as_tool(run: Run) -> None:
    waiting, outputs = run("approvals/inside_agent_tool").lines
    assert waiting == "[('Refund agent', 'refund_order')]"
    assert outputs == "['Order 42 is refunded.']"
