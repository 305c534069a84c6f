"""PDF files, read by PDFium in a process of its own.

PDFium is C++, and files from anywhere have crashed it before. In a notebook that would end the kernel with all its
variables; so it runs apart, with a limit of memory and of time, and a crash is an error of that file. The process is
kept for the next file and ends by itself; starting it costs about 0.1 s, sending pages through a pipe about 2 %.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from agentkit.local.parsing.parsed import MAX_CHARACTERS, Mark, Parsed, TextBuilder, Unreadable, one_line

__all__ = ["MAX_PAGES", "parse_pdf"]

MAX_PAGES = 50_000
"""Most pages of a file."""
_LOOKED_THROUGH = 100_000
"""Characters of a page that a bookmark is looked for in: no real page has more, and there may be 5,000 bookmarks."""
_SILENCE_S = 60.0
"""Longest time for one page."""
_LONGEST_S = 900.0
"""Longest time for one file."""
_KEPT = 2
_PROGRAM = Path(__file__).with_name("pdf_process.py")

_idle: list[_Process] = []
_lock = threading.Lock()


def parse_pdf(
    name: str, data: bytes | Path, *, most_pages: int = MAX_PAGES, most_characters: int = MAX_CHARACTERS
) -> Parsed:
    """Return a PDF's text with its pages, and its bookmarks as headings.

    Args:
        name: The file, for errors.
        data: Its bytes, or where it lies.
        most_pages: Of how many pages it may be.
        most_characters: What is behind so many is left out.

    Returns:
        The text; "" for a file without a text layer.

    Raises:
        Unreadable: It is damaged, needs a password, is too long, or takes too long.
    """
    pages: list[str] = []
    head: dict[str, Any] = {}
    for answer in _ask(name, data, most_pages, most_characters):
        if "page" in answer:
            pages.append(_tidied(answer["text"]))
        elif "pages" in answer:
            head = answer
        elif "error" in answer:
            raise _refused(name, answer)
    count = head.get("pages", 0)
    if not count:
        raise Unreadable("invalid_file", f"'{name}' is damaged: it has no pages.")
    if count > most_pages:
        raise Unreadable("invalid_file", f"'{name}' has {count:,} pages, where {most_pages:,} is the most.")
    return _assembled(name, pages, head)


def _refused(name: str, answer: dict[str, Any]) -> Unreadable:
    if answer["error"] == "encrypted":
        return Unreadable("invalid_file", f"'{name}' is encrypted: save it without a password.")
    if answer["error"] == "memory":
        return Unreadable("invalid_file", f"'{name}' takes more than 3 GB of memory to read. Split it into parts.")
    detail = one_line(str(answer["detail"])).rstrip(".")
    return Unreadable("invalid_file", f"'{name}' is damaged, or no PDF: {detail}. Save it anew from its program.")


def _assembled(name: str, pages: list[str], head: dict[str, Any]) -> Parsed:
    built = TextBuilder(name)
    starts: list[int] = []
    for number, text in enumerate(pages, 1):
        built.page(number)
        starts.append(built.length)
        built.add(text)
    headings = sorted(_headings(pages, starts, head["outline"]), key=lambda mark: mark.start)
    built.headings = headings
    return built.parsed("pdf", title=head["title"])


def _headings(pages: list[str], starts: list[int], outline: list[tuple[int, int, str]]) -> Iterator[Mark]:
    """Yield the bookmarks where their words stand on their pages; at the page's beginning where they don't."""
    for page, level, title in outline:
        words = one_line(title).split()
        if not words or not 0 <= page < len(pages):
            continue
        text = pages[page][:_LOOKED_THROUGH]
        found = re.search(r"\s+".join(map(re.escape, words[:12])), text, re.IGNORECASE)
        yield Mark(starts[page] + (found.start() if found else 0), level, " ".join(words))


def _tidied(text: str) -> str:
    """Return a page's text without the marks of hyphenation (PDFium's U+FFFE) and spaces at line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub("(?:\ufffe|\x02)\n?", "", text)
    text = text.replace("\0", "").replace("\xa0", " ")
    return re.sub(r"[ \t]+\n", "\n", text).strip()


# -- the process ------------------------------------------------------------------------------------------------------


def _ask(name: str, data: bytes | Path, most_pages: int, most_characters: int) -> Iterator[dict[str, Any]]:
    process = _begin(name, data, {"most_pages": most_pages, "most_characters": most_characters})
    kept = False
    try:
        for answer in process.answers(name):
            most_characters -= len(answer.get("text", ""))
            kept = (
                "done" in answer or "error" in answer or answer.get("pages", 0) > most_pages or most_characters < 0
            )  # it waits for the next file
            yield answer
            if kept:
                break
    finally:
        with _lock:
            kept = kept and len(_idle) < _KEPT
            if kept:
                _idle.append(process)
        if not kept:
            process.close()


def _begin(name: str, data: bytes | Path, request: dict[str, Any]) -> _Process:
    """Return a process that reads the file: a kept one, else a new one."""
    while True:
        with _lock:
            process = _idle.pop() if _idle else None
        if process is None:
            break
        if process.owner == os.getpid() and process.begin(data, request):
            return process
        process.close()  # it has ended meanwhile, having had nothing to do
    why = "it ended at once"
    try:
        process = _Process()
        if process.begin(data, request):
            return process
        process.close()
    except OSError as error:  # no program can be started here
        why = str(error)
    raise Unreadable("invalid_file", f"'{name}' can't be read: the process for PDF files didn't start ({why}).")


class _Process:
    """A process that reads one file after another."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        found = importlib.util.find_spec("pypdfium2")
        if found is None or found.origin is None:
            raise Unreadable(
                "unsupported_file", "PDF files are read by pypdfium2, which is missing: pip install pypdfium2"
            )
        self._popen = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM), str(Path(found.origin).parent.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=os.name == "posix",  # an interrupt of the cell is none of its
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        atexit.register(self.close)
        self._deadline = time.monotonic() + _SILENCE_S
        self._ready = False

    def begin(self, data: bytes | Path, request: dict[str, Any]) -> bool:
        """Hand over a file; return whether the process has taken it."""
        assert self._popen.stdin is not None
        source = {"path": str(data)} if isinstance(data, Path) else {"size": len(data)}
        with suppress(OSError), _Watch(self._popen, _SILENCE_S):
            if not self._ready:
                self._ready = "ready" in self._read()
            self._popen.stdin.write(json.dumps({**request, **source}).encode() + b"\n")
            self._popen.stdin.flush()
            if "accepted" not in self._read():
                return False
            if isinstance(data, bytes):
                self._popen.stdin.write(data)
                self._popen.stdin.flush()
            return True
        return False

    def answers(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield what it says of the file.

        Raises:
            Unreadable: It crashed, or takes too long.
        """
        with _Watch(self._popen, _SILENCE_S, _LONGEST_S) as watch:
            while answer := self._read():
                watch.reset()
                yield answer
            if watch.fired:
                raise Unreadable(
                    "invalid_file",
                    f"'{name}' is not read: a page took more than {_SILENCE_S:.0f} s, or all more than "
                    f"{_LONGEST_S / 60:.0f} min. Print it to a new PDF, or split it.",
                )
        raise Unreadable(
            "invalid_file", f"'{name}' is damaged: PDFium crashed over it, or ran out of memory. Print it to a new PDF."
        )

    def _read(self) -> dict[str, Any]:
        """Return the next answer, {} where there is none any more."""
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        return answer

    def close(self) -> None:
        """End the process."""
        atexit.unregister(self.close)
        if self.owner != os.getpid():  # a fork's copy: not ours to end
            self._popen.returncode = 0
            return
        self._popen.kill()
        for stream in (self._popen.stdin, self._popen.stdout):
            with suppress(OSError):
                assert stream is not None
                stream.close()
        self._popen.wait()


class _Watch:
    """Kills a process that says nothing for too long."""

    def __init__(self, process: subprocess.Popen[bytes], silence_s: float, longest_s: float = float("inf")) -> None:
        self._process = process
        self._silence_s = silence_s
        self._end = time.monotonic() + longest_s
        self._deadline = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="agentkit-pdf-watch", daemon=True)
        self.fired = False
        self.reset()

    def reset(self) -> None:
        """Note that it said something."""
        self._deadline = min(time.monotonic() + self._silence_s, self._end)

    def _wait(self) -> None:
        while not self._done.wait(max(0.0, self._deadline - time.monotonic())):
            if time.monotonic() >= self._deadline:
                self.fired = True
                self._process.kill()
                return

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
