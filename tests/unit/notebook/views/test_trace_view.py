"""A recorded trace in a notebook and in a terminal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from agentkit import Agent, Runner, flush_traces, function_tool, open_trace
from agentkit.notebook.display.trace_view import trace_bundle
from agentkit.records.opened import RecordedTrace
from agentkit.testing import ScriptedModel, call
from agentkit.tracing.notes import annotate
from tests.unit.notebook.browser.recorded import START_NS, span, stored, trace_row

SANITIZE = Path(__file__).parents[3] / "notebooks" / "sanitize.cfg"
MOST_BYTES = 100_000


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path))


def weather_trace() -> RecordedTrace:
    """A trace with a model call that streamed, a tool that failed, and one that never ended."""
    asked = [{"role": "system", "content": "You help."}, {"role": "user", "content": "Rain in 東京?"}]
    said = [{"type": "function_call", "name": "get_weather", "arguments": '{"city": "Tokyo"}'}]
    trace = trace_row(
        agents="weather\n受付",
        models="gpt-5",
        status="error",
        error={"message": "TimeoutError: too slow", "data": None},
        input="Rain in 東京?",
        input_tokens=1_200,
        output_tokens=30,
        cost_usd=0.0042,
        requests=1,
    )
    spans = [
        span(0, "agent", name="weather", ended_ns=START_NS + 10_000_000_000),
        span(1, "response", parent=0, model="gpt-5", first_token_s=0.25, input_tokens=1_200, output_tokens=30,
             cost_usd=0.0042, cached_tokens=1_000, input=asked, output=said),
        span(2, "function", parent=0, name="get_weather", status="error", input='{"city": "Tokyo"}',
             error={"message": "TimeoutError: too slow", "data": {"city": "Tokyo"}}),
        span(4, "function", parent=0, name="send_mail", status="running", ended_ns=None, cut=5_000),
    ]  # fmt: skip
    return stored(trace, spans)


def test_in_a_terminal_it_is_a_tree() -> None:
    assert trace_bundle(weather_trace())["text/plain"].splitlines() == [
        "weather → 受付 · failed · 10.0 s · 4 steps · 1,200 + 30 tokens · $0.0042 · gpt-5 · 2026-11-18 11:06 UTC",
        "✗ TimeoutError: too slow",
        "  ✓ agent weather · 10.0 s",
        "    ✓ model gpt-5 · 1.00 s · 1,200 + 30 tokens · $0.0042 · first token after 250 ms",
        "    ✗ tool get_weather · 1.00 s · failed · TimeoutError: too slow (city: Tokyo)",
        "    … tool send_mail · unfinished",
        f"trace_{1:032x}",
    ]


def test_bars_lie_where_the_time_was_spent() -> None:
    html = trace_bundle(weather_trace())["text/html"]
    bars = re.findall(r'class="(agk-wb[^"]*)"[^>]*margin-left:([\d.]+)%;width:([\d.]+)%', html)
    assert bars == [
        ("agk-wb agk-wb-agent", "0", "100"),
        ("agk-wb agk-wb-model", "10", "10"),
        ("agk-wb agk-wb-tool agk-wb-failed", "20", "10"),
        ("agk-wb agk-wb-tool agk-wb-open", "40", "60"),
    ]
    assert re.findall(r'class="agk-wt" style="display:block;width:([\d.]+)%', html) == ["25"]


def test_every_step_unfolds_to_what_went_in_and_out() -> None:
    html = trace_bundle(weather_trace())["text/html"]
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", html))
    assert html.count('<details class="agk-wr">') == 4
    for told in (
        "sent, system", "You help.", "sent, user", "Rain in 東京?", "answered, calls", "get_weather({",
        "first token after 250 ms", "1,000 of them cached",
        "TimeoutError: too slow (city: Tokyo)", "5,000 bytes were cut when it was recorded",
    ):  # fmt: skip
        assert told in text, told


def test_what_failed_and_what_never_ended_is_said_in_words_too() -> None:
    text = re.sub("<[^>]*>", "", trace_bundle(weather_trace())["text/html"])
    assert "failed: TimeoutError: too slow" in text
    assert "unfinished" in text


def test_notes_are_shown() -> None:
    trace = weather_trace()
    annotate(trace, mark="check", comment="Why so slow?")
    annotate(trace.errors[0], comment="the platform's fault")
    bundle = trace_bundle(trace.refresh())
    for told in ("[check] Why so slow?", "the platform&#x27;s fault"):
        assert told in bundle["text/html"]
    assert bundle["text/plain"].splitlines()[2] == "✎ [check] Why so slow?"
    assert bundle["text/plain"].splitlines()[5].endswith(" · ✎ the platform's fault")


def test_a_trace_of_nothing_says_so() -> None:
    bundle = trace_bundle(stored(trace_row()))
    assert "No steps were recorded." in bundle["text/html"]
    assert bundle["text/plain"].startswith("Agent workflow · ok · 10.0 s · 0 steps")


@pytest.mark.parametrize("words", [3, 20_000], ids=["short texts", "long texts"])
def test_five_thousand_steps_are_cut_to_the_important_ones(words: int) -> None:
    spans = [span(0, "agent", name="main", ended_ns=START_NS + 6_000 * 10**9)]
    spans += [
        span(number, parent=0 if number % 10 == 1 else number - (number - 1) % 10, name=f"tool {number}",
             input="word " * words, status="error" if number == 4_321 else "ok",
             ended_ns=START_NS + (number + (60 if number == 2_345 else 1)) * 10**9)
        for number in range(1, 5_000)
    ]  # fmt: skip
    if words > 1_000:  # a store of a hundred megabytes says nothing more
        spans = [each | ({} if number % 50 == 0 else {"input": '"a"'}) for number, each in enumerate(spans)]
    bundle = trace_bundle(stored(trace_row(), spans))
    html, plain = bundle["text/html"], bundle["text/plain"]
    assert len(html.encode()) < MOST_BYTES
    for name in ("tool 4321<", "tool 2345<", "tool 1<", "main<"):
        assert f"<b>{name}" in html, name
    rows = html.count('<details class="agk-wr">')
    left_out = sum(
        int(number.replace(",", "")) for number in re.findall(r"⋯ ([\d,]+) (?:steps? |below )left out", html)
    )
    assert rows + left_out == 5_000
    assert f"{left_out:,} of 5,000 steps are left out" in html
    assert f"{left_out:,} of 5,000 steps are left out" in plain
    assert f'agentkit.spans("trace_{1:032x}")' in plain
    assert len(plain.splitlines()) < 300


def test_steps_within_steps_without_end_are_shown() -> None:
    spans = [span(0, "agent", name="0")]
    spans += [span(number, "agent", parent=number - 1, depth=number, name=str(number)) for number in range(1, 3_000)]
    bundle = trace_bundle(stored(trace_row(), spans))
    assert len(bundle["text/html"].encode()) < MOST_BYTES
    assert "<b>0</b>" in bundle["text/html"]


def test_what_takes_most_space_when_escaped_stays_small() -> None:
    spans = [
        span(number, name="$" * 500, input='"<&>$' * 2_000, output='"<&>$' * 2_000, status="error",
             error={"message": "$" * 3_000, "data": None})
        for number in range(400)
    ]  # fmt: skip
    trace = trace_row(agents="$" * 500, input="$" * 9_000, error={"message": "$" * 3_000, "data": None})
    assert len(trace_bundle(stored(trace, spans))["text/html"].encode()) < MOST_BYTES


def sanitized(text: str) -> str:
    """Return what strict nbval compares."""
    for pattern, replacement in re.findall(r"^regex: (.*)\nreplace: (.*)$", SANITIZE.read_text(), re.MULTILINE):
        text = re.sub(pattern, replacement, text)
    return text


async def test_two_runs_that_did_the_same_look_the_same_to_strict_nbval() -> None:
    @function_tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    async def bundle_of_a_run() -> dict[str, Any]:
        model = ScriptedModel().reply(call("add", a=1, b=2)).reply("3")
        result = await Runner.run(Agent(name="sums", model=model, tools=[add]), "1 + 2?")
        flush_traces()
        return trace_bundle(open_trace(result))

    first, second = await bundle_of_a_run(), await bundle_of_a_run()
    assert {kind: sanitized(text) for kind, text in first.items()} == {
        kind: sanitized(text) for kind, text in second.items()
    }
    assert "tool add · DURATION" in sanitized(first["text/plain"])
