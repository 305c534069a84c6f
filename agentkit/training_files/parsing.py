"""From a line's bytes to its value: in compiled code where it is right, and with a reason where it isn't."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import jiter

from agentkit.training_files.rules import Problem

__all__ = ["NOTHING", "infinite_numbers", "parsed", "reasons"]

NOTHING: Final = object()
"""Instead of a value, where there is none."""


def parsed(line: bytes) -> Any:
    """Return a line's value, or `NOTHING` where it isn't quite right: `reasons` say why.

    Keys that are there twice, NaN, halves of characters and what is nested too deeply are refused.
    """
    try:
        return jiter.from_json(line, catch_duplicate_keys=True, allow_inf_nan=False)
    except (ValueError, RecursionError):
        return NOTHING


def reasons(line: bytes) -> tuple[list[Problem], Any]:
    """Return what is wrong with a line that `parsed` refused, and its value where it can still be guessed.

    Returns:
        The problems, at least one, and the value or `NOTHING`.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return [_encoding(line, error)], NOTHING
    if b"\0" in line:
        at = line.index(b"\0")
        remedy = "Take it out; a file full of them was stored as UTF-16, or broke off."
        return [_problem("nul", f"has a NUL byte at byte {at + 1:,}", remedy)], NOTHING
    found: list[Problem] = []
    value = _slowly(text, found)
    if not found:
        found.append(_problem("json", "isn't JSON", "Write the line with json.dumps."))
    return found, value


def infinite_numbers(value: Any) -> Iterator[Problem]:
    """Yield the numbers in a line's tools that are larger than any that can be reckoned with.

    Everywhere else a number is a mistake, whatever its size.
    """
    if not isinstance(value, dict):
        return
    given = value.get("input")
    holder, before = (given, "input.") if isinstance(given, dict) else (value, "")
    waiting = [(f"{before}{name}", holder[name]) for name in ("tools", "functions") if name in holder]
    while waiting:
        path, each = waiting.pop()
        if isinstance(each, dict):
            waiting += [(f"{path}.{key:.60}", below) for key, below in each.items() if type(below) not in _HARMLESS]
        elif isinstance(each, list):
            waiting += [(f"{path}[{at}]", below) for at, below in enumerate(each) if type(below) not in _HARMLESS]
        elif isinstance(each, float) and each in (float("inf"), float("-inf")):
            yield Problem(path, "is a number of more than 64 bits", _SMALLER, rule="number")


_HARMLESS = (str, bool, int, type(None))
_SMALLER = "Write it smaller, or as a text."


def _problem(rule: str, problem: str, remedy: str, field: str = "", level: str = "error") -> Problem:
    return Problem(field, problem, remedy, level, rule)


def _encoding(line: bytes, error: UnicodeDecodeError) -> Problem:
    byte = line[error.start]
    remedy = "Save the file as UTF-8."
    if byte >= 0x80:
        meant = bytes([byte]).decode("cp1252", "replace")
        remedy = f"Save the file as UTF-8; in Windows-1252 it would be {meant!r}." if meant.isprintable() else remedy
    return _problem("encoding", f"isn't UTF-8: byte {error.start + 1:,} is 0x{byte:02X}", remedy)


def _slowly(text: str, found: list[Problem]) -> Any:
    """Return what the standard library reads, and note what it shouldn't have."""
    twice: dict[str, None] = {}
    constants: dict[str, None] = {}

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(given)
        if len(made) < len(given):
            seen: set[str] = set()
            for key, _ in given:
                if key in seen:
                    twice[key] = None
                seen.add(key)
        return made

    def constant(name: str) -> None:
        constants[name] = None

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except RecursionError:
        found.append(_problem("nesting", "is nested too deeply", _FLATTER))
        return NOTHING
    except json.JSONDecodeError as error:
        found.append(_not_json(text, error))
        return NOTHING
    except ValueError:  # digits without end
        found.append(_problem("number", "has a number of thousands of digits", _SMALLER))
        return NOTHING
    for key in twice:
        problem = "is there twice in one object"
        found.append(_problem("duplicate-key", problem, "Keep one: readers differ in which they take.", f"{key:.60}"))
    for name in constants:
        remedy = "JSON has no such number: write null, or leave it out. pandas has it for missing values."
        found.append(_problem("not-a-number", f"has {name}", remedy))
    if _has_surrogate(value):
        remedy = "A text was cut in the middle of a character: cut texts as characters, not as UTF-16."
        found.append(_problem("surrogate", "has half a character (a lone surrogate)", remedy))
    if not found:
        found.append(_problem("nesting", "is nested more than 200 deep", _FLATTER))
        return NOTHING
    return value


_FLATTER = "No example needs that: look how the line was made."


def _has_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (RecursionError, ValueError):
        return False
    return False


def _not_json(text: str, error: json.JSONDecodeError) -> Problem:
    where = f"at character {error.pos + 1:,}"
    if error.msg.startswith("Invalid control character"):
        character = text[error.pos : error.pos + 1]
        remedy = r"Write it escaped (\t, \n, …): json.dumps does."
        return _problem("control-character", f"has {character!r} in a text, {where}", remedy)
    near = text[max(0, error.pos - 20) : error.pos + 20]
    return _problem(
        "json", f"isn't JSON: {error.msg[:1].lower()}{error.msg[1:]}, {where}, near {near!r}", _how(text, error)
    )


def _how(text: str, error: json.JSONDecodeError) -> str:
    begun = text.lstrip()
    if error.msg == "Extra data":
        return "A line holds one object: put the next one on a line of its own."
    if begun.startswith("{'"):
        return "Names and texts are in double quotes: write the line with json.dumps, not with str."
    if error.pos >= len(text.rstrip()):
        return "The line breaks off: is a line end in a text, or wasn't the file written to its end?"
    return "Write the line with json.dumps."
