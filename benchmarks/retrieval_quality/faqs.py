"""Lists of questions and answers: each answer is a file, its heading the question."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.retrieval_quality.documents import Document, without

__all__ = ["debian_faq", "perl_faq", "python_faq"]

_FEWEST_CHARACTERS = 150


def perl_faq(unpacked: Path) -> Iterator[Document]:
    """Yield the answers of perlfaq1 to perlfaq9."""
    for path in sorted(unpacked.glob("usr/share/perl/*/pod/perlfaq[1-9].pod")):
        text = path.read_text(encoding="utf-8", errors="replace").partition("=head1 AUTHOR AND COPYRIGHT")[0]
        for number, part in enumerate(re.split(r"^=head[12] ", text, flags=re.MULTILINE)[1:]):
            question, _, answer = part.partition("\n")
            yield from _answer(f"{path.stem}-{number}", "Perl FAQ", _pod(question), _pod(answer))


def python_faq(unpacked: Path) -> Iterator[Document]:
    """Yield the answers of Python's FAQ, and the sections of its tutorial, which have no questions."""
    sources = unpacked / "usr/share/doc/python3.11/html/_sources"
    for path in sorted((sources / "faq").glob("*.rst.txt")):
        for number, (heading, body) in enumerate(_rst_sections(path.read_text(encoding="utf-8"))):
            yield from _answer(f"python-{path.name.partition('.')[0]}-{number}", "Python FAQ", _rst(heading), body)
    for path in sorted((sources / "tutorial").glob("*.rst.txt")):
        for number, (heading, body) in enumerate(_rst_sections(path.read_text(encoding="utf-8"))):
            if len(body) >= _FEWEST_CHARACTERS:
                yield Document(f"tutorial-{path.stem}-{number}", "Python tutorial", f"{_rst(heading)}\n\n{body}")


def debian_faq(unpacked: Path) -> Iterator[Document]:
    """Yield the answers of Debian's FAQ."""
    (path,) = unpacked.glob("usr/share/doc/debian/FAQ/debian-faq.en.txt.gz")
    text = gzip.decompress(path.read_bytes()).decode("utf-8")
    parts = re.split(r"^(\d+\.\d+(?:\.\d+)*\.)\s(?=\S)", text, flags=re.MULTILINE)
    for number, part in zip(parts[1::2], parts[2::2], strict=True):
        heading, _, body = part.partition("\n\n")
        yield from _answer(f"debian-faq-{number}", "Debian FAQ", heading, body)


def _answer(key: str, kind: str, question: str, answer: str) -> Iterator[Document]:
    question = re.sub(r"\s+", " ", question).strip()
    body = without(answer, question).strip()
    if len(body) < _FEWEST_CHARACTERS:
        return
    asked = question if question.endswith("?") or re.match(r"(how|what|why|can|is|where)\b", question, re.I) else ""
    yield Document(key, kind, body, asked if len(asked.split()) >= 3 else "")


def _pod(text: str) -> str:
    """Return text without its markup, and without the entries for an index (X<…>), which no reader sees."""
    text = re.sub(r"X<[^<>]*>", "", text)
    text = re.sub(r"^=(?:head\d|item|over|back|for|begin|end|encoding|cut)\b", "", text, flags=re.MULTILINE)
    for _ in range(2):
        text = re.sub(r"[A-Z]<+\s?([^<>]*?)\s?>+", lambda code: code[1].partition("|")[0], text)
    return text


def _rst(text: str) -> str:
    return re.sub(r":\w+(?::\w+)*:`~?([^`<]*?)(?:\s*<[^>]*>)?`", r"\1", text).replace("``", "").replace("\\", "")


def _rst_sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield headings, which are underlined, each with the text below it."""
    lines = text.split("\n")
    places = [
        index
        for index in range(len(lines) - 1)
        if lines[index].strip()
        and not lines[index].startswith((" ", ".."))
        and re.fullmatch(r"([=\-~^\"*])\1{2,}", lines[index + 1])
        and len(lines[index + 1]) >= len(lines[index].rstrip())
    ]
    for place, following in zip(places, [*places[1:], len(lines)], strict=False):
        body = [line for line in lines[place + 2 : following] if not re.match(r"\.\. (?:_|index|only|contents)", line)]
        yield lines[place].strip(), "\n".join(body).strip()
