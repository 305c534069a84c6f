"""Structured values as tables, complete and while they fill."""

from __future__ import annotations

import enum
import html
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from agentkit import AgentOutputSchema
from agentkit.notebook.display.filling import PartialView
from agentkit.notebook.display.value_text import value_text
from agentkit.notebook.display.values import partial_html, value_html

KEY = "sk-proj-abcdefgh12345678ijkl"
TO_COME = '<span class="agk-d">…</span>'


class Colour(enum.Enum):
    RED = "red"


class Stop(BaseModel):
    city: str
    nights: int
    on: date | None = None


class Trip(BaseModel):
    title: str
    stops: list[Stop]
    tags: list[str] = []


@dataclass
class Point:
    x: float
    name: str = "p"
    hidden: int = field(default=0, repr=False)


TRIP = Trip(
    title="North",
    stops=[Stop(city="Oslo", nights=2, on=date(2026, 6, 1)), Stop(city="Bergen", nights=12)],
    tags=["fjord", "rain"],
)


def fields(*rows: tuple[str, str]) -> str:
    return f'<dl class="agk-k">{"".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)}</dl>'


def table(*rows: tuple[str, ...], end: str = "") -> str:
    head, *body = rows
    heads = "".join(f'<th scope="col">{each}</th>' for each in head)
    cells = "".join(f"<tr>{''.join(f'<td>{each}</td>' for each in row)}</tr>" for row in body)
    return f'<table class="agk-t"><thead><tr>{heads}</tr></thead><tbody>{cells}{end}</tbody></table>'


def code(text: str) -> str:
    return f"<code>{text}</code>"


NONE = '<span class="agk-d">None</span>'
STOPS = (("city", "nights", "on"), ("Oslo", code("2"), "2026-06-01"), ("Bergen", code("12"), NONE))


def test_fields_are_rows_and_objects_of_a_list_too() -> None:
    rows = (("title", "North"), ("stops", table(*STOPS)), ("tags", "fjord, rain"))
    assert value_html(TRIP) == '<div class="agk-h">Trip</div>' + fields(*rows)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Point(1.5), '<div class="agk-h">Point</div>' + fields(("x", code("1.5")), ("name", "p"))),
        ({"a": 1, 2: None}, fields(("a", code("1")), ("2", NONE))),
        ({"inner": {"b": "c"}}, fields(("inner", fields(("b", "c"))))),
        (TRIP.stops, table(*STOPS)),
        (deque(TRIP.stops), table(*STOPS)),
        ([{"a": "x"}, {"b": "y"}], table(("a", "b"), ("x", ""), ("", "y"))),
        (["one", "two, three"], "<ul><li>one</li><li>two, three</li></ul>"),
        ({"b", "a"}, "<ul><li>a</li><li>b</li></ul>"),
        ({"tags": ["one", "two, three"]}, fields(("tags", "<ul><li>one</li><li>two, three</li></ul>"))),
        ({"c": Colour.RED, "n": Decimal("1.10"), "t": True}, fields(("c", "red"), ("n", "1.10"), ("t", code("True")))),
        (
            {"c": [Colour.RED, date(2026, 6, 1)], "n": [1, "a", 2.5]},
            fields(("c", "red, 2026-06-01"), ("n", code("[1, &#x27;a&#x27;, 2.5]"))),
        ),
        ({"text": "two\nlines"}, fields(("text", '<div class="agk-p">two\nlines</div>'))),
        ("text", "<div>text</div>"),
        ([], "<pre><code>[]</code></pre>"),
    ],
)
def test_all_kinds_of_values(value: Any, shown: str) -> None:
    assert value_html(value) == shown


def test_what_goes_too_deep_is_code_and_a_circle_has_an_end() -> None:
    inner: dict[str, Any] = {"n": 1}
    inner["self"] = inner
    assert value_html(inner).count("<dl") == 5
    assert "Recursion" in value_html(inner)


def test_long_texts_are_folded_and_long_lists_cut() -> None:
    shown = value_html({"text": "word " * 400, "rows": [{"n": n} for n in range(1_000)]})
    assert '<details class="agk-x"><summary>word word' in shown
    assert shown.count("<tr>") == 1 + 200 + 1
    assert "800 more" in shown


def test_an_answer_of_any_size_makes_an_output_that_a_notebook_can_hold() -> None:
    assert len(value_html([{"text": "word " * 5_000, "n": n} for n in range(300)])) < 1_000_000


@pytest.mark.parametrize("show", [value_html, partial_html, value_text])
def test_nothing_in_a_value_acts(show: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "key-of-my-own-123")
    bad = "<script>alert(1)</script>$x$"
    odd = type("<b>Odd</b>", (BaseModel,), {"__annotations__": {"text": str}})
    values = [{bad: bad}, [bad, "more, of it"], odd(text=bad), [{bad: [bad]}], {"k": KEY, "o": "key-of-my-own-123"}]
    for value in values:
        shown = show(value)
        if show is not value_text:
            assert "<script" not in shown
            assert "<b>" not in shown
            assert "$x$" not in shown
        assert "abcdefgh1234" not in shown
        assert "my-own" not in shown


def test_a_table_in_a_terminal_is_columns() -> None:
    assert value_text(TRIP).splitlines() == [
        "Trip",
        "  title: North",
        "  stops:",
        "    city    nights  on",
        "    Oslo         2  2026-06-01",
        "    Bergen      12  None",
        "  tags: fjord, rain",
    ]
    assert value_text({"a": 1}) == "{'a': 1}"


# -- while it fills ----------------------------------------------------------------------------------------------------


def filling(kind: Any, *pieces: str) -> PartialView:
    view = PartialView(AgentOutputSchema(kind, strict_json_schema=False))
    for piece in pieces:
        view.feed(piece)
    return view


TEXT = TRIP.model_dump_json()


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        ("", TO_COME),
        ("{", [("title", TO_COME), ("stops", TO_COME), ("tags", TO_COME)]),
        ("Nor", [("title", f"Nor{TO_COME}"), ("stops", TO_COME), ("tags", TO_COME)]),
        ('"stops":', [("title", "North"), ("stops", TO_COME), ("tags", TO_COME)]),
        (
            "Berg",
            [
                ("title", "North"),
                (
                    "stops",
                    table(
                        *STOPS[:2],
                        (f"Berg{TO_COME}", TO_COME, TO_COME),
                        end='<tr><td colspan="3" class="agk-d">…</td></tr>',
                    ),
                ),
                ("tags", TO_COME),
            ],
        ),
    ],
)
def test_what_has_not_come_is_shown_as_to_come(until: str, shown: Any) -> None:
    text = TEXT[: TEXT.index(until) + len(until)]
    expected = shown if isinstance(shown, str) else '<div class="agk-h">Trip</div>' + fields(*shown)
    assert filling(Trip, text).html() == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Trip, TRIP), (Stop, TRIP.stops[0]), (Point, Point(1.0)), (dict[str, str], {"a": "b"})],
)
def test_the_table_ends_as_it_is_kept(kind: Any, value: Any) -> None:
    schema = AgentOutputSchema(kind, strict_json_schema=False)
    view = PartialView(schema)
    import pydantic_core

    raw = pydantic_core.to_jsonable_python(value)
    for sign in pydantic_core.to_json({schema.wrapper_key: raw} if schema.wrapper_key else raw).decode():
        view.feed(sign)
    assert view.html() == value_html(value)


def test_in_lists_of_any_length_the_last_rows_are_shown_while_they_come() -> None:
    rows = ", ".join(f'{{"city": "City {n}", "nights": {n}}}' for n in range(50))
    shown = filling(list[Stop], f'{{"response": [{rows}, {{"city": "La').html()
    assert "▸ 31 before" in shown
    assert re.findall(r"<td>(City \d+|La)", shown) == [*(f"City {n}" for n in range(31, 50)), "La"]


def test_a_long_text_shows_its_ends_and_costs_the_same_however_long_it_is() -> None:
    shown = [filling(Trip, '{"title": "' + "word " * count + "end of it, ").html() for count in (200, 20_000)]
    assert abs(len(shown[0]) - len(shown[1])) < 20
    assert all("word word word" in each and f"word end of it, {TO_COME}" in each for each in shown)


@pytest.mark.parametrize("where", [0, 80, 4_970, 4_985, 5_010, 9_960])
@pytest.mark.parametrize("is_over", [True, False])
def test_no_part_of_a_key_is_shown_of_a_long_text(where: int, is_over: bool) -> None:
    text = ("word " * 2_500)[:where].rstrip() + f" {KEY} " + ("word " * 2_500)[where:10_000]
    for end in (len(text), where + 10, where + 20, where + 30):
        shown = html.unescape(filling(Trip, '{"title": "' + text[:end] + '", ' * is_over).html())
        assert not any(KEY[at : at + 6] in shown for at in range(8, len(KEY) - 5))


def test_a_key_that_is_cut_by_what_is_looked_at_is_not_shown() -> None:
    for extra in range(4_960, 5_010):
        text = "w" * 6_000 + f" {KEY}" + "x" * extra
        assert "ijkl" not in partial_html({"text": text})


def test_what_is_no_json_is_text() -> None:
    view = filling(Trip, "I <b>can't</b> say: ", KEY)
    assert view.is_text
    assert view.html() == "<pre><code>I &lt;b&gt;can&#x27;t&lt;/b&gt; say: </code></pre>"


def test_an_answer_that_goes_wrong_keeps_what_was_right() -> None:
    view = filling(Stop, '{"city": "Oslo", "nights": "many", oops')
    assert not view.is_text
    assert view.html() == '<div class="agk-h">Stop</div>' + fields(
        ("city", "Oslo"), ("nights", TO_COME), ("on", TO_COME)
    )


def test_all_renderings_together_are_in_proportion_to_the_answer() -> None:
    text = '{"response": [' + ", ".join(f'{{"city": "City {n}", "nights": {n}}}' for n in range(2_000)) + "]}"
    view = filling(list[Stop])
    size = 0
    for at in range(0, len(text), 4):
        view.feed(text[at : at + 4])
        if view.wants_rendering:
            size += len(view.html())
    assert size < 200_000 + 17 * len(text)
    assert not view.wants_rendering
