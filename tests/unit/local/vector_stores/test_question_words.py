"""What of a question is looked for by words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.local.vector_stores.question_words import telling_words


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How do I sort a list?", ["sort", "list?"]),
        ("Why doesn’t my cron job run, and where's its log?", ["cron", "job", "run,", "where's", "log?"]),
        ('What is `if` in "The Who"?', ["`if`", '"The', 'Who"?']),
        ("Is it an IT job WITH us?", ["IT", "job", "WITH", "?"]),
        ("The Who", ["The", "Who"]),
        ("to be or not to be?", ["to", "be", "or", "not", "to", "be?"]),
        ("Was ist das für ein Haus?", ["ist", "das", "für", "ein", "Haus?"]),
        ("日本語 の 質問", ["日本語", "の", "質問"]),
        ("get_user_name a.b --all", ["get_user_name", ".b", "--"]),
        ("", []),
    ],
)
def test_words_that_only_make_a_question_are_left_out(question: str, words: list[str]) -> None:
    assert telling_words(question).split() == words


@given(st.text(max_size=60))
def test_something_to_look_for_is_always_left(question: str) -> None:
    assert any(letter.isalnum() for letter in telling_words(question)) == any(letter.isalnum() for letter in question)
