"""Tables in comma-separated form cut between rows, each passage with the header."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agentkit.local.tokenizing import count_tokens
from agentkit.local.vector_stores.passages import Chunk

__all__ = ["cut_rows"]

_LONGEST_ROW = 65_536
"""Characters of a row in quotes; a longer one has a quotation mark that isn't meant as such."""
_SEPARATORS = ",;\t|"


def cut_rows(text: str, max_tokens: int, tokens_before: Callable[[int], int]) -> list[Chunk]:
    """Return passages of whole rows.

    Args:
        text: The table. Line ends within quotation marks belong to their row.
        max_tokens: Most tokens of a passage, the header included.
        tokens_before: How many tokens of the text begin before a place, roughly.

    Returns:
        Passages whose `text` is the header, a line end, and the rows `text[start:end]`. A row that is too long for one
        passage is cut. The header alone is a passage if there are no rows.
    """
    rows = [(start, end) for start, end in _rows(text) if not text[start:end].isspace()]
    if not rows:
        return []
    header = _header(text, rows[0], max_tokens)
    if header and len(rows) > 1:
        rows = rows[1:]
    else:
        header = ""
    found: list[Chunk] = []
    room = max_tokens - (count_tokens(header) if header else 0)
    for span in _packed(rows, room, tokens_before):
        for start, end, tokens in _fitting(text, header, span, max_tokens):
            found.append(Chunk(len(found), header + text[start:end], tokens, start, end))
    return found


def _header(text: str, row: tuple[int, int], max_tokens: int) -> str:
    """Return the first row with its line end, "" where it has numbers as data has, or takes half of a passage."""
    line = text[row[0] : row[1]]
    separator = max(_SEPARATORS, key=line.count)
    cells = [cell.strip().strip('"') for cell in line.split(separator)]
    if any(cell and _is_number(cell) for cell in cells) or not any(cells):
        return ""
    header = f"{line}\n"
    return header if count_tokens(header) <= max_tokens // 2 else ""


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _rows(text: str) -> Iterator[tuple[int, int]]:
    """Yield where rows begin and end, without their line ends."""
    if not text.count('"') or not (rows := list(_quoted_rows(text))):
        start = 0
        for line in text.split("\n"):
            if line:
                yield start, start + len(line)
            start += len(line) + 1
        return
    yield from rows


def _quoted_rows(text: str) -> Iterator[tuple[int, int]]:
    """Yield the rows, a line end within quotation marks being part of one; none where those don't fit together."""
    found: list[tuple[int, int]] = []
    start = place = 0
    inside = False
    for line in text.split("\n"):
        inside ^= bool(line.count('"') % 2)
        end = place + len(line)
        if inside and end - start > _LONGEST_ROW:
            return
        if not inside:
            if end > start:
                found.append((start, end))
            start = end + 1
        place = end + 1
    if not inside:
        yield from found


def _packed(
    rows: list[tuple[int, int]], room: int, tokens_before: Callable[[int], int]
) -> Iterator[list[tuple[int, int]]]:
    """Yield as many rows at a time as fit in `room` tokens by a rough count, but always one."""
    packed: list[tuple[int, int]] = []
    used = 0
    for start, end in rows:
        size = tokens_before(end) - tokens_before(start) + 1  # and its line end
        if packed and used + size > room:
            yield packed
            packed, used = [], 0
        packed.append((start, end))
        used += size
    if packed:
        yield packed


def _fitting(text: str, header: str, rows: list[tuple[int, int]], most: int) -> Iterator[tuple[int, int, int]]:
    """Yield `(start, end, tokens)` of passages with the header that really fit; a row alone that doesn't is cut."""
    start, end = rows[0][0], rows[-1][1]
    if (tokens := count_tokens(header + text[start:end])) <= most:
        yield start, end, tokens
    elif len(rows) > 1:
        half = len(rows) // 2
        yield from _fitting(text, header, rows[:half], most)
        yield from _fitting(text, header, rows[half:], most)
    else:
        room = most - (count_tokens(header) if header else 0)
        for part in _parts(text[start:end], room):
            passage = header + text[start + part.start : start + part.end]
            yield start + part.start, start + part.end, count_tokens(passage)


def _parts(row: str, most: int) -> list[Chunk]:
    """Return the parts of a row that is too long, each of at most `most` tokens, also behind a header."""
    from agentkit.local.chunking import cut
    from agentkit.local.parsing.parsed import Parsed
    from agentkit.local.vector_stores.passages import Chunking

    return cut(Parsed(row), Chunking(max(8, most - 2), 0))
