"""Word and PowerPoint files: their text as a reader sees it, and what hostile ones are refused for."""

from __future__ import annotations

import gc
import io
import struct
import tracemalloc
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from office_files import CELL, ROW_END, A, W, doc, docx, ole, papx, paragraph, pptx, row, run, shape, table, zipped

from agentkit.local.parsing import Mark, Unreadable, parse
from agentkit.local.parsing.office_zip import OfficeZip


def refusal(name: str, data: bytes) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        parse(name, data)
    return caught.value.code, caught.value.message


# -- Word -------------------------------------------------------------------------------------------------------------


def test_a_word_file_has_its_paragraphs_headings_lists_and_tables() -> None:
    body = (
        paragraph(run("Annual report"), style="Titel")
        + paragraph(run("Sales"), style="berschrift1")
        + paragraph(run("Sales &amp; costs "), run("grew."), "<w:r><w:tab/><w:br/></w:r>", run("A lot."))
        + "<w:p><w:pPr><w:numPr/></w:pPr>" + run("first") + "</w:p>"
        + "<w:p><w:pPr><w:numPr/></w:pPr>" + run("second") + "</w:p>"
        + paragraph(run("Norway"), style="Mine")
        + "<w:tbl>" + row("Year", "Sum") + row("2024", "7") + "</w:tbl>"
        + paragraph(run("End."))
    )  # fmt: skip
    parsed = parse("report.docx", docx(body))
    assert parsed.text == (
        "Annual report\n\nSales\n\nSales & costs grew.\t\nA lot.\n- first\n- second\n\nNorway\n\n"
        "Year | Sum\n2024 | 7\n\nEnd."
    )
    assert [(mark.number, mark.title) for mark in parsed.headings] == [
        (1, "Annual report"),
        (1, "Sales"),
        (2, "Norway"),
    ]
    assert all(parsed.text.startswith(mark.title, mark.start) for mark in parsed.headings)
    assert (parsed.kind, parsed.title, parsed.pages) == ("docx", "Annual report", ())


def test_pages_are_where_word_broke_them_last() -> None:
    broken = "<w:r><w:lastRenderedPageBreak/></w:r>"
    body = (
        paragraph(run("One."))
        + paragraph(run("Two begins "), broken, run("here."))
        + paragraph(broken)
        + "<w:tbl>" + row("a", "b") + "</w:tbl>"
    )  # fmt: skip
    parsed = parse("a.docx", docx(body))
    assert [(mark.number, parsed.text[mark.start :][:5]) for mark in parsed.pages] == [
        (1, "One.\n"),
        (2, "here."),
        (3, "\n\na |"),
    ]


def test_very_many_pages_in_one_paragraph_take_time_in_proportion() -> None:
    many = 60_000  # which took minutes when every page counted what was before it
    parsed = parse("a.docx", docx(paragraph("<w:r>" + "<w:br/><w:lastRenderedPageBreak/>" * many + "</w:r>", run("x"))))
    assert (parsed.text, len(parsed.pages)) == ("x", many + 1)


def test_what_a_reader_does_not_see_is_left_out() -> None:
    body = (
        paragraph(run("Kept"), "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>")
        + paragraph("<w:ins>" + run("added") + "</w:ins>")
        + paragraph("<w:moveFrom>" + run("moved") + "</w:moveFrom>", run("Here "))
        + paragraph("<w:r><w:instrText>LINK x</w:instrText></w:r>", "<w:hyperlink>" + run("link") + "</w:hyperlink>")
        + paragraph("<w:r><AlternateContent><Choice>" + paragraph(run("Box")) + "</Choice><Fallback>"
                    + paragraph(run("Box again")) + "</Fallback></AlternateContent></w:r>", run("Around"))
    )  # fmt: skip
    assert parse("a.docx", docx(body)).text == "Kept\n\nadded\n\nHere\n\nlink\n\nBox\n\nAround"


def test_a_table_in_a_cell_stays_in_its_row() -> None:
    inner = "<w:tbl>" + row("x", "y") + "</w:tbl>"
    body = (
        "<w:tbl><w:tr><w:tc>" + paragraph(run("out")) + inner + "</w:tc><w:tc>" + paragraph() + "</w:tc></w:tr></w:tbl>"
    )
    assert parse("a.docx", docx(body)).text == "out x | y |"


def test_footnotes_follow_the_text_and_the_properties_have_the_title() -> None:
    notes = f"<w:footnotes {W}><w:footnote>{paragraph(run('A note.'))}</w:footnote></w:footnotes>"
    core = (
        '<cp xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>My  title</dc:title><dc:creator>x</dc:creator></cp>'
    )
    parsed = parse("a.docx", docx(paragraph(run("Text.")), word__footnotes=notes, docProps__core=core))
    assert (parsed.text, parsed.title) == ("Text.\n\nA note.", "My title")


def test_the_content_decides_what_a_word_file_is_called(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(docx(paragraph(run("Hello."))))
    for name in ("a.txt", "a.doc", "a.pdf", "a"):
        assert parse(name, path).text == "Hello."


# -- PowerPoint -------------------------------------------------------------------------------------------------------


def test_slides_come_in_their_order_with_titles_tables_and_notes() -> None:
    first = shape("1", kind="sldNum") + shape("Point one", "Point two", kind="body") + shape("Welcome", kind="ctrTitle")
    second = shape("Numbers", kind="title") + table(("Year", "Sum"), ("2024", "7")) + shape("Free text")
    parsed = parse("talk.pptx", pptx([first, second], notes={1: shape("Speak slowly.", kind="body")}))
    assert parsed.text == (
        "Welcome\n\nPoint one\nPoint two\n\nNumbers\n\nYear | Sum\n2024 | 7\n\nFree text\n\nNotes: Speak slowly."
    )
    second_start = parsed.text.index("Numbers")
    assert parsed.pages == (Mark(0, 1, "Welcome"), Mark(second_start, 2, "Numbers"))
    assert parsed.headings == (Mark(0, 1, "Welcome"), Mark(second_start, 1, "Numbers"))
    assert parsed.kind == "pptx"


def test_a_presentation_of_pictures_is_empty() -> None:
    assert refusal("a.pptx", pptx(["", ""])) == ("invalid_file", "'a.pptx' is empty: it has no text in it.")


# -- Word 97 ----------------------------------------------------------------------------------------------------------


def test_a_word_97_file_is_read_piece_by_piece() -> None:
    data = doc(
        "Grüße — Ελλάδα\r".encode("cp1252", "ignore"),
        "Ελλάδα 日本\r",
        b"\x93Quoted\x94\x0b",
        "end.\x0cNew page.\r",
        headers="HEAD\r",
    )
    parsed = parse("a.doc", data)
    assert parsed.text == "Grüße —\n\nΕλλάδα 日本\n\n“Quoted”\nend.\n\nNew page."
    assert parsed.kind == "doc"


def test_fields_of_a_word_97_file_show_their_results() -> None:
    assert (
        parse("a.doc", doc('See \x13 HYPERLINK "x" \x14the \x13PAGE\x147\x15 site\x15.\x13 TOC \x15\r')).text
        == "See the 7 site."
    )


def test_headings_and_tables_of_a_word_97_file_are_known() -> None:
    paragraphs = [
        ("Guide\r", papx(1)),
        ("Some \U0001f600 text.\r", papx(0)),
        ("Year\x07", CELL),
        ("of\r", CELL),
        ("sale\x07", CELL),
        ("\x07", ROW_END),
        ("2024\x07", CELL),
        ("\x07", CELL),
        ("\x07", ROW_END),
        ("Linux\r", papx(2, (0x2416, 0))),
        ("After.\r", papx(15)),
    ]
    parsed = parse("a.doc", doc(paragraphs=paragraphs))
    assert parsed.text == "Guide\n\nSome \U0001f600 text.\n\nYear | of sale\n2024 | \n\nLinux\n\nAfter."
    assert [(mark.number, mark.title) for mark in parsed.headings] == [(1, "Guide"), (2, "Linux")]


def test_a_field_over_several_paragraphs_shows_its_result() -> None:
    text = "\x13 TOC x \x14One\t1\rTwo\t2\r\x15After \x13 PAGE \x15.\r\x15\x14 Stray\x13 open\r"
    assert parse("a.doc", doc(text)).text == "One\t1\n\nTwo\t2\n\nAfter .\n\n Stray open"


def test_older_locked_and_foreign_ole_files_are_refused_each_with_its_reason() -> None:
    assert refusal("a.doc", doc("x", version=0x68)) == (
        "unsupported_file", "'a.doc' is of Word 95 or older, which is not read. Save it as .docx."
    )  # fmt: skip
    assert refusal("a.doc", doc("x", flags=0x0100)) == (
        "invalid_file",
        "'a.doc' is encrypted: save it without a password.",
    )
    assert refusal("a.docx", ole({"EncryptedPackage": b"x"})) == (
        "invalid_file", "'a.docx' is encrypted: save it without a password."
    )  # fmt: skip
    assert refusal("a.xls", ole({"Workbook": b"x"})) == (
        "unsupported_file", "'a.xls' is an Excel file, which is not read. Save it as .csv."
    )  # fmt: skip
    assert refusal("a.ppt", ole({"PowerPoint Document": b"x"}))[1].endswith("which is not read. Save it as .pptx.")
    assert refusal("a.db", ole({"Catalog": b"x"}))[0] == "unsupported_file"


GOOD_DOC = doc(paragraphs=[("Some text.\r", papx(1)), ("a\x07", CELL), ("\x07", ROW_END)])


@pytest.mark.parametrize("length", [8, 400, 512, 600, 1_500, 3_000, 5_000])
def test_a_word_97_file_that_breaks_off_is_damaged(length: int) -> None:
    code, message = refusal("a.doc", GOOD_DOC[:length])
    assert code == "invalid_file"
    assert message.startswith("'a.doc' is damaged: ")


def test_a_word_97_file_with_any_byte_changed_is_read_or_refused() -> None:
    for place in [*range(0x50), *range(512, 1_024, 7), *range(1_024, 1_024 + 0x1B0, 3), *range(1_536, 3_072, 11)]:
        damaged = bytearray(GOOD_DOC)
        damaged[place] ^= 0xFF
        with suppress(Unreadable):  # and nothing else
            assert len(parse("a.doc", bytes(damaged)).text) < 10_000


def test_a_chain_of_sectors_that_goes_round_ends() -> None:
    circle = bytearray(GOOD_DOC)
    struct.pack_into("<I", circle, 512 + 4 * 2, 1)  # the second sector of the first stream leads back to its first
    assert len(parse("a.doc", bytes(circle)).text) < 10_000


def test_a_table_of_small_sectors_that_goes_round_takes_little_memory() -> None:
    circle = bytearray(GOOD_DOC.ljust(4_000_000, b"\0"))
    struct.pack_into("<II", circle, 0x38, 0xFFFFFFFF, 20)  # all streams are small, and their table is in sector 20,
    struct.pack_into("<I", circle, 512 + 4 * 20, 20)  # which leads to itself
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable):
            parse("a.doc", bytes(circle))
        assert tracemalloc.get_traced_memory()[1] < 3 * len(circle)
    finally:
        tracemalloc.stop()


# -- hostile archives -------------------------------------------------------------------------------------------------


def test_a_zip_bomb_is_refused_while_it_is_read() -> None:
    body = paragraph(run("0" * 40_000_000))
    code, message = refusal("bomb.docx", docx(body))
    assert code == "invalid_file"
    assert message == "'bomb.docx' is not read: it expands to more than 250 times its size, as no real document has."


def test_a_bomb_that_lies_about_its_size_is_refused_too() -> None:
    data = bytearray(docx(paragraph(run("0" * 40_000_000))))
    place = data.find(b"PK\x01\x02")
    while place >= 0:  # in the directory every part claims to be of 10 bytes
        struct.pack_into("<I", data, place + 24, 10)
        place = data.find(b"PK\x01\x02", place + 4)
    code, _ = refusal("bomb.docx", bytes(data))
    assert code == "invalid_file"


def test_an_archive_of_very_many_parts_is_refused() -> None:
    parts: dict[str, str | bytes] = {f"word/{index}": "" for index in range(20_001)}
    code, message = refusal("many.docx", zipped({**parts, "word/document.xml": "<a/>"}, method=zipfile.ZIP_STORED))
    assert code == "invalid_file"
    assert message.startswith("'many.docx' is not read: it has 20,002 parts, where 20,000 is the most")


def test_an_archive_with_a_huge_directory_is_refused_before_it_is_read() -> None:
    comment = io.BytesIO()
    with zipfile.ZipFile(comment, "w") as archive:
        for index in range(70):
            entry = zipfile.ZipInfo(f"word/{index}")
            entry.comment = b"x" * 65_000
            archive.writestr(entry, "")
    code, message = refusal("a.docx", comment.getvalue())
    assert (code, message) == (
        "invalid_file", "'a.docx' is not read: its directory has more than 4,000,000 bytes, as no real document has."
    )  # fmt: skip


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://example.com/x.dtd">',
    ],
)
def test_xml_entities_are_refused(prolog: str) -> None:
    document = f"{prolog}<w:document {W}><w:body>{paragraph(run('&a;'))}</w:body></w:document>"
    code, message = refusal("a.docx", zipped({"word/document.xml": document}))
    assert (code, message) == (
        "invalid_file", "'a.docx' declares XML entities in 'word/document.xml', as no document does."
    )  # fmt: skip


def test_xml_that_is_nested_very_deep_is_refused() -> None:
    code, message = refusal("a.docx", docx("<w:p>" * 600))
    assert code == "invalid_file"
    assert "nested deeper than 512" in message


@pytest.mark.parametrize("body", ["<w:p>", "</w:p>", "&nothing;", "<w:p \x01/>"])
def test_broken_xml_is_damaged(body: str) -> None:
    code, message = refusal("a.docx", docx(body))
    assert code == "invalid_file"
    assert message.startswith("'a.docx' is damaged: the part 'word/document.xml': ")


def test_an_archive_that_breaks_off_or_has_wrong_bytes_is_damaged() -> None:
    good = docx(paragraph(run("Hello." * 500)))
    for data in (good[:100], good[:-30], b"PK\x03\x04" + bytes(500)):
        code, message = refusal("a.docx", data)
        assert code == "invalid_file"
        assert message.startswith("'a.docx' is damaged: ")
    place = good.find(b"word/document.xml") + 30
    code, message = refusal("a.docx", good[:place] + b"\xff\xff\xff" + good[place + 3 :])
    assert (code, message.split(":")[0]) == ("invalid_file", "'a.docx' is damaged")


def test_a_file_on_disk_that_is_no_archive_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(b"PK\x03\x04" + bytes(500))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(Unreadable):
            OfficeZip("a.docx", path)
        gc.collect()
    assert [str(each.message) for each in told] == []


def test_an_encrypted_part_is_refused() -> None:
    data = bytearray(docx(paragraph(run("Hello."))))
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 8] |= 1
        place = data.find(b"PK\x01\x02", place + 4)
    assert refusal("a.docx", bytes(data)) == ("invalid_file", "'a.docx' is encrypted. Save it without a password.")


def test_other_archives_are_unsupported_each_with_what_to_do() -> None:
    assert refusal("a.xlsx", zipped({"xl/workbook.xml": ""})) == (
        "unsupported_file", "'a.xlsx' is an Excel file, which is not read. Save its sheets as .csv."
    )  # fmt: skip
    assert refusal("a.odt", zipped({"mimetype": "x"}))[1].endswith("Save it as .docx or .pdf.")
    assert refusal("a.docx", zipped({"a.txt": "x"}))[0] == "unsupported_file"
    code, message = refusal("a.pptx", zipped({"ppt/presentation.xml": f"<p:presentation {A}>"}))
    assert code == "invalid_file"
    assert message.startswith("'a.pptx' is damaged")
