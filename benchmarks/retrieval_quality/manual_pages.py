"""Manual pages: the question is the line that `apropos` shows, which is taken out of the page."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.retrieval_quality.documents import Document, without

__all__ = ["manual_pages"]

_MOST_CHARACTERS = 6_000
"""Longer pages would take most of the time: a third of the pages has three quarters of the text."""
_MOST_BYTES = 5_000
"""Compressed; larger ones aren't rendered."""
_FEWEST_CHARACTERS = 500
_NAME = re.compile(r"^NAME\n((?:[ \t]+\S.*\n|\n(?=[ \t]))+)", re.MULTILINE)


def manual_pages(unpacked: Path) -> Iterator[Document]:
    """Yield the pages of sections 1 to 8, rendered, without their headers, footers and NAME sections."""
    found = sorted(unpacked.glob("usr/share/man/man[1-8]/*.[1-8].gz"))
    pages = [path for path in found if not path.is_symlink() and path.stat().st_size <= _MOST_BYTES]
    with ThreadPoolExecutor(2) as pool:
        rendered = [page for page in pool.map(_page, pages) if page is not None]
    said = Counter(page.question for page in rendered)
    for page in rendered:  # a line that stands for several pages has no one answer
        alone = said[page.question] == 1 and len(page.question.split()) >= 3
        yield page if alone else Document(page.key, page.kind, page.text)


def _page(path: Path) -> Document | None:
    source = gzip.decompress(path.read_bytes())
    if source.lstrip().startswith(b".so "):
        return None
    text = _rendered(source)
    found = _NAME.search(text)
    if not found or not _FEWEST_CHARACTERS < len(text) <= _MOST_CHARACTERS:
        return None
    line = re.sub(r"\s+", " ", re.sub(r"[\u2010\u00ad-]\n\s+", "", found[1])).strip()
    _, dash, question = re.sub(r"[\u2010-\u2014]", "-", line).partition(" - ")
    if not dash:
        return None
    body = text[found.end() :]
    body = body[: body.rstrip().rfind("\n")]  # the footer
    return Document(path.name.removesuffix(".gz"), "manual page", without(body, question).strip(), question.strip())


def _rendered(source: bytes) -> str:
    command = ["groff", "-t", "-K", "utf8", "-mandoc", "-Tutf8", "-P-cbou", "-rLL=100n", "-rHY=0"]
    ended = subprocess.run(command, input=source, capture_output=True, check=False, timeout=60)
    return ended.stdout.decode("utf-8", "replace")
