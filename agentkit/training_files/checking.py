"""Checking training data against every documented rule, line by line, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal

from agentkit.exceptions import UserError
from agentkit.training_files.findings import SHOWN, Finding, Findings
from agentkit.training_files.models import is_plain
from agentkit.training_files.parsing import NOTHING, infinite_numbers, parsed, reasons
from agentkit.training_files.reading import MAX_LINE_BYTES, RawLine, opened, raw_lines, what_it_is
from agentkit.training_files.rules import MAX_FILE_BYTES, MAX_WITH_IMAGES, MIN_EXAMPLES, problems_in

__all__ = [
    "FEW_EXAMPLES",
    "MAX_LEGAL_BYTES",
    "Checker",
    "Kind",
    "begin",
    "check_path",
    "checked_kind",
    "kind_of",
    "through",
]

Kind = Literal["sft", "dpo"]
"""What the examples are for: supervised fine-tuning, or direct preference optimization."""

FEW_EXAMPLES = 50
"""Examples from which on a training begins to help, by OpenAI's guide."""

_RULES_OF = {"sft": "sft", "dpo": "preferences"}
_OTHER = {"sft": "a conversation for SFT", "dpo": "a pair for DPO"}
MAX_LEGAL_BYTES = 140_000_000
"""Bytes that a line with 10 images of 10 MB has in base64, about."""

JSON = Any  # what a user may have put there


def checked_kind(kind: Any) -> Kind | None:
    """Return a kind, or None for None.

    Raises:
        UserError: It is something else.
    """
    if kind not in ("sft", "dpo", None):
        meant = ' Pairs of a liked and a disliked answer are "dpo".' if kind == "preferences" else ""
        raise UserError(f'kind is "sft", "dpo" or None, not {kind!r:.60}.{meant}', hint="None looks at the first line.")
    return kind  # type: ignore[no-any-return]  # one of these


class Checker:
    """Looks at lines one after the other, and remembers what is wrong and how many there were.

    Args:
        kind: What they are for; None for what the first line that can be read is for.
        shown: Problems of a rule that are kept.
    """

    def __init__(self, kind: Kind | None = None, *, shown: int = SHOWN) -> None:
        self.kind = kind
        self.findings = Findings(shown)
        self.examples = 0
        self.unreadable = 0
        self.size_bytes = 0
        self.with_images = 0
        self._tools: JSON = None

    def line(self, raw: RawLine) -> JSON:
        """Look at a line, and return its value; `NOTHING` where it has none, or is empty."""
        number, _, data, size = raw
        self.size_bytes += size + 1
        if data is None:
            self._too_long(number, size)
            return NOTHING
        value = parsed(data)
        if value is NOTHING:
            value = self._broken(number, data)
            if value is NOTHING:
                return NOTHING
        self.examples += 1
        if self.kind is None or type(value) is not dict:
            self._guess(value)
        rules = "sft" if self.kind == "sft" else "preferences"
        if type(value) is dict and is_plain(rules, value):
            if b"\\u0000" in data:
                self._nul(number, value)
            return value
        self._by_rules(number, data, value, rules)
        return value

    def _by_rules(self, number: int, data: bytes, value: JSON, rules: str) -> None:
        """Look at a line that isn't of the plainest form."""
        other = kind_of(value) if isinstance(value, dict) else None
        if other is not None and other != self.kind:
            problem = f"is {_OTHER[other]}, and the others are for {str(self.kind).upper()}"
            self.findings.add(number, "mixed-kinds", "", problem, "Put it into a file of its own.")
            return
        if b"image_url" in data and _has_image(value):
            self.with_images += 1
        if b"\\u0000" in data:
            self._nul(number, value)
        for found in problems_in(rules, value):
            self.findings.add_problem(number, found)
        tools = value.get("tools") if isinstance(value, dict) else None
        if tools is None or tools != self._tools:  # those of most lines are those of the line before
            huge = list(infinite_numbers(value))
            self._tools = None if huge else tools
            for found in huge:
                self.findings.add_problem(number, found)

    def _broken(self, number: int, data: bytes) -> JSON:
        if not data.strip():
            self.findings.add(number, "empty-line", "", "is empty", "Take it out.", "warning")
            return NOTHING
        found, value = reasons(data)
        for problem in found:
            self.findings.add_problem(number, problem)
        if value is NOTHING:
            self.examples += 1
            self.unreadable += 1
        return value

    def _guess(self, value: JSON) -> None:
        if self.kind is None and isinstance(value, dict):
            self.kind = kind_of(value) or "sft"

    def _nul(self, number: int, value: JSON) -> None:
        if _has_nul(value):
            remedy = "Take it out: tokenizers and databases stumble over it."
            self.findings.add(number, "nul", "", "has NUL characters in a text", remedy, "warning")

    def _too_long(self, number: int, size: int) -> None:
        self.examples += 1
        self.unreadable += 1
        level = "warning" if size <= MAX_LEGAL_BYTES else "error"
        remedy = "Are the line ends missing? Else make its images smaller, or give max_line_bytes."
        self.findings.add(number, "line-too-long", "", f"has {size:,} bytes, and wasn't looked at", remedy, level)

    def finish(self) -> None:
        """Look at what is about all lines."""
        add, count = self.findings.add, self.examples
        told = f"{count or 'no'} example{'' if count == 1 else 's'}"
        if count < MIN_EXAMPLES:
            add(None, "too-few", "", told, f"The platform trains on {MIN_EXAMPLES} or more.")
        elif count < FEW_EXAMPLES:
            add(None, "few", "", told, f"{FEW_EXAMPLES} to 100 are what begins to help.", "warning")
        if self.size_bytes > MAX_FILE_BYTES:
            remedy = f"A file has at most {MAX_FILE_BYTES:,}: use the Uploads API for it, or take fewer."
            add(None, "file-size", "", f"{self.size_bytes:,} bytes", remedy)
        if self.with_images > MAX_WITH_IMAGES:
            remedy = f"At most {MAX_WITH_IMAGES:,} may have some."
            add(None, "with-images", "", f"{self.with_images:,} examples with images", remedy)

    @property
    def ok(self) -> bool:
        """Whether the platform takes what was looked at: there are no errors."""
        return not self.findings.count("error")

    def problems(self, most: int = 5) -> list[Finding]:
        """Return the first errors, each with its line, field, problem and remedy.

        Args:
            most: How many at most.
        """
        return [each for each in self.findings if each.level == "error"][:most]


def check_path(
    path: str | os.PathLike[str], *, kind: Kind | None = None, max_line_bytes: int = MAX_LINE_BYTES
) -> Checker:
    """Check a file against every rule about lines and files, in bounded memory whatever its size.

    Args:
        path: The file.
        kind: "sft" or "dpo"; None for what its first line is for.
        max_line_bytes: Longer lines are reported unread.

    Returns:
        What looked at it: `ok`, `kind`, `examples` and `problems()`.

    Raises:
        UserError: There is no such file, it can't be read, or `kind` is neither.
    """
    checker = Checker(checked_kind(kind))
    with opened(path) as file:
        if begin(checker, file) is None:
            through(checker, file, max_line_bytes, None)
            checker.finish()
    return checker


def kind_of(value: dict[str, JSON]) -> Kind | None:
    """Return what a line is for, None where it doesn't say."""
    if "messages" in value:
        return "sft"
    return "dpo" if value.keys() & {"input", "preferred_output", "non_preferred_output"} else None


def begin(checker: Checker, file: Any) -> str | None:  # a BinaryIO that peeks
    """Look at the first bytes of a file; return what it is where it has no examples on lines."""
    head: bytes = file.peek(16)
    if (what := what_it_is(head)) is not None:
        checker.findings.add(None, "not-text", "", f"is {what[0]}", what[1])
        return what[0]
    if head.startswith(b"\xef\xbb\xbf"):
        remedy = 'Save it as UTF-8 without one: encoding="utf-8", not "utf-8-sig".'
        checker.findings.add(None, "bom", "", "begins with a mark of the byte order", remedy)
        head = head[3:]
    if _is_one_value(head):
        remedy = "Write each example on one line of its own: FineTuningDataset.from_examples(json.load(file)) does."
        checker.findings.add(None, "json-array", "", "is one JSON value over all lines", remedy)
        return "one JSON value over all lines"
    return None


def _is_one_value(head: bytes) -> bool:
    """Return whether a file begins as a list of examples, or as an object that is written over several lines."""
    line, _, after = head.lstrip().partition(b"\n")
    if line.strip() == b"{":
        return not after.lstrip().startswith(b"{")
    if not line.startswith(b"["):
        return False
    value = parsed(line)
    examples = value if isinstance(value, list) else []
    return value is NOTHING or any(isinstance(each, dict) and kind_of(each) for each in examples)


def through(checker: Checker, file: Any, max_line_bytes: int, progress: Callable[[int, int], None] | None) -> None:
    """Look at all lines of a file."""
    look = checker.line
    if progress is None:
        for raw in raw_lines(file, max_line_bytes=max_line_bytes):
            look(raw)
            del raw  # or it would be in memory while the next one is read
        return
    total, told = os.fstat(file.fileno()).st_size, 0
    for raw in raw_lines(file, max_line_bytes=max_line_bytes):
        look(raw)
        if raw.start - told >= 1_000_000:
            told = raw.start
            progress(told, total)
    progress(total, total)


def _has_nul(value: JSON) -> bool:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if "\0" in each:
                return True
        elif isinstance(each, dict):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each
    return False


def _has_image(value: JSON) -> bool:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if each.get("type") == "image_url":
                return True
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return False
