"""Each hostile text in each place of each view: what comes out is on the list of what an output may be made of."""

from __future__ import annotations

import pytest
from corpus import HOSTILE, Hostile
from every_store_view import citing_runs, store_messages
from every_view import approval_fragments, bundles, console_output, live_html
from harmless import assert_harmless, assert_plain
from other_views import chat_messages, fragments, leaves, other_bundles

from agentkit.notebook.display.citations import sources_text
from agentkit.notebook.display.file_search import Citation, Passage

_ENOUGH = 400
"""Characters of the texts that are there for their length, which are whole in `test_hostile_sizes`."""

texts = pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.id)


def beginning(hostile: Hostile) -> str:
    """Return a text, or the beginning of one that goes on and on."""
    return hostile.text[:_ENOUGH] if hostile.kind == "size" else hostile.text


@texts
async def test_what_is_kept_is_harmless(hostile: Hostile) -> None:
    text = beginning(hostile)
    names = []
    async for name, bundle in bundles(text):
        names.append(name)
        assert {"text/html", "text/plain"} == set(bundle), name
        assert_harmless(bundle["text/html"])
        assert_plain(bundle["text/plain"])
        assert sum(map(len, bundle.values())) < 60_000 + 400 * len(text), name
    assert len(names) == len(set(names)) >= 26


@texts
async def test_what_is_kept_of_all_else_is_harmless(hostile: Hostile) -> None:
    text = beginning(hostile)
    async for name, bundle in other_bundles(text):
        assert {"text/html", "text/plain"} == set(bundle), name
        assert_harmless(bundle["text/html"])
        assert_plain(bundle["text/plain"])
        assert sum(map(len, bundle.values())) < 60_000 + 1_500 * len(text), name


@texts
async def test_what_a_running_chat_gets_is_harmless(hostile: Hostile) -> None:
    text = beginning(hostile)
    for fragment in set(fragments(text)):
        assert_harmless(fragment)
    for path, value in leaves(await chat_messages(text)):
        if path[:2] == ("all", "turns") and path[-1] in ("question", "files", "answer", "steps"):
            assert_harmless(value)
        else:
            assert_plain(value)


@texts
async def test_answers_that_cite_are_harmless(hostile: Hostile) -> None:
    text = beginning(hostile)
    async for name, bundle in citing_runs(text):
        assert {"text/html", "text/plain"} == set(bundle), name
        assert_harmless(bundle["text/html"])
        assert_plain(bundle["text/plain"])
        assert "agk-q" in bundle["text/html"], name
        assert sum(map(len, bundle.values())) < 60_000 + 400 * len(text), name


@texts
async def test_what_the_browser_of_a_store_gets_is_plain_text(hostile: Hostile) -> None:
    for _, value in leaves(await store_messages(beginning(hostile))):
        assert_plain(value)


@texts
async def test_what_a_running_cell_gets_is_harmless(hostile: Hostile) -> None:
    text = beginning(hostile)
    html, plain = await live_html(text)
    for fragment in {*html, *await approval_fragments(text)}:
        assert_harmless(fragment)
    for line in set(plain):
        assert_plain(line)


@texts
async def test_what_a_terminal_gets_is_plain_text(hostile: Hostile) -> None:
    text = beginning(hostile)
    assert_plain(await console_output(text))
    cited = [Citation(len(text), "f", text), Citation(0, "g", text)]
    for line in sources_text(f"{text}. And {text}", cited, [Passage(text, text, "f", 0.5, 2, text, text)]).splitlines():
        assert_plain(line)
