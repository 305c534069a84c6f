"""The process that reads PDF files, run as a program: PDFium is C++ and a hostile file may crash it.

Each request is a line of JSON on the standard input, with the file's path or, behind the line, its bytes. The answers
are lines of JSON on the standard output: `{"pages": n, "title": …, "outline": […]}`, then `{"page": i, "text": …}` for
each page, then `{"done": true}`; or `{"error": kind, "detail": …}`. Without a request for a while it ends by itself.

This file imports nothing of agentkit: it is run by its path.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
import threading
from typing import Any, BinaryIO

_IDLE_S = 10.0
_MEMORY_BYTES = 3_000_000_000
_MOST_OUTLINE = 5_000
_PASSWORD_ERROR = 4


def main() -> None:
    """Answer requests until the input ends."""
    if len(sys.argv) > 1:
        sys.path.append(sys.argv[1])  # where pypdfium2 lies for the process that started this one
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    _limit_memory()
    pdfium = importlib.import_module("pypdfium2")  # it has no types
    _send(answers, {"ready": True})
    while True:
        idle = threading.Timer(_IDLE_S, os._exit, (0,))
        idle.daemon = True
        idle.start()
        line = requests.readline()
        idle.cancel()
        if not line:
            return
        request = json.loads(line)
        _send(answers, {"accepted": True})
        source = request.get("path") or requests.read(request["size"])
        try:
            _read(pdfium, source, request, answers)
        except MemoryError:
            _send(answers, {"error": "memory", "detail": ""})


def _limit_memory() -> None:
    try:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(_MEMORY_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    except (ImportError, ValueError, OSError):  # not on this system
        pass


def _read(pdfium: Any, source: str | bytes, request: dict[str, Any], answers: BinaryIO) -> None:
    try:
        document = pdfium.PdfDocument(source)
    except pdfium.PdfiumError as error:
        locked = getattr(error, "err_code", None) == _PASSWORD_ERROR or "password" in str(error).lower()
        _send(answers, {"error": "encrypted" if locked else "damaged", "detail": str(error)})
        return
    try:
        count = len(document)
        head = {"pages": count, "title": _title(document), "outline": _outline(pdfium, document)}
        _send(answers, head)
        if count <= request["most_pages"]:
            _send_pages(pdfium, document, count, request["most_characters"], answers)
            _send(answers, {"done": True})
    finally:
        document.close()


def _send_pages(pdfium: Any, document: Any, count: int, most_characters: int, answers: BinaryIO) -> None:
    characters = 0
    for index in range(count):
        try:
            text = _page_text(pdfium, document, index)
        except pdfium.PdfiumError:  # one broken page doesn't spoil the others
            _send(answers, {"page": index, "text": "", "broken": True})
            continue
        characters += len(text)
        _send(answers, {"page": index, "text": text})
        if characters > most_characters:
            return


def _page_text(pdfium: Any, document: Any, index: int) -> str:
    page = document[index]
    try:
        text_page = page.get_textpage()
        try:
            size = text_page.count_chars()
            return str(text_page.get_text_range(0, size)) if size > 0 else ""
        finally:
            text_page.close()
    finally:
        page.close()


def _title(document: Any) -> str:
    return str(document.get_metadata_value("Title") or "")[:500]


def _outline(pdfium: Any, document: Any) -> list[tuple[int, int, str]]:
    """Return the bookmarks: `(page, level, title)`, page from 0, level from 1."""
    found: list[tuple[int, int, str]] = []
    try:
        for bookmark in document.get_toc(max_depth=6):
            target = bookmark.get_dest()
            page = target.get_index() if target is not None else None
            if page is not None:
                found.append((page, bookmark.level + 1, bookmark.get_title()[:300]))
            if len(found) >= _MOST_OUTLINE:
                break
    except (pdfium.PdfiumError, ctypes.ArgumentError, ValueError, RecursionError):
        pass
    return found


def _send(answers: BinaryIO, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
