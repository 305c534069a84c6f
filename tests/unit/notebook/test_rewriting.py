from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from agentkit.notebook.rewriting import Rewriter


def rewriter(*, kernel: object | None = None, autoawait: bool = True) -> Rewriter:
    shell: Any = SimpleNamespace(kernel=kernel, autoawait=autoawait)
    return Rewriter(shell, ["agent", "ask", "tool"])


@pytest.mark.parametrize(
    ("cell", "rewritten"),
    [
        (
            "%%ask weather --out r\nWhat?\n",
            "await get_ipython().run_cell_magic('ask', '--await weather --out r', 'What?\\n')\n",
        ),
        ("%ask weather What's up?", "await get_ipython().run_line_magic('ask', \"--await weather What's up?\")\n"),
        ("%ask weather hi\n\n", "await get_ipython().run_line_magic('ask', '--await weather hi')\n"),
    ],
)
async def test_a_cell_that_asks_awaits_the_answer(cell: str, rewritten: str) -> None:
    assert "".join(rewriter(kernel=object())(cell.splitlines(keepends=True))) == rewritten


@pytest.mark.parametrize(
    "cell",
    [
        "%%asked weather\nWhat?\n",
        "%%time\n%%ask weather\nWhat?\n",
        "%%agent weather\nYou help.\n",
        "x = 1\n%ask weather hi\n",
        "x = %ask weather hi",
        "%ask weather?",
        "%ask?",
        "%%ask?",
        "%ask weather a long \\\nquestion",
        "%other What?",
        "print('%ask weather What?')",
        '"""\n%ask weather What?\n"""\n',
        "",
    ],
)
async def test_all_else_is_left_to_ipython(cell: str) -> None:
    lines = cell.splitlines(keepends=True)
    assert rewriter(kernel=object())(lines) == lines


async def test_nothing_is_awaited_inside_a_running_cell() -> None:
    inside = rewriter(kernel=object())
    inside.before_cell()
    assert inside(["%%ask weather\n", "hi\n"]) == ["%%ask weather\n", "hi\n"]
    inside.before_cell()
    inside.after_cell()
    assert inside(["%ask weather hi\n"]) == ["%ask weather hi\n"]
    inside.after_cell()
    assert inside(["%ask weather hi\n"])[0].startswith("await")


async def test_nothing_is_awaited_in_a_terminal_or_without_autoawait() -> None:
    lines = ["%%ask weather\n", "hi\n"]
    assert rewriter()(lines) == lines
    assert rewriter(kernel=object(), autoawait=False)(lines) == lines


def test_nothing_is_awaited_without_a_running_loop() -> None:
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    assert rewriter(kernel=object())(["%ask weather hi\n"]) == ["%ask weather hi\n"]


def test_a_question_is_no_call_for_help() -> None:
    lines = ["for c in cities:\n", "    r = %ask weather What about {{c}}?\n", '%ask weather And "you"?']
    assert rewriter()(lines) == [
        "for c in cities:\n",
        "    r = get_ipython().run_line_magic('ask', 'weather What about {{c}}?')\n",
        "get_ipython().run_line_magic('ask', 'weather And \"you\"?')\n",
    ]


def test_a_cell_magic_without_text_gets_to_say_what_it_misses() -> None:
    assert rewriter()(["%%agent --help"]) == ["get_ipython().run_cell_magic('agent', '--help', '\\n')\n"]
    assert rewriter()(["%%time"]) == ["%%time"]
