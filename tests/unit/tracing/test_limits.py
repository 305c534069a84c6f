"""How much is kept of a text that is too long."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from agentkit.tracing.limits import MAX_BYTES, Cutter

LIMIT = 20_000


@pytest.mark.parametrize(
    "value",
    [
        "x" * 100_000,
        "é" * 100_000,
        "日本" * 50_000,
        "🙂" * 30_000,
        "line\n" * 20_000,
        "\x01" * 20_000,
        {"a": "x" * 50_000, "b": "y" * 50_000},
        [{"role": "user", "content": "ü" * 500} for _ in range(60)],
        [{"text": "x" * 300_000}, "short", 5, None],
        list(range(20_000)),
    ],
)
def test_what_is_left_is_as_long_as_it_may_be(value: Any) -> None:
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    kept, gone = Cutter(LIMIT).cut(encoded)
    assert 0.75 * LIMIT < len(kept.encode()) <= LIMIT
    assert gone == len(encoded.encode()) - len(kept.encode())
    assert "more characters]" in kept
    json.loads(kept)


def test_a_cut_text_says_how_many_characters_are_missing_and_has_no_half_ones() -> None:
    kept = json.loads(Cutter(LIMIT).cut(json.dumps("é" * 50_000, ensure_ascii=False))[0])
    text, _, note = kept.partition("… [cut: ")
    assert set(text) == {"é"}
    assert note == f"{50_000 - len(text):,} more characters]"


def test_half_an_emoji_is_cut_as_other_letters_are() -> None:
    encoded = json.dumps("\ud83d" * 10_000)
    kept, gone = Cutter(LIMIT).cut(encoded)
    assert 0.75 * LIMIT < len(kept) <= LIMIT
    assert gone == len(encoded) - len(kept)


def test_what_fits_stays_as_it_is() -> None:
    encoded = json.dumps("é" * 9_999, ensure_ascii=False)
    assert len(encoded.encode()) == LIMIT
    assert Cutter(LIMIT).cut(encoded) == (encoded, 0)


@pytest.mark.parametrize(
    ("given", "size"),
    [
        *(("5000", 5_000), ("1_000_000", 1_000_000), ("500kB", 500_000), ("1MB", 1_000_000), ("2 mb", 2_000_000)),
        *(("64KiB", 65_536), ("5000B", 5_000), ("1", 1_000), ("", MAX_BYTES), ("  ", MAX_BYTES)),
    ],
)
def test_the_limit_is_set_in_bytes_or_thousands_or_millions_of_them(
    given: str, size: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AGENTKIT_TRACE_MAX_BYTES", given)
    assert (Cutter().max_bytes, caplog.messages) == (size, [])


@pytest.mark.parametrize("given", ["1e6", "lots", "-5", "1__0", "1.5MB"])
def test_a_limit_that_makes_no_sense_is_told_once(
    given: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from agentkit.tracing.limits import _bytes_in

    _bytes_in.cache_clear()
    caplog.set_level(logging.WARNING, "agentkit.tracing")
    monkeypatch.setenv("AGENTKIT_TRACE_MAX_BYTES", given)
    assert [Cutter().max_bytes for _ in range(3)] == [MAX_BYTES] * 3
    (message,) = caplog.messages
    assert repr(given) in message
    assert "1MB" in message
