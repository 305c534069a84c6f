"""A title is no end of a sentence."""

from __future__ import annotations

import pytest

from agentkit.local.engines.rehearsal.rules import sentences


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Call Mr. Brodsky. He comes.", ["Call Mr. Brodsky.", "He comes."]),
        ("Ask Dr. Ada or Mrs. Lovelace.", ["Ask Dr. Ada or Mrs. Lovelace."]),
        ("It is late.Go on.", ["It is late.", "Go on."]),
    ],
)
def test_a_title_ends_no_sentence(text: str, said: list[str]) -> None:
    assert sentences(text) == said
