"""Tokens: the counts that OpenAI publishes, whatever the length, without a network."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.local import tokenizing
from agentkit.local.tokenizing import count_tokens, decode, encode, encode_segments, is_boundary, token_bytes

ENCODINGS = ("cl100k_base", "o200k_base")


def whole(text: str, encoding: str) -> list[int]:
    """Return what tiktoken itself makes of the whole text."""
    encoder: tiktoken.Encoding = tokenizing._vocabulary(encoding)[0]  # type: ignore[arg-type]
    return encoder.encode_ordinary(text)


@pytest.mark.parametrize(
    ("text", "encoding", "tokens"),
    [  # of tiktoken's own tests and OpenAI's cookbook
        ("hello world", "cl100k_base", [15339, 1917]),
        ("rer", "cl100k_base", [38149]),
        ("'rer", "cl100k_base", [2351, 81]),
        ("today\n ", "cl100k_base", [31213, 198, 220]),
        ("today\n \n", "cl100k_base", [31213, 27907]),
        (" \x850", "cl100k_base", [220, 126, 227, 15]),
        ("👍", "cl100k_base", [9468, 239, 235]),
        ("tiktoken is great!", "cl100k_base", [83, 1609, 5963, 374, 2294, 0]),
        ("antidisestablishmentarianism", "cl100k_base", [519, 85342, 34500, 479, 8997, 2191]),
        ("antidisestablishmentarianism", "o200k_base", [493, 129901, 376, 160388, 21203, 2367]),
        ("2 + 2 = 4", "o200k_base", [17, 659, 220, 17, 314, 220, 19]),
        ("お誕生日おめでとう", "o200k_base", [8930, 9697, 243, 128225, 8930, 17693, 4344, 48669]),
        ("", "o200k_base", []),
    ],
)
def test_known_texts_have_their_known_tokens(text: str, encoding: str, tokens: list[int]) -> None:
    assert encode(text, encoding) == tokens  # type: ignore[arg-type]
    assert count_tokens(text, encoding) == len(tokens)  # type: ignore[arg-type]
    assert decode(tokens, encoding) == text  # type: ignore[arg-type]


def test_a_special_token_in_a_text_is_plain_characters() -> None:
    assert encode("<|endoftext|>") == [27, 91, 419, 1440, 919, 91, 29]


PIECES = st.sampled_from(
    [
        "word",
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        ".",
        "/",
        "'s",
        "'",
        "#",
        "3",
        "1234",
        "é",
        "字",
        "😀",
        "\u0301",
        "_",
        "A",
        "\x85",
        "\x1c",
    ]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=60), st.integers(0, 200))
def test_counts_add_up_where_a_boundary_is(pieces: list[str], place: int) -> None:
    text = "".join(pieces)
    place = min(place, len(text))
    if is_boundary(text, place):
        for encoding in ENCODINGS:
            assert whole(text[:place], encoding) + whole(text[place:], encoding) == whole(text, encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "line", ["Words and\n\tmore words, it's 12345 of them.\r\n", "x = {'a': [1, 2]}  # ok\n\n    ", "日本語の文章。 "]
)
def test_a_long_text_has_the_tokens_of_the_whole(line: str, encoding: str) -> None:
    text = line * (300_000 // len(line))
    segments = list(encode_segments(text, encoding))  # type: ignore[arg-type]
    assert len(segments) > 3
    assert [start for start, _, _ in segments[1:]] == [end for _, end, _ in segments[:-1]]
    assert [token for _, _, tokens in segments for token in tokens.tolist()] == whole(text, encoding)


@pytest.mark.parametrize("run", [" ", "a", "\n", "字", "😀", "-"])
def test_a_run_that_tiktoken_gives_up_on_is_counted(run: str) -> None:
    assert 0 < count_tokens(run * 1_000_000) <= 1_000_000


def test_half_a_character_counts_as_the_sign_for_such() -> None:
    assert encode("a\ud800b") == encode("a\ufffdb")


def test_lengths_of_tokens_are_those_of_their_bytes() -> None:
    tokens = encode("Grüße, 字!")
    assert sum(token_bytes()[token] for token in tokens) == len("Grüße, 字!".encode())


def test_an_unknown_encoding_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no encoding 'gpt2' here: take cl100k_base or o200k_base"):
        count_tokens("a", "gpt2")  # type: ignore[arg-type]


def test_an_unknown_token_is_refused() -> None:
    with pytest.raises(ValueError, match="has no such token"):
        decode([10_000_000])


def test_the_vocabularies_are_those_that_tiktoken_expects() -> None:
    from tiktoken_ext import openai_public

    folder = Path(tokenizing.__file__).parent / "vocabularies"
    source = Path(openai_public.__file__).read_text(encoding="utf-8")
    for name in ENCODINGS:
        assert hashlib.sha256((folder / f"{name}.tiktoken").read_bytes()).hexdigest() in source


def test_a_damaged_vocabulary_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizing, "_FOLDER", tmp_path)
    with pytest.raises(RuntimeError, match="can't be read"):
        tokenizing._read_ranks("o200k_base")
    (tmp_path / "o200k_base.tiktoken").write_bytes(b"IQ== 0\n")
    with pytest.raises(RuntimeError, match="is damaged: its SHA-256"):
        tokenizing._read_ranks("o200k_base")
