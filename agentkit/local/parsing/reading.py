"""Which reader a file gets: its content decides, its name only where the content leaves it open."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from agentkit.local.parsing.parsed import MAX_FILE_BYTES, MAX_FILE_TOKENS, Parsed, Unreadable, too_many_tokens

__all__ = ["parse"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RTF = b"{\\rtf"
_LONG_TEXT = 64_000_000
"""Bytes of a text from which on its beginning is counted first; few have less than 5,000,000 tokens."""
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--(?:(?!-->).){0,2000}-->\s*)*<(?:!doctype\s+html|html)[\s>]", re.I | re.S
)
_HTML_SUFFIXES = frozenset((".html", ".htm", ".xhtml"))
_IN_TEXT = frozenset((".csv", ".tsv", ".ipynb"))
_BINARY_SUFFIXES = {".pdf": "a PDF", ".docx": "a Word file", ".pptx": "a PowerPoint file", ".doc": "a Word file"}
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a WebP image, or sound or video"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"BZh", "compressed (bzip2)"),
    (b"\xfd7zXZ\0", "compressed (xz)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd)"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"ID3", "sound"),
    (b"OggS", "sound or video"),
    (b"fLaC", "sound"),
    (b"\0asm", "a WebAssembly program"),
)
_READ = "Read are PDF, Word (.docx, .doc), PowerPoint (.pptx), HTML, Markdown, TeX, JSON, CSV, code and plain text."


def parse(name: str, data: bytes | Path) -> Parsed:
    """Return a file's text, with its pages and headings.

    Args:
        name: What the file is called; of its extension depends what a text is taken for.
        data: Its bytes, or where it lies.

    Returns:
        Text that isn't empty.

    Raises:
        Unreadable: It is of a kind that isn't read, empty, damaged, encrypted, too large, in another encoding than
            UTF-8 or UTF-16, or a PDF of pictures alone.
        OSError: Nothing can be read at the path.
    """
    size = len(data) if isinstance(data, bytes) else data.stat().st_size
    if size > MAX_FILE_BYTES:
        raise Unreadable("invalid_file", f"'{name}' has {size:,} bytes, where {MAX_FILE_BYTES:,} is the most.")
    if not size:
        raise Unreadable("invalid_file", f"'{name}' is empty.")
    parsed = _parse(name, data)
    if not parsed.text.strip():
        raise _without_text(name, parsed)
    return parsed


def _without_text(name: str, parsed: Parsed) -> Unreadable:
    if parsed.kind == "pdf":
        count = f"its {len(parsed.pages):,} pages are" if len(parsed.pages) > 1 else "its page is"
        return Unreadable(
            "invalid_file",
            f"'{name}' has no text layer: {count} pictures or blank. Run text recognition over it (such as ocrmypdf).",
        )
    return Unreadable("invalid_file", f"'{name}' is empty: it has no text in it.")


def _suffix(name: str) -> str:
    """Return a name's extension; of "prices.csv.txt" that of what was called a text for platforms that want one."""
    path = PurePosixPath(name.replace("\\", "/"))
    suffix = path.suffix.lower()
    if suffix == ".txt" and (inner := PurePosixPath(path.stem).suffix.lower()) in _IN_TEXT:
        return inner
    return suffix


def _parse(name: str, data: bytes | Path) -> Parsed:
    suffix = _suffix(name)
    start = data[:4_096] if isinstance(data, bytes) else _beginning(data)
    if start.startswith(_ZIP):
        return _parse_zip(name, data)
    if start.startswith(_OLE):
        from agentkit.local.parsing.word97 import parse_doc

        return parse_doc(name, _all(data))
    if b"%PDF-" in start[:1_024] and (suffix == ".pdf" or start.lstrip().startswith(b"%PDF-")):
        from agentkit.local.parsing.pdf import parse_pdf

        return parse_pdf(name, data)
    for signature, what in _SIGNATURES:
        if start.startswith(signature) and (b"\0" in start or not signature.isalnum()):
            raise Unreadable("unsupported_file", f"'{name}' is {what}, which is not read. {_READ}")
    if suffix not in _HTML_SUFFIXES and not start.startswith(_RTF):
        _refuse_too_long(name, data)
    return _parse_text(name, suffix, _all(data), start)


def _refuse_too_long(name: str, data: bytes | Path) -> None:
    """Refuse a text that has too many tokens by its beginning, before all of it is in memory.

    Raises:
        Unreadable: It has. (What is shorter than the beginning that is looked at is counted when it is cut.)
    """
    from agentkit.local.tokenizing import encode_segments

    size = len(data) if isinstance(data, bytes) else data.stat().st_size
    if size <= _LONG_TEXT:
        return
    start = data[:_LONG_TEXT] if isinstance(data, bytes) else _beginning(data, _LONG_TEXT)
    wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    tokens = 0
    for _, _, found in encode_segments(start.decode("utf-16" if wide else "utf-8", errors="replace")):
        tokens += len(found)
        if tokens > MAX_FILE_TOKENS:
            raise too_many_tokens(name, MAX_FILE_TOKENS)


def _parse_text(name: str, suffix: str, data: bytes, start: bytes) -> Parsed:
    from agentkit.local.parsing.decoding import decode, decode_html
    from agentkit.local.parsing.plain_text import parse_text

    if start.startswith(_RTF):
        from agentkit.local.parsing.rtf import parse_rtf

        return parse_rtf(name, data)
    if suffix in _HTML_SUFFIXES or (suffix in (*_BINARY_SUFFIXES, "") and _HTML.match(start)):
        from agentkit.local.parsing.html_text import parse_html

        return parse_html(name, decode_html(name, data))
    if (expected := _BINARY_SUFFIXES.get(suffix)) is not None:
        raise Unreadable(
            "invalid_file",
            f"'{name}' is damaged, or not what its name says: it doesn't begin as {expected} does. "
            "Save it anew from its program; if it is plain text, call it .txt.",
        )
    text = decode(name, data)
    if not text.strip():
        raise Unreadable("invalid_file", f"'{name}' is empty: it has no text in it.")
    if suffix == ".ipynb":
        from agentkit.local.parsing.notebook_file import parse_notebook

        try:
            return parse_notebook(name, text)
        except Unreadable:
            if name.lower().endswith(suffix):
                raise
    return parse_text(name, suffix, text)


def _parse_zip(name: str, data: bytes | Path) -> Parsed:
    """Read what is a zip archive by the names of its parts."""
    from agentkit.local.parsing.office_zip import OfficeZip

    with OfficeZip(name, data) as parts:
        parts_names = parts.names()
    if any(part.startswith("word/document") for part in parts_names):
        from agentkit.local.parsing.docx import parse_docx

        return parse_docx(name, data)
    if "ppt/presentation.xml" in parts_names:
        from agentkit.local.parsing.pptx import parse_pptx

        return parse_pptx(name, data)
    if any(part.startswith("xl/") for part in parts_names):
        raise Unreadable("unsupported_file", f"'{name}' is an Excel file, which is not read. Save its sheets as .csv.")
    if "mimetype" in parts_names:
        raise Unreadable(
            "unsupported_file",
            f"'{name}' is an OpenDocument or EPUB file, which is not read. Save it as .docx or .pdf.",
        )
    raise Unreadable("unsupported_file", f"'{name}' is a zip archive, which is not read. Add the files that are in it.")


def _beginning(path: Path, size: int = 4_096) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _all(data: bytes | Path) -> bytes:
    return data if isinstance(data, bytes) else data.read_bytes()
