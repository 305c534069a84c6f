"""Long, deep and repetitive texts: shown in work and space in proportion to their length."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from corpus import HOSTILE, Hostile
from every_view import live_messages, steps_for
from harmless import assert_harmless, assert_plain

from agentkit import _secrets
from agentkit.notebook.display.blocks import BlockSplitter
from agentkit.notebook.display.markdown import render_markdown
from agentkit.notebook.display.run_view import arguments_line, json_html, step_html
from agentkit.notebook.display.text import clean, escape, one_line, shorten, showable_length

_CPU_LIMIT_S = 20
"""Processor time, not the clock's: reached only by a search that doesn't end."""

SIZES = [text for text in HOSTILE if text.kind == "size"]
sizes = pytest.mark.parametrize("hostile", SIZES, ids=lambda hostile: hostile.id)


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    """Fail a test whose regular expressions go round and round, which no count of calls would see."""

    def stop(number: int, frame: Any) -> None:
        raise AssertionError(f"Nothing came of it in {_CPU_LIMIT_S} s of processor time.")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _CPU_LIMIT_S)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def counted(work: Callable[[], object]) -> int:
    """Return how many calls a piece of work makes, of Python's functions and of C's."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += 1

    gc.disable()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def _streamed(text: str) -> None:
    splitter = BlockSplitter()
    for start in range(0, len(text), 50):
        splitter.feed(text[start : start + 50])
        splitter.take_closed()


WORK: dict[str, Callable[[str], object]] = {
    "markdown": render_markdown,
    "escape": escape,
    "json": lambda text: json_html(text, 100_000),
    "arguments": arguments_line,
    "steps": lambda text: [step_html(step) for step in steps_for(text)],
    "blocks": _streamed,
    "keys": _secrets.find,
}


@pytest.mark.parametrize("name", WORK)
@sizes
def test_twice_the_text_is_about_twice_the_work(hostile: Hostile, name: str) -> None:
    work = WORK[name]
    text = hostile.text[:3_000]
    work(text)  # what is made once is made now
    half, whole = (counted(lambda part=part: work(part)) for part in (text[: len(text) // 2], text))
    assert whole < 2.7 * half + 500


@sizes
def test_the_whole_of_it_is_shown_in_little_more_space(hostile: Hostile) -> None:
    text = hostile.text
    for shown in (render_markdown(text), escape(text), json_html(text, 4_000)):
        assert len(shown) < 20 * len(text) + 1_000
    assert_harmless(escape(text[:20_000]))
    assert_harmless(render_markdown(text[:20_000]))
    assert sum(len(step_html(step)) for step in steps_for(text)) < 500_000
    assert len(one_line(text, 100)) <= 100
    assert len(shorten(text, 100)) <= 150
    assert_plain(clean(text))
    assert 0 <= showable_length(text) <= len(text)


@sizes
async def test_streamed_it_is_sent_in_little_more_space(hostile: Hostile) -> None:
    text = hostile.text[:10_000]
    sent = sum(len(str(message)) for message in await live_messages(text))
    assert sent < 300 * len(text) + 100_000  # what is open is sent again; a `$` is an element of its own
