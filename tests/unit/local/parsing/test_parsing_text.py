"""Texts: encodings, headings of Markdown, TeX and programs, web pages, notebooks, and files that are none of these."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.local.parsing import Mark, Parsed, Unreadable, parse
from agentkit.local.parsing import reading as module


def refusal(name: str, data: bytes) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        parse(name, data)
    return caught.value.code, caught.value.message


# -- encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_text_is_read_in_each_encoding_that_openai_takes(encoding: str) -> None:
    text = "Grüße from here and from there"
    assert parse("a.txt", text.encode(encoding)) == Parsed(text)


def test_line_ends_of_every_system_become_one() -> None:
    assert parse("a.txt", b"a\r\nb\rc\nd").text == "a\nb\nc\nd"


def test_a_text_in_another_encoding_is_refused_with_the_place_and_the_way() -> None:
    assert refusal("a.txt", "Grüße".encode("latin-1")) == (
        "invalid_file",
        "'a.txt' is not in UTF-8: byte 0xFC at 2 can't be read. "
        "Save it as UTF-8 (from Windows-1252: iconv -f WINDOWS-1252 -t UTF-8).",
    )
    assert refusal("a.txt", "Hello".encode("utf-32"))[1] == (
        "'a.txt' is in UTF-32, where UTF-8 or UTF-16 is read. Save it as UTF-8."
    )
    assert refusal("a.txt", b"\xff\xfeH\0\0\xd8x")[1] == "'a.txt' is damaged UTF-16: unexpected end of data at byte 4."


@pytest.mark.parametrize(
    "data",
    [bytes(range(256)) * 20, b"\0" * 500, b"text \0 text", b"\x01\x02\x03\x04" * 50, b"\x80\x81\x01\x02" * 100],
)
def test_binary_junk_called_txt_is_unsupported(data: bytes) -> None:
    assert refusal("junk.txt", data)[0] == "unsupported_file"


# -- what a file is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(
            (f"a.{suffix}", "code")
            for suffix in ("c", "cpp", "cs", "css", "go", "java", "js", "php", "py", "rb", "sh", "ts")
        ),
        ("a.json", "json"),
        ("a.md", "markdown"),
        ("a.tex", "tex"),
        ("a.csv", "csv"),
        ("a.TXT", "text"),
        ("a", "text"),
        ("folder.md/a.yaml", "text"),
    ],
)
def test_texts_of_every_kind_stay_as_they_are(name: str, kind: str) -> None:
    text = "x, y = 1, 2  # a\n\tb\n"
    parsed = parse(name, text.encode())
    assert (parsed.kind, parsed.text) == (kind, text)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "is a PNG image, which is not read. Read are PDF"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "is a JPEG image"),
        (b"\x1f\x8b\x08\0\0\0", "is compressed (gzip)"),
        (b"\x7fELF\2\1\1\0", "is a program"),
        (b"SQLite format 3\0\x10", "is an SQLite database"),
        (b"RIFF\0\0\0\0WEBP", "is a WebP image, or sound or video"),
    ],
)
def test_other_kinds_of_files_are_unsupported_by_their_content(data: bytes, told: str) -> None:
    code, message = refusal("notes.txt", data)
    assert code == "unsupported_file"
    assert told in message


@pytest.mark.parametrize(
    "text",
    ["MZ is a prefix", "GIF8 and BZh are words", "RIFF off", "ID3 tags are text", "%PDF- is how a PDF begins? " * 9],
)
def test_a_text_that_begins_like_another_kind_is_a_text(text: str) -> None:
    if text.startswith("%PDF-"):
        text = "In short: " + text
    assert parse("a.txt", text.encode()).text == text


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.pptx", "a.doc"])
def test_a_text_with_the_name_of_a_document_is_refused(name: str) -> None:
    code, message = refusal(name, b"Just words.")
    assert code == "invalid_file"
    assert message.startswith(f"'{name}' is damaged, or not what its name says: it doesn't begin as a ")


def test_a_web_page_called_pdf_or_doc_is_a_web_page() -> None:
    page = b"<!DOCTYPE html>\n<html><body><p>Log in first.</p></body></html>"
    assert [parse(name, page).text for name in ("a.pdf", "a.doc", "a", "a.html")] == ["Log in first."] * 4


def test_what_begins_with_many_comments_is_looked_at_once() -> None:
    start = b"<!---->" * 500  # each more doubled the time, when a comment might have been taken for two
    assert parse("a", start + b"<html><p>Hello.</p>").text == "Hello."
    assert parse("a", start + b"plain").text == (start + b"plain").decode()


@pytest.mark.parametrize("data", [b"", b" \n\t ", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    code, message = refusal("a.txt", data)
    assert code == "invalid_file"
    assert message.startswith("'a.txt' is empty")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    with path.open("wb") as file:
        file.truncate(600_000_000)  # takes no room on the disk
    with pytest.raises(Unreadable) as caught:
        parse("big.txt", path)
    assert caught.value.message == "'big.txt' has 600,000,000 bytes, where 512,000,000 is the most."
    assert module.MAX_FILE_BYTES == 512_000_000


def test_a_path_is_read_like_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "stored-under-another-name"
    path.write_text("# Title\n\nText", encoding="utf-8")
    assert (
        parse("a.md", path)
        == parse("a.md", path.read_bytes())
        == Parsed("# Title\n\nText", (), (Mark(0, 1, "Title"),), "markdown", "Title")
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.binary(max_size=400),
    st.sampled_from([".txt", ".html", ".md", ".rtf", ".doc", ".docx", ".ipynb", ".csv", ".tex", ""]),
)
def test_any_bytes_are_read_or_refused(data: bytes, suffix: str) -> None:
    for start in (b"", b"{\\rtf1 ", b"<html>", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        try:
            parsed = parse(f"a{suffix}", start + data)
        except Unreadable as error:
            assert error.code in ("unsupported_file", "invalid_file")  # noqa: PT017
        else:
            assert "\0" not in parsed.text
            assert parsed.text.encode()
            assert all(0 <= mark.start <= len(parsed.text) for mark in (*parsed.pages, *parsed.headings))


# -- headings ---------------------------------------------------------------------------------------------------------


def test_headings_of_markdown_are_found_outside_of_code() -> None:
    text = (
        "---\ntitle: x\n# no\n---\n# One **bold** [link](http://x) #\n\n```sh\n# no\n```\n~~~\n# no\n```\n# no\n~~~\n"
        "Two\n===\n\nThree\nlines\n---\n- item\n---\n## `code` <b>x</b>\n####### no\n#no\n   ### Deep\n    # no"
    )
    parsed = parse("a.md", text.encode())
    assert [(mark.number, mark.title) for mark in parsed.headings] == [
        (1, "One bold link"), (1, "Two"), (2, "lines"), (2, "code x"), (3, "Deep")
    ]  # fmt: skip
    assert parsed.title == "One bold link"
    assert [text[mark.start :].split("\n")[0] for mark in parsed.headings] == [
        "# One **bold** [link](http://x) #", "Two", "lines", "## `code` <b>x</b>", "   ### Deep"
    ]  # fmt: skip


def test_sections_of_tex_are_found() -> None:
    text = (
        "\\title{On \\emph{x}}\n\\title{On Cats}\n\\section{Intro}\\label{s}\n% \\section{no}\n"
        "\\subsection*{\\textbf{A} $b$}\n\\chapter[s]{C}"
    )
    parsed = parse("a.tex", text.encode())
    assert parsed.title == "On Cats"
    assert [(mark.number, mark.title) for mark in parsed.headings] == [(2, "Intro"), (3, "A b"), (1, "C")]


def test_definitions_of_programs_are_headings() -> None:
    python = "import x\n\nclass Cat(Base):\n    async def purr(self):\n        def inner(): ...\n\ndef feed(cat): ...\n"
    assert [(mark.number, mark.title) for mark in parse("a.py", python.encode()).headings] == [
        (1, "Cat"), (2, "purr"), (3, "inner"), (1, "feed")
    ]  # fmt: skip
    go = "func (c *Cat) Purr() {}\ntype x struct {}\nexport default function run() {}\npublic static final class A {}"
    assert [mark.title for mark in parse("a.go", go.encode()).headings] == ["(c *Cat) Purr", "run", "A"]


# -- web pages --------------------------------------------------------------------------------------------------------


def html(body: str) -> Parsed:
    return parse("a.html", body.encode())


def test_a_web_page_is_what_a_reader_sees() -> None:
    page = html(
        "<!doctype html><html><head><title>My &amp; page</title><style>p > a {}</style></head><body>"
        "<h1>Hi <b>there</b></h1><!-- <p>no</p> --><p>one\n  two<br>three &lt;x&gt;</p>"
        "<ul><li>a<li>b</ul><table><tr><th>x</th><th>y</th></tr><tr><td><p>1</p><p>2</p></td><td></td></tr></table>"
        "<pre>\n  a\n   b\n</pre><script>if (a < b) {'</p>'}</script><h2></h2>end 3 < 4 &nbsp;"
        "<img alt='A cat'></body></html>"
    )
    assert page.text == ("Hi there\n\none two\nthree <x>\n\n- a\n- b\n\nx | y\n1 2\n\n  a\n   b\n\nend 3 < 4 A cat")
    assert (page.kind, page.title, page.headings) == ("html", "My & page", (Mark(0, 1, "Hi there"),))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<b", "a"),
        ("a < b", "a < b"),
        ("<p title='>'>x", "x"),
        ("<p title=\"a>b\" x='c>d'>x", "x"),
        ("<p/>x<p", "x"),
        ("x<!-- open <p>y", "x"),
        ("x<script>y", "x"),
        ("x<textarea>y</textarea>z", "xyz"),
        ("<head><title>t</title>x<body>y", "y"),
        ("<svg><text>x</text></svg>y", "y"),
        ("<![CDATA[x]]>", "x]]>"),
        ("<?php x ?>y", "y"),
        ("&#x41;&eacute;&unknown;", "Aé&unknown;"),
        ("<td>a<td>b", "a | b"),
        ("a</p>b", "a\n\nb"),
        ("<h3>a\nb</h3>c", "a b\n\nc"),
    ],
)
def test_markup_however_broken_gives_its_text(source: str, text: str) -> None:
    assert html("<html>" + source).text == text


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("windows-1252", "cp1252"), ("ISO-8859-1", "cp1252"), ("utf-8", "utf-8"), ("x-none", "utf-8")],
)
def test_a_web_page_may_name_its_encoding(declared: str, encoding: str) -> None:
    page = f'<html><meta charset="{declared}"><p>Grüße “x”</p>'
    assert parse("a.html", page.encode(encoding)).text == "Grüße “x”"


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", '<a b="', "<a b='x>", "<!--", "<!", "<div>", "<table><tr><td>", "<script>", "&amp", "</", "<li>"],
)
def test_hostile_markup_takes_time_in_proportion_to_its_length(piece: str) -> None:
    steps = []
    for count in (2_000, 8_000):
        from agentkit.local.parsing import html_text

        steps.append(sum(1 for _ in html_text._tokens(piece * count)))
    assert steps[1] <= 4 * steps[0] + 8


# -- notebooks and rich text ------------------------------------------------------------------------------------------


def test_a_notebook_is_its_cells_in_order() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Study\n", "\n", "Of cats."]},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"data": {"text/plain": ["2"], "image/png": "aaaa"}}]},
        {"cell_type": "code", "source": "print()", "outputs": [{"output_type": "stream", "text": "x" * 5_000}]},
        {"cell_type": "markdown", "source": "## End\ud800"},
        {"cell_type": "code", "source": []},
        "no cell",
    ]
    parsed = parse("a.ipynb", json.dumps({"cells": cells}).encode())
    assert parsed.text == "# Study\n\nOf cats.\n\n1 + 1\n\n2\n\nprint()\n\n" + "x" * 2_000 + "\n\n## End\ufffd"
    assert [mark.title for mark in parsed.headings] == ["Study", "End\ufffd"]
    assert (parsed.kind, parsed.title) == ("notebook", "Study")


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"cells": 3}', "[" * 100_000])
def test_what_is_no_notebook_is_refused(text: str) -> None:
    code, message = refusal("a.ipynb", text.encode())
    assert code == "invalid_file"
    assert message.startswith("'a.ipynb' is damaged")


def test_rich_text_is_read_whatever_it_is_called() -> None:
    source = (
        r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}{\*\generator x;}{\info{\title no}}"
        r"\f0 Gr\'fc\'dfe {\b bold} \u8364?20\emdash\par New\~line \{x\}\tab y\par "
        r"{\field{\*\fldinst LINK x}{\fldrslt shown}}\par a\cell b\cell\row c\cell d\cell\row}"
    )
    parsed = parse("a.doc", source.encode())
    assert parsed.text == "Grüße bold €20—\n\nNew line {x}\ty\n\nshown\n\na | b\nc | d"
    assert parsed.kind == "rtf"


def test_a_long_text_of_too_many_tokens_is_refused_by_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONG_TEXT", 1_000)
    monkeypatch.setattr(module, "MAX_FILE_TOKENS", 150)
    path = tmp_path / "a.txt"
    path.write_bytes(b"word " * 200 + b"\xff" * 1_000)  # what is wrong behind isn't looked at
    with pytest.raises(Unreadable) as caught:
        parse("a.txt", path)
    assert caught.value.message == "'a.txt' has more than 150 tokens. Split it into parts."
    assert parse("a.txt", b"word " * 100).text == "word " * 100


def test_tables_and_notebooks_that_were_called_texts_are_read_as_what_they_are() -> None:
    """Clients call what platforms don't list a text, as `prices.csv.txt`."""
    assert parse("prices.csv.txt", b"boat,price\nSloop,3\n").kind == "csv"
    notebook = json.dumps({"cells": [{"cell_type": "markdown", "source": "# Tides", "metadata": {}}], "nbformat": 4})
    assert parse("tides.ipynb.txt", notebook.encode()).text == parse("tides.ipynb", notebook.encode()).text
    assert parse("tides.ipynb.txt", b"Notes on tides.ipynb").text == "Notes on tides.ipynb"
    with pytest.raises(Unreadable):
        parse("tides.ipynb", b"Notes on tides.ipynb")
