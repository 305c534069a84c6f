"""How fast a streamed answer comes."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from agentkit.local.engines.base import TextDelta
from agentkit.local.errors import ApiError
from agentkit.local.pace import PACE_VARIABLE, Pace


def test_an_answer_begins_at_eighty_tokens_a_second() -> None:
    assert Pace().due_s(0) == 0
    assert Pace().due_s(8) == pytest.approx(0.1, rel=0.02)


def test_no_answer_takes_longer_than_three_seconds() -> None:
    dues = [Pace().due_s(count) for count in (80, 240, 1000, 100_000)]
    assert dues == sorted(dues)
    assert dues[-1] == pytest.approx(3.0)
    assert max(dues) <= 3.0


@pytest.mark.parametrize(("text", "due_s"), [("200", 5.0), (" 50 ", 20.0), ("0.5", 2000.0), ("0", 0.0), ("1e3", 1.0)])
def test_the_environment_sets_a_steady_pace_without_a_cap(
    monkeypatch: pytest.MonkeyPatch, text: str, due_s: float
) -> None:
    monkeypatch.setenv(PACE_VARIABLE, text)
    assert Pace.from_environment().due_s(1000) == due_s


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_setting_is_the_usual_pace(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    if text is None:
        monkeypatch.delenv(PACE_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(PACE_VARIABLE, text)
    assert Pace.from_environment().due_s(100) == Pace().due_s(100)


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "inf"])
def test_a_setting_that_is_no_pace_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(PACE_VARIABLE, text)
    with pytest.raises(ApiError, match=f"{PACE_VARIABLE}='{text}' is not a number of tokens per second"):
        Pace.from_environment()


async def test_a_streamed_answer_keeps_to_the_pace(
    engine: Any, client: openai.AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PACE_VARIABLE, "0.001")  # the second token is due after 1,000 s
    engine.pieces = [TextDelta("word ")] * 100
    async with await client.responses.create(model="rehearsal-1", input="Hi", stream=True) as stream:
        async for event in stream:
            if event.type == "response.output_text.delta":
                break
    assert (engine.given, engine.closed) == (2, 1)


async def test_an_answer_that_is_not_streamed_is_not_slowed(
    engine: Any, client: openai.AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PACE_VARIABLE, "0.001")
    made = await client.responses.create(model="rehearsal-1", input="Hi")
    chat = await client.chat.completions.create(model="rehearsal-1", messages=[{"role": "user", "content": "Hi"}])
    assert made.output_text == chat.choices[0].message.content == "Hello there, friend!"
