"""Errors of any kind lose their keys before they are shown; nothing else of them changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from agentkit import _secrets
from agentkit.notebook.tracebacks import guard_tracebacks, safe_lines, unguard_tracebacks, without_keys

KEY = "sk-proj-" + "abc123def456" * 3


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_secrets, "_registered", set())


@pytest.fixture
def guarded(shell: InteractiveShell) -> Iterator[InteractiveShell]:
    guard_tracebacks(shell)
    yield shell
    unguard_tracebacks(shell)


def shown(shell: InteractiveShell, code: str) -> str:
    """Return what a terminal shows of a cell."""
    with capture_output() as captured:
        shell.run_cell(code)
    return captured.stdout + captured.stderr


def test_an_error_without_a_key_is_left_alone() -> None:
    error = ValueError("no", ["such"], {"thing": b"x"})
    before = error.args
    assert without_keys(error) is error
    assert all(a is b for a, b in zip(error.args, before, strict=True))


def test_a_key_is_taken_out_of_arguments_attributes_and_notes() -> None:
    error = ValueError(f"bad {KEY}", [KEY, 1], {"key": f"{KEY}".encode(), KEY: (KEY,)})
    error.add_note(KEY)
    error.body = {"sent": [KEY]}  # type: ignore[attr-defined]
    assert without_keys(error) is error
    bare = "sk-[redacted]"
    assert error.args == (f"bad {bare}", [bare, 1], {"key": bare.encode(), bare: (bare,)})
    assert (error.__notes__, vars(error)["body"]) == ([bare], {"sent": [bare]})


def test_the_errors_behind_an_error_lose_theirs_too() -> None:
    first, second, third = KeyError(KEY), OSError(2, KEY, KEY), ValueError(KEY)
    first.__cause__, second.__context__ = second, third
    group = ExceptionGroup("several", [first])
    without_keys(group)
    assert KEY not in f"{first!r} {second!r} {second.filename} {third!r}"


def test_errors_that_lead_to_each_other_are_gone_through_once() -> None:
    first, second = ValueError(KEY), ValueError(KEY)
    first.__context__, second.__context__ = second, first
    without_keys(first)
    assert (str(first), str(second)) == ("sk-[redacted]", "sk-[redacted]")


def test_the_line_that_a_syntax_error_quotes_loses_its_key() -> None:
    error = SyntaxError("invalid syntax", ("<cell>", 1, 1, f"it is {KEY}"))
    without_keys(error)
    assert error.text == "it is sk-[redacted]"


def test_an_error_that_makes_its_own_text_is_replaced_by_one_of_the_same_name() -> None:
    class RefusedError(Exception):
        def __str__(self) -> str:
            return f"refused {KEY}"

    error = RefusedError()
    error.__cause__ = ValueError("why")
    other = without_keys(error)
    assert (type(other).__name__, str(other), other.__cause__) == (
        "RefusedError",
        "refused sk-[redacted]",
        error.__cause__,
    )


def test_a_key_in_pieces_of_several_colours_is_found() -> None:
    line = f"\x1b[31m{KEY[:10]}\x1b[0m\x1b[32m{KEY[10:]}\x1b[0m"
    assert safe_lines([line, "\x1b[31mred\x1b[0m\x1b[2J"]) == ["sk-[redacted]", "\x1b[31mred\x1b[0m"]


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose", "Minimal"])
def test_no_traceback_shows_a_key(guarded: InteractiveShell, mode: str) -> None:
    guarded.user_ns["key"] = KEY
    guarded.run_line_magic("xmode", mode)
    code = "def f(own):\n    local = {'key': own}\n    try:\n        1 / 0\n    except ZeroDivisionError as e:\n"
    code += "        raise RuntimeError('no', local) from e\nf(key)"
    text = shown(guarded, code)
    assert "RuntimeError" in text
    assert "[redacted]" in text
    assert KEY not in text + shown(guarded, "%tb")


def test_a_traceback_is_otherwise_as_it_was(shell: InteractiveShell) -> None:
    code = "def f(x):\n    return 1 / x\nf(0)"
    before = shown(shell, code)
    guard_tracebacks(shell)
    assert shown(shell, code).replace("In[2]", "In[1]") == before.replace("In[2]", "In[1]")
    unguard_tracebacks(shell)
    assert shell.custom_exceptions == ()


def test_another_who_handles_errors_is_left_to_it(shell: InteractiveShell) -> None:
    shell.set_custom_exc((ValueError,), lambda *arguments, **options: None)
    guard_tracebacks(shell)
    assert shell.custom_exceptions == (ValueError,)
    unguard_tracebacks(shell)
    assert shell.custom_exceptions == (ValueError,)


def test_half_a_surrogate_pair_does_not_end_the_guard(guarded: InteractiveShell) -> None:
    shown(guarded, "raise ValueError('a\\ud800b')").encode()
    guarded.user_ns["key"] = KEY
    assert "sk-[redacted]" in shown(guarded, "raise ValueError(key)")


def test_an_error_that_cannot_be_shown_is_told_and_the_guard_stays(guarded: InteractiveShell) -> None:
    class OddError(Exception):
        def _render_traceback_(self) -> list[str]:
            raise MemoryError("no")

    guarded.user_ns |= {"OddError": OddError, "key": KEY}
    shown(guarded, "raise OddError('x')")
    assert guarded.custom_exceptions == (Exception, KeyboardInterrupt, asyncio.CancelledError)
    assert "sk-[redacted]" in shown(guarded, "raise ValueError(key)")


def test_what_is_said_of_tasks_that_nobody_waits_for_has_no_key(
    guarded: InteractiveShell, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.new_event_loop()
    loop.call_exception_handler({"message": f"lost {KEY}", "exception": ValueError(KEY)})
    loop.close()
    [record] = caplog.records
    assert "lost sk-[redacted]" in record.getMessage()
    assert KEY not in logging.Formatter().format(record)


@pytest.mark.parametrize("error", ["KeyboardInterrupt()", "asyncio.CancelledError('no')"])
def test_an_interrupted_run_is_one_line_and_its_traceback_a_command_away(guarded: InteractiveShell, error: str) -> None:
    start = "import asyncio\nfrom agentkit import Agent, Runner\nfrom agentkit.testing import ScriptedModel\n"
    start += f"def stop(context, agent): raise {error}\n"
    start += "a = Agent(name='a', instructions=stop, model=ScriptedModel())\n"
    text = shown(guarded, f"{start}await Runner.run(a, 'hi')")
    assert text == "Interrupted: the run was stopped. %tb shows where.\n"
    whole = shown(guarded, "%tb")
    assert "in stop(context, agent)" in whole
    assert whole.count("\n") > 10


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (f"KeyboardInterrupt('3 of 9 files are in {KEY}.')", "3 of 9 files are in sk-[redacted]."),
        ("KeyboardInterrupt()", "what the cell waited for was stopped."),
    ],
)
def test_an_interrupt_of_what_is_no_run_says_what_it_knows(guarded: InteractiveShell, error: str, told: str) -> None:
    start = "from agentkit.runtime.background import run_blocking\n"
    text = shown(guarded, f"{start}async def stop(): raise {error}\nrun_blocking(stop())")
    assert text == f"Interrupted: {told} %tb shows where.\n"


def test_an_interrupt_of_anything_else_is_shown_as_ever_but_for_keys(guarded: InteractiveShell) -> None:
    guarded.user_ns["key"] = KEY
    guarded.run_line_magic("xmode", "Verbose")
    text = shown(guarded, "def f(own):\n    raise KeyboardInterrupt\nf(key)")
    assert "KeyboardInterrupt" in text
    assert "Traceback (most recent call last)" in text
    assert "[redacted]" in text
    assert KEY not in text
