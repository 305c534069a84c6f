from __future__ import annotations

import pytest

from agentkit.notebook.display.blocks import BlockSplitter


def split(text: str) -> tuple[list[str], str]:
    splitter = BlockSplitter()
    splitter.feed(text)
    return splitter.take_closed(), splitter.live


@pytest.mark.parametrize(
    ("text", "closed", "live"),
    [
        ("one\n\ntwo", ["one\n\n"], "two"),
        ("one\ntwo\n", [], "one\ntwo\n"),
        ("one\n\n", [], "one\n\n"),
        ("- a\n\n- b\n\ntext\n", ["- a\n\n- b\n\n"], "text\n"),
        ("1. a\n\n   more\n\n2. b\n", [], "1. a\n\n   more\n\n2. b\n"),
        ("```py\na\n\nb\n```\nafter", ["```py\na\n\nb\n```\n"], "after"),
        ("text\n```py\na\n", ["text\n"], "```py\na\n"),
        ("~~~\n```\n~~~\n", ["~~~\n```\n~~~\n"], ""),
        ("````\n```\n", [], "````\n```\n"),
        ("| a |\n|---|\n| 1 |\n\ntext\n", ["| a |\n|---|\n| 1 |\n\n"], "text\n"),
        ("`inline` ``` ticks\n\nx\n", ["`inline` ``` ticks\n\n"], "x\n"),
    ],
)
def test_text_is_cut_where_a_block_ends(text: str, closed: list[str], live: str) -> None:
    assert split(text) == (closed, live)


def test_where_the_stream_is_cut_makes_no_difference() -> None:
    text = "# T\n\npara **b**\n\n```py\nx = 1\n\ny\n```\n\n- a\n\n- b\n\nend"
    splitter, closed = BlockSplitter(), []
    for character in text:
        splitter.feed(character)
        closed += splitter.take_closed()
    assert (closed, splitter.live) == split(text)
    assert "".join([*closed, splitter.live]) == text
