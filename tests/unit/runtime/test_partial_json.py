"""The parser of JSON that has not come to its end."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.runtime.partial_json import MISSING, PartialJson


def read(*pieces: str) -> PartialJson:
    parser = PartialJson()
    for piece in pieces:
        parser.feed(piece)
    return parser


def value_of(parser: PartialJson) -> Any:
    """What a parser has of its value."""
    if parser.complete:
        return parser.value
    value: Any = parser.open_text()
    for frame in reversed(parser.frames):
        around = frame.value.copy()
        if value is not MISSING:
            if isinstance(around, dict):
                around[frame.key or ""] = value
            else:
                around.append(value)
        value = around
    return value


def so_far(*pieces: str) -> Any:
    return value_of(read(*pieces))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", MISSING),
        ("  \n", MISSING),
        ("{", {}),
        ('{"ci', {}),
        ('{"city"', {}),
        ('{"city":', {}),
        ('{"city": "', {"city": ""}),
        ('{"city": "Os', {"city": "Os"}),
        ('{"city": "Oslo"', {"city": "Oslo"}),
        ('{"city": "Oslo", "days": 1', {"city": "Oslo"}),
        ('{"city": "Oslo", "days": 12,', {"city": "Oslo", "days": 12}),
        ('{"a": tru', {}),
        ('{"a": true}', {"a": True}),
        ("[", []),
        ("[[1, 2], [3, ", [[1, 2], [3]]),
        ("[1, 2", [1]),
        ('[{"a": [{"b": "c', [{"a": [{"b": "c"}]}]),
        ("12", MISSING),
        ('"tex', "tex"),
        ('"a\\', "a"),
        ('"a\\n', "a\n"),
        ('"\\u00e', ""),
        ('"\\u00e9', "é"),
        ('"\\ud83d', ""),
        ('"\\ud83d\\', ""),
        ('"\\ud83d\\ude0', ""),
        ('"\\ud83d\\ude00', "😀"),
        ('"\\ud83d!', "\ud83d!"),
        ('"\ud83d', ""),
        ('"\ud83d\ude00', "😀"),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ("``", MISSING),
        ('\ufeff{"a": 1}', {"a": 1}),
        ('{"a": 1} and more {', {"a": 1}),
        ('{"a": 1, "a": 2, "a": "x', {"a": "x"}),
        ('{"": ""}', {"": ""}),
        ("[1e2, -0.5, -0, 1E-2]", [100.0, -0.5, 0, 0.01]),
        ("[Infinity, -Infinity]", [math.inf, -math.inf]),
    ],
)
def test_what_has_come_is_there_and_no_more(text: str, value: Any) -> None:
    for pieces in ([text], list(text)):
        parser = read(*pieces)
        shown = value_of(parser)
        assert (shown, type(shown), parser.failed) == (value, type(value), False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Here it is", MISSING),
        ("tru3 ", MISSING),
        ('{"a": 1, b: 2}', {"a": 1}),
        ('{"a": 1; "b": 2}', {"a": 1}),
        ('{"a" 1}', {}),
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2,]", [1, 2]),
        ("[1, 2}", [1, 2]),
        ("[1, 01, 2]", [1]),
        ("[1, 1., 2]", [1]),
        ("[1, +1, 2]", [1]),
        ("[1, --1, 2]", [1]),
        ("[1, 'two', 3]", [1]),
        ('["one", "tw\no"]', ["one", "tw"]),
        ('["one", "tw\\o"]', ["one", "tw"]),
        ('["one", "tw\\u00zz"]', ["one", "tw"]),
        (f"[1, {'9' * 5000}, 2]", [1]),
    ],
)
def test_what_came_before_a_fault_stays(text: str, value: Any) -> None:
    for pieces in ([text], list(text)):
        parser = read(*pieces, '"more"', "}")
        assert (value_of(parser), parser.failed, parser.complete) == (value, True, False)


def test_a_number_alone_is_complete_when_the_text_is() -> None:
    parser = read("1", "2")
    assert value_of(parser) is MISSING
    parser.finish()
    assert (parser.value, parser.complete) == (12, True)


def test_finishing_completes_nothing_else() -> None:
    parser = read("[1")
    parser.finish()
    assert (value_of(parser), parser.complete, parser.failed) == ([], False, False)


def test_brackets_without_end_are_given_up() -> None:
    parser = read("[" * 100_000)
    assert (parser.failed, len(parser.frames)) == (True, 200)


def test_a_value_taken_earlier_does_not_change() -> None:
    parser = read('{"rows": [{"a": 1}, {"a"')
    early = value_of(parser)
    parser.feed(': 2}], "end": true}')
    assert early == {"rows": [{"a": 1}, {}]}
    assert parser.value == {"rows": [{"a": 1}, {"a": 2}], "end": True}


# Any JSON text, with escapes for some of the characters, half emojis among them, and space where it may be.
_TEXTS = st.text(st.characters(), max_size=8) | st.text(
    st.sampled_from(["\ud83d", "\ude00", "\\", '"', "\n", "é"]), max_size=6
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    value = draw(_VALUES)
    text = json.dumps(value, indent=draw(st.sampled_from([None, 0, 1])), ensure_ascii=draw(st.booleans()))
    return text if _has_no_half_in_the_open(text) else json.dumps(value)


def _has_no_half_in_the_open(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


@given(json_texts())
def test_every_prefix_gives_a_part_of_the_whole(text: str) -> None:
    whole = json.loads(text)
    parser = PartialJson()
    known = 0
    for sign in text:
        parser.feed(sign)
        part = value_of(parser)
        assert is_part(part, whole), (text, part)
        assert size(part) >= known  # nothing that was there goes away
        known = size(part)
        assert not parser.failed
    parser.finish()
    assert parser.complete
    assert identical(parser.value, whole)


@given(json_texts(), st.data())
def test_how_the_text_is_cut_makes_no_difference(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    until = data.draw(st.integers(0, len(text)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    kept: list[str] = []
    for piece in pieces:
        kept.append(piece[: max(0, until - sum(map(len, kept)))])
    assert identical(so_far(*kept), so_far(text[:until]))


@given(st.text(st.sampled_from('{}[]",:0123.-eEtrufalsn\\ \n`😀x'), max_size=30))
def test_any_text_at_all_is_read_without_an_error_and_valid_json_as_what_it_is(text: str) -> None:
    parser = read(*text)
    parser.finish()
    try:
        whole = json.loads(text)
    except ValueError:
        value_of(parser)
    else:
        assert identical(parser.value, whole)


def is_part(part: Any, whole: Any) -> bool:
    """Tell whether `part` is `whole` as far as it has come: only what is last in it may be less."""
    if part is MISSING:
        return True
    if isinstance(part, str):
        return isinstance(whole, str) and whole.startswith(part)
    if isinstance(part, list):
        if not isinstance(whole, list) or len(part) > len(whole):
            return False
        before = zip(part[:-1], whole, strict=False)
        return all(identical(*pair) for pair in before) and (not part or is_part(part[-1], whole[len(part) - 1]))
    if isinstance(part, dict):
        keys = list(part)
        if not isinstance(whole, dict) or keys != list(whole)[: len(keys)]:
            return False
        before = ((part[key], whole[key]) for key in keys[:-1])
        return all(identical(*pair) for pair in before) and (not part or is_part(part[keys[-1]], whole[keys[-1]]))
    return identical(part, whole)


def identical(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, and of the same types."""
    return repr(one) == repr(other)


def size(value: Any) -> int:
    if value is MISSING:
        return 0
    if isinstance(value, str):
        return 1 + len(value)
    if isinstance(value, list):
        return 1 + sum(map(size, value))
    if isinstance(value, dict):
        return 1 + sum(size(each) for each in value.values())
    return 1


def lines_run(pieces: Iterator[str]) -> int:
    """Return how many lines of Python reading the pieces takes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    parser = PartialJson()
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for piece in pieces:
            parser.feed(piece)
            parser.open_text()
    finally:
        sys.settrace(before)
    assert not parser.failed
    return count


def documents() -> dict[str, Any]:
    return {
        "rows": lambda count: "[" + ", ".join('{"name": "row", "n": [1, 2.5, null]}' for _ in range(count)) + "]",
        "one long text": lambda count: '{"text": "' + "many words \\u00e9 " * count + '"}',
        "keys": lambda count: "{" + ", ".join(f'"k{n:06}": true' for n in range(count)) + "}",
        "a long number": lambda count: "[" + "9" * count + "]",
    }


@pytest.mark.parametrize("kind", documents())
def test_twice_the_text_is_twice_the_work(kind: str) -> None:
    def work(count: int) -> int:
        text = documents()[kind](count)
        return lines_run(text[at : at + 3] for at in range(0, len(text), 3))

    assert work(800) < 2.2 * work(400)


def test_what_is_read_is_never_gone_over_again() -> None:
    longest = 0

    class Piece(str):
        """Text that notes the longest that it is put together to."""

        def __radd__(self, other: str) -> str:
            nonlocal longest
            longest = max(longest, len(other) + len(self))
            return str(other) + str(self)

    parser = PartialJson()
    for sign in '{"text": "' + "\\u00e9\\n" * 2_000:
        parser.feed(Piece(sign))
    assert len(parser.open_text()) == 4_000
    assert longest <= 6
