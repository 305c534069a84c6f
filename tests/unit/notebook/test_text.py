from __future__ import annotations

import pytest

from agentkit.notebook.display.text import escape, one_line, shorten, showable_length


def test_escaped_text_shows_itself_and_begins_no_formula() -> None:
    assert escape("<b a=\"1\">$5 & 'x'") == "&lt;b a=&quot;1&quot;&gt;<span>$</span>5 &amp; &#x27;x&#x27;"


def test_one_line_cuts_at_the_limit() -> None:
    assert one_line("a\n  b   c", 5) == "a b c"
    assert one_line("abcdefgh", 5) == "abcd…"


def test_shortened_text_says_how_long_it_was() -> None:
    assert shorten("x" * 1500, 3) == "xxx… (1,500 characters in all)"
    assert shorten("xyz", 3) == "xyz"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("all of it", "all of it"),
        ("my key: sk-", "my key: "),
        ("my key: sk-proj-abc", "my key: "),
        ("my key: sk-proj-abc1 ", "my key: sk-proj-abc1 "),
        ("my key: s", "my key: "),
        ("my key: gith", "my key: "),
        ("my key: ghp_abc", "my key: "),
        ("Authorization: Bearer abc", ""),
        ("so it is. Bear", "so it is. "),
        ("risk", "risk"),
        ("-----BEGIN PRIVATE KEY-----\nMII", ""),
        ("- a list -", "- a list "),
        ("it is corp-se", "it is "),
        ("it is co", "it is "),
    ],
)
def test_the_beginning_of_a_key_is_held_back(text: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "corp-secret-value")
    assert text[: showable_length(text)] == shown
