from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentkit.records.traces import traces
from agentkit.tracing import (
    NoOpSpan,
    NoOpTrace,
    agent_span,
    custom_span,
    flush_traces,
    get_current_span,
    get_current_trace,
    set_tracing_disabled,
    trace,
)


def run_one(**options: bool) -> tuple[object, object, object]:
    with trace("w", **options) as t, agent_span("a") as a, custom_span("c") as c:
        t.input, t.output = "in", "out"
        a.set_error({"message": "m", "data": None})
        assert get_current_trace() is t
        assert get_current_span() is c
    flush_traces()
    return t, a, c


def assert_nothing_was_recorded(home: Path, made: tuple[object, object, object]) -> None:
    assert [type(each) for each in made] == [NoOpTrace, NoOpSpan, NoOpSpan]
    assert [each.export() for each in made] == [None, None, None]  # type: ignore[attr-defined]
    assert [each.trace_id for each in made] == ["no-op"] * 3  # type: ignore[attr-defined]
    assert not home.exists()
    assert (get_current_trace(), get_current_span()) == (None, None)


def test_a_disabled_trace_records_nothing_inside_it(home: Path) -> None:
    assert_nothing_was_recorded(home, run_one(disabled=True))


@pytest.mark.parametrize("value", ["1", "true", "True"])
def test_the_environment_disables_tracing(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", value)
    assert_nothing_was_recorded(home, run_one())


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_other_values_in_the_environment_leave_it_on(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", value)
    run_one()
    assert len(traces()) == 1


def test_set_tracing_disabled_disables_it(home: Path) -> None:
    set_tracing_disabled(True)
    assert_nothing_was_recorded(home, run_one())


def test_set_tracing_disabled_is_stronger_than_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    set_tracing_disabled(False)
    run_one()
    assert len(traces()) == 1


def test_a_disabled_span_hides_what_is_inside_it_and_not_the_trace() -> None:
    with trace("w") as t, custom_span("hidden", disabled=True) as hidden:
        assert get_current_trace() is t
        with custom_span("inside") as inside:
            pass
        with custom_span("beside", parent=t) as beside:
            pass
    assert [type(hidden), type(inside)] == [NoOpSpan, NoOpSpan]
    assert beside.trace_id == t.trace_id


def test_spans_begun_after_tracing_was_disabled_are_not_recorded() -> None:
    with trace("w"):
        set_tracing_disabled(True)
        with custom_span("c") as span:
            pass
    assert type(span) is NoOpSpan


def test_nothing_is_made_before_the_first_trace_starts(home: Path) -> None:
    trace("never started")
    flush_traces()
    assert not os.path.lexists(home)
