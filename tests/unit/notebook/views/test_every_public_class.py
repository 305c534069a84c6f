"""Every public object can be read: as `repr`, in a terminal, and in a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, is_typeddict

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.lib.pretty import pretty

import agentkit
from tests.unit.notebook.views.catalogue import SECRET, examples

NEVER_HELD = {
    "AsyncOpenAI",  # the platform's library's own
    "Chat",  # shown as a chat: see tests/unit/notebook/chat
    "ItemHelpers",  # only methods of the class
    "Runner",  # the same
    "Session",  # what a session has to have
}
"""Classes of which nobody holds an object, or that aren't ours."""


FRAMES = {"AddReport", "CheckReport", "ComparedScores", "Scores"}
"""Dataframes, which Python shows by what is in them."""
HOLDERS = FRAMES | {"Estimate", "Partial", "ToolOutputFileContent", "ToolOutputImage", "ToolOutputText"}
"""Classes whose `repr` is all that they hold: data of the user's own, or what a model gets."""


@pytest.fixture(autouse=True)
def _disconnected() -> Iterator[None]:
    """Examples connect: tests that follow are not to find it."""
    yield
    agentkit.disconnect()


def public_classes() -> set[str]:
    """Return the names of the classes whose objects a user may hold; errors and dictionaries show themselves."""
    found = {name for name in agentkit.__all__ if isinstance(getattr(agentkit, name), type)}
    own = {name for name in found if not issubclass(getattr(agentkit, name), (BaseException, dict))}
    return {name for name in own if not is_typeddict(getattr(agentkit, name))} - NEVER_HELD


def unreadable(text: str) -> str:
    """Return what keeps a person from reading a text; "" for nothing."""
    if SECRET in text or SECRET[:16] in text:
        return "a key"
    if found := re.search(r"0x[0-9a-f]{6,}|object at|<function|<bound method|mappingproxy|<agentkit\.", text):
        return found.group()
    lines = text.splitlines()
    if not text.strip() or len(lines) > 120 or len(text) > 25_000:
        return f"{len(text):,} characters on {len(lines)} lines"
    return ""


async def test_every_public_class_has_an_example(tmp_path: Path) -> None:
    found = {name for name in await examples(tmp_path) if not issubclass(getattr(agentkit, name), BaseException)}
    assert public_classes() - found == set(), "give an example in catalogue.py"
    assert found - public_classes() == set()


async def test_examples_are_of_their_classes(tmp_path: Path) -> None:
    wrong = {
        name: type(thing)
        for name, thing in (await examples(tmp_path)).items()
        if not isinstance(thing, getattr(agentkit, name))
    }
    assert wrong == {}


async def test_python_shows_each_in_a_line_that_can_be_read(tmp_path: Path) -> None:
    objects = await examples(tmp_path)
    told = {name: repr(thing) for name, thing in objects.items() if not isinstance(thing, BaseException)}
    short = {name: text for name, text in told.items() if name not in HOLDERS}
    assert {name: text for name, text in told.items() if unreadable(text)} == {}
    assert {name: text for name, text in short.items() if len(text) > 1_500 or "\n" in text} == {}
    named = {name: (type(objects[name]).__name__, f"<{name}.") for name in told}  # the latter an Enum's
    named |= dict.fromkeys(FRAMES, ("",)) | {
        "AddReport": ("2 files for",),
        "FineTuningDataset": ("FineTuningDataset ",),
    }
    named["Estimate"] = ("Estimate for SFT of 'tiny-1'",)
    assert {name: text for name, text in told.items() if not text.startswith(named[name])} == {}


async def test_ipython_without_the_extension_shows_each_so_that_it_can_be_read(tmp_path: Path) -> None:
    told = {name: pretty(thing) for name, thing in (await examples(tmp_path)).items()}
    assert {name: text for name, text in told.items() if unreadable(text)} == {}
    assert {name: text for name, text in told.items() if len(text) > 1_500 and name != "Partial"} == {}


async def test_a_notebook_shows_each_so_that_it_can_be_read(loaded: InteractiveShell, tmp_path: Path) -> None:
    formatter: Any = loaded.display_formatter
    bad = {}
    for name, thing in (await examples(tmp_path)).items():
        bundle, _ = formatter.format(thing)
        for kind, text in bundle.items():
            if kind == "text/plain" and (fault := unreadable(text)):
                bad[name, kind] = fault
            if kind == "text/html" and (
                SECRET in text or re.search(r"<script|\son\w+=|0x[0-9a-f]{6,}|object at", text)
            ):
                bad[name, kind] = "unsafe, or an address"
        assert "text/markdown" not in bundle
        assert "image/svg+xml" not in bundle
    assert bad == {}


@pytest.mark.parametrize(
    "name",
    [
        "Agent",
        "Citation",
        "FunctionTool",
        "Handoff",
        "Hit",
        "HostedMCPTool",
        "MessageOutputItem",
        "ModelResponse",
        "ModelSettings",
        "Partial",
        "RunConfig",
        "RunState",
        "SQLiteSession",
        "SearchResult",
        "Usage",
        "VectorStore",
        "WebSearchTool",
    ],
)
async def test_a_notebook_shows_it_as_more_than_text(loaded: InteractiveShell, tmp_path: Path, name: str) -> None:
    formatter: Any = loaded.display_formatter
    bundle, _ = formatter.format((await examples(tmp_path))[name])
    assert 'class="agk"' in bundle["text/html"]
    assert bundle["text/plain"].strip()


async def test_without_the_extension_nothing_of_it_is_left(loaded: InteractiveShell) -> None:
    from agentkit.notebook.formatters import unregister_formatters

    unregister_formatters(loaded)
    formatter: Any = loaded.display_formatter
    assert formatter.format(agentkit.Usage(1))[0] == {"text/plain": "Usage(requests=1)"}
