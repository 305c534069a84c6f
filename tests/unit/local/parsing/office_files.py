"""Word and PowerPoint files as small as they can be, made for tests."""

from __future__ import annotations

import io
import struct
import zipfile

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
STYLES = (
    f'<w:styles {W}><w:style w:styleId="Titel"><w:name w:val="Title"/></w:style>'
    '<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="Sub"/></w:style>'
    '<w:style w:styleId="Sub"><w:name w:val="Sub"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style></w:styles>'
)


def zipped(parts: dict[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def paragraph(*runs: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}{''.join(runs)}</w:p>"


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(f"<w:tc>{paragraph(run(cell))}</w:tc>" for cell in cells) + "</w:tr>"


def docx(body: str, **more: str) -> bytes:
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": STYLES,
    }
    return zipped({**parts, **{name.replace("__", "/") + ".xml": content for name, content in more.items()}})


def shape(*lines: str, kind: str = "") -> str:
    placeholder = f'<p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>' if kind else ""
    text = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
    return f"<p:sp>{placeholder}<p:txBody>{text}</p:txBody></p:sp>"


def table(*rows: tuple[str, ...]) -> str:
    cells = (
        "<a:tr>"
        + "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{c}</a:t></a:r></a:p></a:txBody></a:tc>" for c in cells)
        + "</a:tr>"
        for cells in rows
    )
    return f"<p:graphicFrame><a:tbl>{''.join(cells)}</a:tbl></p:graphicFrame>"


def pptx(slides: list[str], *, notes: dict[int, str] | None = None) -> bytes:
    """Return a presentation whose slides are numbered against their order."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    count = len(slides)
    order = "".join(f'<p:sldId id="{256 + i}" r:id="rId{i}"/>' for i in range(count))
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{kind}/slide" Target="slides/slide{count - i}.xml"/>' for i in range(count)
    )
    parts: dict[str, str | bytes] = {
        "ppt/presentation.xml": f"<p:presentation {A}><p:sldIdLst>{order}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": f"<Relationships>{relations}</Relationships>",
    }
    for i, slide in enumerate(slides):
        number = count - i
        parts[f"ppt/slides/slide{number}.xml"] = f"<p:sld {A}><p:cSld><p:spTree>{slide}</p:spTree></p:cSld></p:sld>"
        if notes and i in notes:
            parts[f"ppt/slides/_rels/slide{number}.xml.rels"] = (
                f'<Relationships><Relationship Id="rId1" Target="../notesSlides/notes{number}.xml"/></Relationships>'
            )
            parts[f"ppt/notesSlides/notes{number}.xml"] = f"<p:notes {A}>{notes[i]}</p:notes>"
    return zipped(parts)


# -- Word 97 ----------------------------------------------------------------------------------------------------------

_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF


def ole(streams: dict[str, bytes]) -> bytes:
    """Return an OLE2 file with streams of 4,096 bytes or more: smaller ones are filled up."""
    sectors: list[bytes] = [b""]  # the first holds the table of sectors
    fat = [0xFFFFFFFD]
    entries = [("Root Entry", 5, _END, 0)]
    for name, content in streams.items():
        content = content.ljust(4_096, b"\0")
        start, count = len(sectors), -(-len(content) // 512)
        sectors += [content[i * 512 : i * 512 + 512].ljust(512, b"\0") for i in range(count)]
        fat += [start + i + 1 for i in range(count - 1)] + [_END]
        entries.append((name, 2, start, len(content)))
    directory = b"".join(_entry(*entry) for entry in entries)
    first, count = len(sectors), -(-len(directory) // 512)
    sectors += [directory[i * 512 : i * 512 + 512].ljust(512, b"\0") for i in range(count)]
    fat += [first + i + 1 for i in range(count - 1)] + [_END]
    assert len(fat) <= 128
    sectors[0] = struct.pack("<128I", *fat, *[_FREE] * (128 - len(fat)))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\0") + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header = (
        header.ljust(0x2C, b"\0") + struct.pack("<III", 1, first, 0) + struct.pack("<IIIII", 4096, _END, 0, _END, 0)
    )
    return (header + struct.pack("<109I", 0, *[_FREE] * 108)).ljust(512, b"\0") + b"".join(sectors)


def _entry(name: str, kind: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le")
    head = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded) + 2, kind, 1)
    return head.ljust(0x74, b"\0") + struct.pack("<II", start, size) + bytes(4)


def papx(style: int, *properties: tuple[int, int]) -> bytes:
    """Return a paragraph's style and properties of one byte."""
    return struct.pack("<H", style) + b"".join(struct.pack("<HB", number, value) for number, value in properties)


CELL = papx(0, (0x2416, 1))
ROW_END = papx(0, (0x2403, 0), (0x2416, 1), (0x2417, 1))


def doc(
    *pieces: str | bytes,
    headers: str = "",
    flags: int = 0,
    version: int = 0xC1,
    paragraphs: list[tuple[str, bytes]] | None = None,
) -> bytes:
    """Return a Word 97 file of pieces, those of bytes in Windows-1252, the others in UTF-16; or of paragraphs."""
    if paragraphs is not None:
        pieces = ("".join(text for text, _ in paragraphs),)
    text, limits, places = b"", [0], b""
    for piece in [*pieces, headers]:
        where = 2_048 + len(text)
        compressed = isinstance(piece, bytes)
        places += struct.pack("<HIH", 0, where * 2 | 0x40000000 if compressed else where, 0)
        text += piece if isinstance(piece, bytes) else piece.encode("utf-16-le")
        limits.append(limits[-1] + len(piece))
    table = struct.pack(f"<{len(limits)}I", *limits) + places
    clx = b"\1\2\0ab" + b"\2" + struct.pack("<I", len(table)) + table
    pages = struct.pack("<III", 2_048, 2_048 + len(text), 2) if paragraphs else b""
    fib = struct.pack("<HH", 0xA5EC, version).ljust(10, b"\0") + struct.pack("<H", flags | 0x0200)
    counts = struct.pack("<8I", limits[-2], 0, len(headers), 0, 0, 0, 0, 0)
    fib = fib.ljust(0x4C, b"\0") + counts
    fib = fib.ljust(0x102, b"\0") + struct.pack("<II", 16 + len(clx), len(pages))
    fib = fib.ljust(0x1A2, b"\0") + struct.pack("<II", 16, len(clx))
    word = fib.ljust(1_024, b"\0") + _page_of_kinds(paragraphs or [])
    return ole({"WordDocument": word.ljust(2_048, b"\0") + text, "1Table": bytes(16) + clx + pages})


def _page_of_kinds(paragraphs: list[tuple[str, bytes]]) -> bytes:
    """Return the page of 512 bytes that says of what kind each paragraph is."""
    page = bytearray(512)
    page[511] = len(paragraphs)
    start, end = 2_048, 510
    for index, (text, kind) in enumerate(paragraphs):
        struct.pack_into("<I", page, 4 * index, start)
        start += 2 * len(text)
        stored = kind + bytes(len(kind) % 2)
        end -= 2 + len(stored)
        page[end : end + 2 + len(stored)] = bytes((0, len(stored) // 2)) + stored
        page[4 * (len(paragraphs) + 1) + 13 * index] = end // 2
    struct.pack_into("<I", page, 4 * len(paragraphs), start)
    return bytes(page)
