from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core.completer import provisionalcompleter

from agentkit import Agent, function_tool
from agentkit.notebook.completion import MagicCompleter
from agentkit.notebook.magics import MAGICS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

ASK_FLAGS = [
    "--out", "--image", "--file", "--json", "--code", "--dry-run", "--max-turns", "--budget", "--budget-tokens",
    "--model", "--temperature", "--max-tokens", "--set", "--context", "--session", "--new", "--no-session", "--state",
    "--over", "--concurrency", "--missing", "--afresh",
]  # fmt: skip
AGENT_FLAGS = [
    "--tools", "--mcp-servers", "--handoffs", "--handoff-description", "--model", "--output-type", "--instructions",
    "--input-guardrails", "--output-guardrails", "--tool-use", "--hooks", "--temperature", "--top-p", "--max-tokens",
    "--tool-choice", "--parallel-tool-calls", "--frequency-penalty", "--presence-penalty", "--truncation",
    "--reasoning-effort", "--verbosity", "--store", "--metadata", "--set",
]  # fmt: skip


@pytest.fixture
def completer(loaded: InteractiveShell) -> MagicCompleter:
    def get_weather(city: str) -> str:
        return city

    get_weather.__module__ = "__main__"
    loaded.user_ns.update(
        weather=Agent(name="weather", model="gpt-x"),
        wine=Agent(name="wine"),
        add=function_tool(get_weather),
        get_weather=get_weather,
        city="Oslo",
    )
    return MagicCompleter(loaded, {magic.command.name: magic.command for magic in MAGICS})


def offered(completer: MagicCompleter, text: str) -> list[str]:
    """Return what is offered at the end of a cell's text."""
    lines = text.split("\n")
    found = completer.complete(text, len(lines[-1]), len(lines) - 1)
    return [completion.text for completion in found["completions"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%ask ", ["weather", "wine"]),
        ("%%ask wea", ["weather"]),
        ("x = %ask wi", ["wine"]),
        ("x = 1\n%ask we", ["weather"]),
        ("    %ask we", ["weather"]),
        ("%ask --", [*ASK_FLAGS, "--help"]),
        ("%%ask weather --", [*ASK_FLAGS, "--help"]),
        ("%%ask weather --mo", ["--model"]),
        ("%%ask weather --out x --", [*ASK_FLAGS[1:], "--help"]),
        ("%ask weather --model ", ["gpt-x", "rehearsal-1"]),
        ("%ask weather --model=re", ["rehearsal-1"]),
        ("%ask weather --context ci", ["city"]),
        ("%%agent a --tools ", ["add", "get_weather"]),
        ("%%agent a --tools add,get", ["get_weather"]),
        ("%%agent a --tools add ge", ["get_weather"]),
        ("%%agent a --handoffs w", ["weather", "wine"]),
        ("%%agent a ", AGENT_FLAGS),
        ("%%agent a --reasoning-effort m", ["minimal", "medium", "max"]),
        ("%%agent a --store ", ["yes", "no"]),
        ("%%agent a --tool-use ", ["again", "stop", "add"]),
        ("%%agent a --set top_", ["top_p=", "top_logprobs="]),
        ("%%agent a --output-type lis", ["list"]),
        ("%ask weather --missing ", ["empty", "skip", "fail"]),
        ("%session ", ["list", "show", "clear", "branch"]),
        ("%trace --kind h", ["handoff"]),
        ("%traces --agent we", ["weather"]),
        ("%%ask weather\nHow is {{ci", ["city"]),
        ("%ask weather How is {{ ci", ["city"]),
        ("%%agent a\nIn {{ci", ["city"]),
    ],
)  # fmt: skip
def test_tab_offers_what_may_come_next(completer: MagicCompleter, text: str, expected: list[str]) -> None:
    assert offered(completer, text) == expected


@pytest.mark.parametrize(
    "text", ["%ask weather What wea", "%%time we", "wea", "print(wea", "x = {{ci", "%%ask weather\nHow is wea"]
)
def test_tab_offers_nothing_elsewhere(completer: MagicCompleter, text: str) -> None:
    assert offered(completer, text) == []


def test_other_matchers_are_silenced_in_our_magics_only(completer: MagicCompleter) -> None:
    assert completer.complete("%%ask weather --", 16)["suppress"] is True
    assert "suppress" not in completer.complete("wea", 3)


def test_ipython_hears_it(loaded: InteractiveShell, completer: MagicCompleter) -> None:
    with provisionalcompleter():
        found = list(loaded.Completer.completions("%%ask weather --m", 17))
    assert [completion.text for completion in found] == ["--max-turns", "--model", "--max-tokens", "--missing"]
