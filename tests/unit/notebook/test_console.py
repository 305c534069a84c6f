from __future__ import annotations

import io

from agentkit.notebook.display.console import ConsoleView
from agentkit.notebook.display.transcript import Step


def printed(*actions: str | Step) -> str:
    """Return what is printed for pieces of text and steps."""
    stream = io.StringIO()
    view = ConsoleView(stream)
    for action in actions:
        if isinstance(action, Step):
            view.step(action)
        else:
            view.text(action)
    view.close()
    return stream.getvalue()


def test_text_is_printed_as_it_comes_and_ends_with_a_line() -> None:
    assert printed("It is ", "sunny.") == "It is sunny.\n"
    assert printed("It is sunny.\n") == "It is sunny.\n"
    assert printed() == ""


def test_steps_stand_on_lines_of_their_own() -> None:
    running = Step("call", "1", "add", '{"a":1}')
    done = Step("call", "1", "add", '{"a":1}', "2", "ok")
    failed = Step("call", "2", "add", "{}", "An error", "failed")
    moved = Step("text", "t", "Let me see", state="ok")
    handoff = Step("handoff", "3", "a", output="b", state="ok")
    assert printed("Let me see", moved, running, done, failed, handoff, "2") == (
        "Let me see\n✓ add(a=1) → 2\n✗ add() → An error\n→ a hands over to b\n2\n"
    )


def test_a_terminal_gets_no_escapes_and_no_keys() -> None:
    assert printed("a\x1b[2J\x07b sk-proj-abc", "defgh12345678ijkl end") == "ab sk-[redacted] end\n"
