"""Bytes as text: UTF-8, UTF-16 and ASCII, as OpenAI's file search takes them; and what isn't text at all."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

from agentkit.local.parsing.parsed import Unreadable

__all__ = ["decode", "decode_html", "looks_like_text"]

_ODD_CONTROLS = bytes(set(range(32)) - set(b"\t\n\x0b\x0c\r\x1b\x08"))
"""Control characters that no text has; form feeds, backspaces and escapes stand in manuals and logs."""
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.+-]{2,40})""", re.IGNORECASE)
_WEB_ENCODING = re.compile(
    r"ascii|cp125\d|cp874|cp866|iso8859-\d+|koi8-[ru]|mac-roman|shift_jis|euc_jp|iso2022_jp|gb2312|gbk|gb18030|big5|euc_kr"
)
_SAMPLE = 65_536


def decode(name: str, data: bytes) -> str:
    """Return the text of a file with line feeds at line ends.

    Args:
        name: The file, for errors.
        data: Its bytes: UTF-8 or ASCII, with or without a byte order mark; UTF-16 with one, or evidently that.

    Raises:
        Unreadable: It is in another encoding, or no text.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Unreadable("invalid_file", f"'{name}' is in UTF-32, where UTF-8 or UTF-16 is read. Save it as UTF-8.")
    encoding = _utf16(data) or "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(name, data, error) from None
    if text.startswith("\ufeff"):
        text = text[1:]
    if "\0" in text or not looks_like_text(data if encoding == "utf-8-sig" else text[:_SAMPLE].encode()):
        raise Unreadable("unsupported_file", f"'{name}' is not a text: it has control characters of a binary file.")
    return _normalized(text)


def decode_html(name: str, data: bytes) -> str:
    """Return the text of an HTML file, which may name its encoding itself. Errors are those of `decode`."""
    declared = _CHARSET.search(data[:4_096])
    if declared and not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with suppress(LookupError):
            codec = codecs.lookup(declared[1].decode("ascii")).name
            if _WEB_ENCODING.fullmatch(codec):
                latin = codec in ("iso8859-1", "ascii")  # which mean Windows-1252 on the web
                return _normalized(data.decode("cp1252" if latin else codec, errors="replace"))
    return decode(name, data)


def looks_like_text(data: bytes) -> bool:
    """Return whether the beginning of some bytes has (nearly) no control characters of binary files."""
    sample = data[:_SAMPLE]
    odd = len(sample) - len(sample.translate(None, _ODD_CONTROLS))
    return odd <= len(sample) // 200


def _utf16(data: bytes) -> str | None:
    """Return the kind of UTF-16 that the bytes are, None where they aren't."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = data[:4_096]
    if len(sample) < 4 or len(data) % 2:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > 0.4 * half and even < 0.02 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd < 0.02 * half else None


def _undecodable(name: str, data: bytes, error: UnicodeDecodeError) -> Unreadable:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Unreadable("invalid_file", f"'{name}' is damaged UTF-16: {error.reason} at byte {error.start:,}.")
    if b"\0" in data[:_SAMPLE] or not looks_like_text(data):
        return Unreadable(
            "unsupported_file",
            f"'{name}' is not a text, nor of a kind that is read. Convert it to PDF, Word, Markdown or plain text.",
        )
    return Unreadable(
        "invalid_file",
        f"'{name}' is not in UTF-8: byte 0x{data[error.start]:02X} at {error.start:,} can't be read. "
        "Save it as UTF-8 (from Windows-1252: iconv -f WINDOWS-1252 -t UTF-8).",
    )


def _normalized(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
