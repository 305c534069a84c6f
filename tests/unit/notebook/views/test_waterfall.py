"""Which rows of a trace are shown, in which order, and the words in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentkit.notebook.display.waterfall import Gap, Shown, error_line, laid_out, spans_to_show, state_word, took
from agentkit.records.span import RecordedSpan
from tests.unit.notebook.browser.recorded import START_NS, span, stored, trace_row


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path))


def family() -> list[RecordedSpan]:
    """0 has 1 and 4 in it; 1 has 2 and 3; 4 has 5."""
    parents = {1: 0, 2: 1, 3: 1, 4: 0, 5: 4}
    depths = {1: 1, 2: 2, 3: 2, 4: 1, 5: 2}
    spans = [span(0, "agent", ended_ns=START_NS + 9 * 10**9)]
    spans += [span(number, parent=parents[number], depth=depths[number]) for number in range(1, 6)]
    return stored(trace_row(), spans).all_spans


@pytest.mark.parametrize(
    ("shown", "rows"),
    [
        ({0, 1, 2, 3, 4, 5}, [Shown(number) for number in range(6)]),
        ({0}, [Shown(0, Gap(1, 6))]),
        ({0, 1, 4, 5}, [Shown(0), Shown(1, Gap(2, 4)), Shown(4), Shown(5)]),
        ({0, 1, 3, 4}, [Shown(0), Shown(1), Gap(2, 3), Shown(3), Shown(4, Gap(5, 6))]),
        ({0, 4}, [Shown(0), Gap(1, 4), Shown(4, Gap(5, 6))]),
        ({2}, [Gap(0, 2), Shown(2), Gap(3, 6)]),
        (set(), [Gap(0, 6)]),
    ],
)
def test_what_is_left_out_below_a_row_is_told_in_it_and_else_between(shown: set[int], rows: list[Shown | Gap]) -> None:
    assert laid_out(family(), shown) == rows


def test_few_steps_are_all_shown() -> None:
    assert spans_to_show(family(), 6) == set(range(6))


def test_of_many_those_that_failed_come_with_what_they_are_part_of() -> None:
    spans = [span(0, "agent", name="main", ended_ns=START_NS + 10**12)]
    spans += [span(number, parent=0 if number % 2 else number - 1, depth=2 - number % 2) for number in range(1, 101)]
    spans[60]["status"] = "error"
    spans[80]["status"] = "cancelled"
    shown = spans_to_show(stored(trace_row(), spans).all_spans, 12)
    assert {0, 59, 60, 79, 80} <= shown
    assert len(shown) == 12


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "0.0 ms"),
        (0.00149, "1.5 ms"),
        (0.0123, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (9.99, "9.99 s"),
        (9.996, "10.0 s"),
        (99.9, "99.9 s"),
        (100.0, "1 min 40 s"),
        (3_599.0, "59 min"),
        (3_700.0, "1 h 1 min"),
    ],
)
def test_times_are_told_as_a_person_reads_them(seconds: float | None, text: str) -> None:
    assert took(seconds) == text


def test_how_it_went_is_told_where_it_did_not_go_well() -> None:
    statuses = ("ok", "completed", None, "error", "unfinished", "max_turns", "odd")
    assert [state_word(each) for each in statuses] == [
        "", "", "", "failed", "unfinished", "stopped at its most turns", "odd"
    ]  # fmt: skip


def test_an_error_is_told_on_one_line_with_its_details() -> None:
    assert error_line({"message": "Too\nslow.", "data": {"city": "Oslo"}}) == "Too slow. (city: Oslo)"
    assert error_line(None) == ""
