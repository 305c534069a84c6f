"""The engine: pieces, tokens, and the same reply to the same prompt."""

from __future__ import annotations

import pytest
from rehearsal_notation import tool

from agentkit.local.engines.base import Engine, FunctionCall, Piece, Prompt, TextDelta
from agentkit.local.engines.rehearsal import RehearsalEngine

TEXTS = [
    "",
    "Hello, world!",
    "The weather in Tokyo is sunny.\n\n- one\n- two\n",
    "internationalisation antidisestablishmentarianism",
    "你好！有什么可以帮您？ 今天天气很好。",
    "Привет, как дела? مرحبا 안녕하세요",
    "def f(x):\n    return x ** 2  # 1234567890",
    "👩‍👩‍👧 e\u0301 \u200b\x00\t\t\t",
    " leading and trailing   ",
]


def prompt(text: str, *tools: dict[str, object]) -> Prompt:
    return Prompt("rehearsal-1", [{"role": "user", "content": text}], list(tools), "auto", True, {"type": "text"}, None)


async def pieces_of(given: Prompt) -> list[Piece]:
    engine: Engine = RehearsalEngine()
    return [piece async for piece in engine.answer(given)]


async def test_text_comes_in_pieces_of_about_four_characters() -> None:
    found = await pieces_of(prompt("Write exactly 200 words about rivers"))

    texts = [piece.text for piece in found if isinstance(piece, TextDelta)]
    assert len(texts) == len(found) > 200
    assert 3.5 < len("".join(texts)) / len(texts) < 6.5


async def test_calls_come_whole_and_without_text() -> None:
    found = await pieces_of(prompt("What's the weather in Tokyo and Oslo?", tool("get_weather(city: str)")))

    assert found == [FunctionCall("get_weather", '{"city": "Tokyo"}'), FunctionCall("get_weather", '{"city": "Oslo"}')]


@pytest.mark.parametrize("text", TEXTS)
async def test_tokens_counted_are_the_pieces_sent(text: str) -> None:
    from agentkit.local.engines.rehearsal.tokens import pieces

    assert "".join(pieces(text)) == text
    assert RehearsalEngine().count_tokens(text) == len(pieces(text))


async def test_same_prompt_gets_the_same_reply() -> None:
    given = prompt("Write a story about a lighthouse and add 2 and 3", tool("add(a: int, b: int)"))

    assert await pieces_of(given) == await pieces_of(given)
