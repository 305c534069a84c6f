"""Passages: nothing is lost, none is too long, neighbours share what was asked for, edges are where a text has some."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentkit.local import chunking as module
from agentkit.local.chunking import cut
from agentkit.local.parsing import Mark, Parsed, Unreadable, parse
from agentkit.local.tokenizing import count_tokens
from agentkit.local.vector_stores.passages import Chunk, Chunking

PROSE = " ".join(f"Sentence number {index} says that value {index} is {index * 7}." for index in range(400))

WORDS = st.sampled_from(
    [
        "word",
        "unbelievable",
        "it's",
        "3.14",
        "naïve",
        "字",
        "日本語。",
        "😀",
        "\u0301",
        "x" * 40,
        "!?",
        "a/b",
        "_y_",
        "\x85",
        "0" * 9,
    ]
)
SPACES = st.sampled_from([" ", " ", " ", "  ", "\n", "\n\n", "\n    ", "\t", "", ". ", "\u3000"])
TEXTS = st.lists(st.tuples(WORDS, SPACES), max_size=250).map(lambda parts: "".join(a + b for a, b in parts))
SIZES = st.integers(20, 120).flatmap(lambda most: st.tuples(st.just(most), st.integers(0, most // 2)))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TEXTS, SIZES)
@example(f"unbelievable 3.14\n    日本語。 {'x' * 40} a/b\n    3.14\nunbelievable\nunbelievable word ", (36, 11))
@example("unbelievable  日本語。 word word word word. 3.14 3.14 ", (20, 1))
def test_every_character_is_in_a_passage_of_the_right_length(text: str, size: tuple[int, int]) -> None:
    most, shared = size
    chunks = cut(Parsed(text), Chunking(most, shared))
    seen = bytearray(len(text))
    for position, chunk in enumerate(chunks):
        assert chunk.position == position
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.tokens == count_tokens(chunk.text)
        assert 0 < chunk.tokens <= most
        assert chunk.text.strip()
        seen[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
    assert not [index for index, hit in enumerate(seen) if not hit and not text[index].isspace()]
    for before, after in itertools.pairwise(chunks):
        assert after.start > before.start
        assert after.end > before.end
        if after.start < before.end:
            # in the whole text's tokens; what is cut out alone may have some more at its two ends
            assert count_tokens(text[after.start : before.end]) <= shared + 8


@settings(max_examples=60, deadline=None, derandomize=True)
@given(TEXTS.filter(lambda text: text.strip() != ""), SIZES)
def test_a_text_that_fits_is_one_passage(text: str, size: tuple[int, int]) -> None:
    chunks = cut(Parsed(text), Chunking(max(8, count_tokens(text)), 0))
    assert [chunk.text.strip() for chunk in chunks] == [text.strip()]


def test_the_defaults_are_openais() -> None:
    chunks = cut(Parsed(PROSE * 3))
    assert max(chunk.tokens for chunk in chunks) > 700
    shared = [count_tokens(PROSE[b.start : a.end]) for a, b in itertools.pairwise(chunks) if a.end < len(PROSE)]
    assert shared
    assert all(300 <= tokens <= 400 for tokens in shared)


def test_passages_of_prose_begin_and_end_with_sentences() -> None:
    chunks = cut(Parsed(PROSE), Chunking(200, 100))
    assert len(chunks) > 20
    assert all(chunk.text.startswith("Sentence") and chunk.text.endswith(".") for chunk in chunks)


def test_without_overlap_passages_follow_one_another() -> None:
    chunks = cut(Parsed(PROSE), Chunking(200, 0))
    assert " ".join(chunk.text for chunk in chunks) == PROSE


def test_a_passage_ends_before_a_heading_that_is_near() -> None:
    text = "word " * 180 + "\n\n# Second part\n\n" + "more " * 300
    parsed = parse("a.md", text.encode())
    chunks = cut(parsed, Chunking(200, 0))
    assert chunks[0].text == ("word " * 180).strip()
    assert chunks[1].text.startswith("# Second part")


def test_pages_and_headings_go_with_passages() -> None:
    one, two, three = ("First page. " * 30, "Second page. " * 30, "Third page. " * 30)
    text = one + two + three
    pages = (Mark(0, 1), Mark(len(one), 2), Mark(len(one) + len(two), 3))
    headings = (
        Mark(0, 1, "Guide"), Mark(len(one), 2, "Setup"), Mark(len(one), 3, "Linux"), Mark(len(one + two), 2, "Use")
    )  # fmt: skip
    chunks = cut(Parsed(text, pages, headings), Chunking(100, 0))
    assert [chunk.heading for chunk in chunks] == ["Guide", "Guide › Setup › Linux", "Guide › Use"]
    for chunk in chunks:
        assert chunk.page == max(mark.number for mark in pages if mark.start <= chunk.start)
        assert chunk.last_page == max(mark.number for mark in pages if mark.start < chunk.end)


def test_without_pages_and_headings_there_are_none() -> None:
    (chunk,) = cut(Parsed("Hello."))
    assert chunk == Chunk(0, "Hello.", 2, 0, 6, None, None, "")


def test_a_very_long_path_of_headings_keeps_its_end() -> None:
    headings = tuple(Mark(0, level, f"{level}" * 150) for level in range(1, 6))
    (chunk,) = cut(Parsed("Hello.", (), headings))
    assert len(chunk.heading) == 300
    assert chunk.heading.endswith("› " + "5" * 150)


def test_the_indent_of_a_line_of_code_is_kept() -> None:
    code = "\n".join(f"    value_{index} = compute({index})" for index in range(200))
    chunks = cut(parse("a.py", code.encode()), Chunking(100, 0))
    assert all(chunk.text.startswith("    value_") for chunk in chunks)


@pytest.mark.parametrize(
    "text", ["x" * 20_000, "字" * 5_000, "😀" * 3_000, "ab1" * 5_000, "\u0301" * 2_000, "-" * 20_000]
)
def test_a_text_without_any_edge_is_cut_where_tokens_end(text: str) -> None:
    chunks = cut(Parsed(text), Chunking(100, 50))
    assert all(chunk.tokens == count_tokens(chunk.text) <= 100 for chunk in chunks)
    assert chunks[0].start == 0
    assert chunks[-1].end == len(text)
    assert all(after.start <= before.end for before, after in itertools.pairwise(chunks))


@pytest.mark.parametrize("text", ["", " \n\t\n ", "\n" * 10_000])
def test_white_space_has_no_passages(text: str) -> None:
    assert cut(Parsed(text)) == []
    assert cut(Parsed(text, kind="csv")) == []


def test_more_tokens_than_openai_takes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE_TOKENS", 1_000)
    with pytest.raises(Unreadable) as caught:
        cut(Parsed("word " * 1_001), name="big.txt")
    assert caught.value.code == "invalid_file"
    assert caught.value.message == "'big.txt' has more than 1,000 tokens. Split it into parts."
    assert len(cut(Parsed("word " * 999))) > 1


@pytest.mark.parametrize(("most", "shared"), [(7, 0), (100, 51), (100, -1)])
def test_numbers_that_do_not_fit_are_refused(most: int, shared: int) -> None:
    with pytest.raises(ValueError, match=f"max_tokens={most}, overlap_tokens={shared}"):
        cut(Parsed("a"), Chunking(most, shared))


# -- tables -----------------------------------------------------------------------------------------------------------

TABLE = "id,name,note\n" + "".join(f'{index},item {index},"all good"\n' for index in range(300))


def test_each_passage_of_a_table_has_the_header_and_whole_rows() -> None:
    parsed = parse("a.csv", TABLE.encode())
    chunks = cut(parsed, Chunking(100, 50))
    assert all(chunk.text == "id,name,note\n" + parsed.text[chunk.start : chunk.end] for chunk in chunks)
    assert all(chunk.tokens == count_tokens(chunk.text) <= 100 for chunk in chunks)
    rows = [row for chunk in chunks for row in chunk.text.split("\n")[1:]]
    assert rows == TABLE.strip().split("\n")[1:]


def test_a_line_end_in_quotes_belongs_to_its_row() -> None:
    table = "id,note\n" + "".join(f'{index},"first\nsecond ""quoted"" line"\n' for index in range(100))
    chunks = cut(Parsed(table, kind="csv"), Chunking(100, 0))
    assert len(chunks) > 5
    assert all(chunk.text.count('"first') == chunk.text.count('line"') for chunk in chunks)


def test_a_lone_quotation_mark_does_not_swallow_the_table() -> None:
    table = 'id,size\n1,5" disk\n' + "".join(f"{index},3.5 disk of some size\n" for index in range(9_000))
    chunks = cut(Parsed(table, kind="csv"), Chunking(100, 0))
    assert all(chunk.text.startswith("id,size\n") and chunk.tokens <= 100 for chunk in chunks)


def test_a_row_that_is_too_long_is_cut_with_the_header_on_each_part() -> None:
    table = "id,note\n1,short\n2," + "long " * 400 + "\n3,short"
    chunks = cut(Parsed(table, kind="csv"), Chunking(100, 0))
    assert len(chunks) > 4
    assert all(chunk.text.startswith("id,note\n") and chunk.tokens <= 100 for chunk in chunks)
    assert sum(chunk.text.count("long") for chunk in chunks) == 400


@pytest.mark.parametrize("table", ["1,2\n3,4\n", ",,\na,b\n"])
def test_a_table_of_numbers_has_no_header(table: str) -> None:
    assert [chunk.text for chunk in cut(Parsed(table, kind="csv"))] == [table.strip("\n")]


def test_a_header_alone_is_a_passage() -> None:
    assert [chunk.text for chunk in cut(Parsed("id,name\n", kind="csv"))] == ["id,name"]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.lists(st.sampled_from(["a", "two words", '"q"', '"x\ny"', '"', "7", "字" * 30, ""]), max_size=5), max_size=40
    ),
    st.integers(20, 100),
)
def test_every_row_is_in_a_passage(rows: list[list[str]], most: int) -> None:
    text = "\n".join(["col1,col2", *(",".join(row) for row in rows)])
    chunks = cut(Parsed(text, kind="csv"), Chunking(most, 0))
    covered = set()
    for chunk in chunks:
        assert chunk.tokens == count_tokens(chunk.text) <= most
        covered.update(range(chunk.start, chunk.end))
    header = len("col1,col2") if chunks and chunks[0].start else 0
    assert not [index for index in range(header, len(text)) if index not in covered and not text[index].isspace()]
