"""PDF files: text by pages, bookmarks, and a process that a hostile file may kill without harm."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pdf_files import page, pdf, pdf_of, stream

from agentkit.local.parsing import Mark, Unreadable, parse
from agentkit.local.parsing import pdf as module
from agentkit.local.parsing.pdf import parse_pdf


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    while module._idle:
        module._idle.pop().close()


def refusal(data: bytes | Path, name: str = "a.pdf") -> str:
    with pytest.raises(Unreadable) as caught:
        parse(name, data)
    assert caught.value.code == "invalid_file"
    return caught.value.message


TWO = pdf(
    "Sales grew.\nSecond line.", "Costs fell in Sweden.", outline=[("Costs fell", 1), ("Sales", 0)], title="Report"
)


def test_a_pdf_is_read_page_by_page_with_its_bookmarks() -> None:
    parsed = parse("a.pdf", TWO)
    assert parsed.text == "Sales grew.\nSecond line.\n\nCosts fell in Sweden."
    assert parsed.pages == (Mark(0, 1), Mark(26, 2))
    assert parsed.headings == (Mark(0, 1, "Sales"), Mark(26, 1, "Costs fell"))
    assert (parsed.kind, parsed.title) == ("pdf", "Report")


def test_a_bookmark_is_not_looked_for_without_end() -> None:
    outline = [(0, 1, "Here"), (0, 1, "There")]
    found = list(module._headings(["x Here " + "y " * 100_000 + "There"], [7], outline))
    assert found == [Mark(9, 1, "Here"), Mark(7, 1, "There")]


def test_a_page_without_text_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(pdf("", "Two.", "", "Four."))
    parsed = parse("a.pdf", path)
    assert [(mark.number, parsed.text[mark.start :][:5]) for mark in parsed.pages] == [
        (1, "Two.\n"), (2, "Two.\n"), (3, "Four."), (4, "Four.")
    ]  # fmt: skip


def test_a_pdf_is_one_by_its_content() -> None:
    assert parse("report.docx", TWO).kind == "pdf"
    assert parse("report.txt", TWO).kind == "pdf"
    assert parse("a.pdf", b"junk before\n" + TWO).kind == "pdf"


def test_files_that_can_not_be_read_say_why() -> None:
    assert refusal(pdf("x", password="secret")) == "'a.pdf' is encrypted: save it without a password."
    assert parse("a.pdf", pdf("Open.", password="")).text == "Open."
    damaged = "'a.pdf' is damaged, or no PDF: Failed to load document (PDFium: Data format error)."
    assert refusal(b"%PDF-1.7\n") == f"{damaged} Save it anew from its program."
    assert refusal(TWO[: len(TWO) // 3]).startswith("'a.pdf' is damaged")
    assert refusal(pdf("", "")) == (
        "'a.pdf' has no text layer: its 2 pages are pictures or blank. Run text recognition over it (such as ocrmypdf)."
    )


def test_a_caller_may_limit_pages_and_characters() -> None:
    with pytest.raises(Unreadable, match="has 2 pages, where 1 is the most"):
        parse_pdf("a.pdf", TWO, most_pages=1)
    assert parse_pdf("a.pdf", TWO, most_characters=5).text == "Sales grew.\nSecond line."


def test_hyphens_at_line_ends_are_undone_and_spaces_tidied() -> None:
    assert module._tidied("exam\ufffe\r\nple and\xa0so  \r\non\x02\nward\0") == "example and so\nonward"


def test_one_process_reads_file_after_file() -> None:
    parse("a.pdf", TWO)
    (process,) = module._idle
    first = process._popen.pid
    refusal(b"%PDF-1.7\n")
    parse("a.pdf", TWO)
    (process,) = module._idle
    assert process._popen.pid == first


def test_a_process_that_has_ended_is_replaced() -> None:
    parse("a.pdf", TWO)
    (process,) = module._idle
    process._popen.kill()
    process._popen.wait()
    assert parse("a.pdf", TWO).title == "Report"


def test_a_process_that_does_not_start_is_an_error_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "executable", str(tmp_path / "nothing"))
    assert "the process for PDF files didn't start ([Errno 2]" in refusal(TWO)
    monkeypatch.undo()
    monkeypatch.setattr(module, "_PROGRAM", tmp_path / "nothing.py")
    assert "the process for PDF files didn't start (it ended at once)" in refusal(TWO)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_crash_is_an_error_of_that_file_alone() -> None:
    crashed = module._Process()
    assert crashed.begin(TWO, {"most_pages": 10, "most_characters": 1_000})
    os.kill(crashed._popen.pid, signal.SIGSEGV)
    with pytest.raises(Unreadable, match="'a.pdf' is damaged: PDFium crashed over it") as caught:
        list(crashed.answers("a.pdf"))
    assert caught.value.code == "invalid_file"
    crashed.close()
    assert parse("a.pdf", TWO).title == "Report"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_process_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SILENCE_S", 0.05)
    process = module._Process()
    assert process._popen.stdin is not None
    monkeypatch.setattr(process, "_ready", True)
    os.kill(process._popen.pid, signal.SIGSTOP)
    with pytest.raises(Unreadable, match="a page took more than"):
        list(process.answers("a.pdf"))
    process.close()
    assert process._popen.returncode == -signal.SIGKILL


def test_text_is_whole_beyond_the_basic_plane() -> None:
    # PDFium gives UTF-16; an emoji in a real file, whose font maps a code to U+1F600
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        "1 begincodespacerange <00> <FF> endcodespacerange 3 beginbfchar <41> <0041> <42> <0042> <43> <D83DDE00> "
        "endbfchar endcmap end end"
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
        *page(5, "BT /F1 12 Tf 20 100 Td (ACB) Tj ET"),
        stream(cmap),
    ]
    parsed = parse("a.pdf", pdf_of(objects))
    assert parsed.text == "A\U0001f600B"
