"""What tokens cost, and what is unknown."""

from collections.abc import Iterator
from typing import Any

import pytest

from agentkit.exceptions import UserError
from agentkit.pricing import Price, cost_usd, forget_prices, price_of, prices_date, set_price
from agentkit.usage import InputTokensDetails, Usage


@pytest.fixture(autouse=True)
def _list_prices_alone() -> Iterator[None]:
    yield
    forget_prices()


def usage(sent: int, received: int, cached: int = 0, written: int = 0) -> Usage:
    return Usage(1, sent, received, sent + received, InputTokensDetails(cached, written))


def test_a_listed_model_has_its_list_price() -> None:
    assert price_of("gpt-4.1-mini") == Price(0.4, 1.6, 0.1)


def test_the_models_that_openai_names_today_are_listed() -> None:
    names = ["gpt-6-astra", "gpt-6.1-sol", "gpt-6.1-terra", "gpt-6-sol", "gpt-6-luna", "gpt-5.6-sol", "gpt-5.5"]
    assert [name for name in names if price_of(name) is None] == []


def test_the_prices_are_dated() -> None:
    assert prices_date() == "2026-11-21"


@pytest.mark.parametrize("model", [None, "", "house-model", "gpt-oss-20b", "gpt-9", "gpt-4.1-mini-tuned"])
def test_what_is_not_known_is_unknown_and_never_zero(model: str | None) -> None:
    assert (price_of(model), cost_usd(model, usage(10, 10))) == (None, None)


def test_the_embedded_platform_costs_nothing() -> None:
    assert cost_usd("rehearsal-1", usage(1_000, 1_000)) == 0.0
    assert cost_usd("rehearsal-1", Usage(1)) == 0.0


@pytest.mark.parametrize(
    "model", ["gpt-4.1-mini-2025-04-14", "openai/gpt-4.1-mini", "litellm/openai/gpt-4.1-mini-2025-04-14"]
)
def test_dates_and_vendors_in_a_name_change_no_price(model: str) -> None:
    assert price_of(model) == price_of("gpt-4.1-mini")


def test_a_dated_model_may_have_a_price_of_its_own() -> None:
    assert (price_of("gpt-4o-2024-05-13"), price_of("gpt-4o")) == (Price(5.0, 15.0), Price(2.5, 10.0, 1.25))


def test_tuned_models_cost_what_tuned_models_cost() -> None:
    assert price_of("ft:gpt-4.1-mini-2025-04-14:org::abc123") == Price(0.8, 3.2, 0.2)
    assert price_of("ft:gpt-4.1-nano-2025-04-14:org::abc123") is None


def test_a_price_for_the_base_is_none_for_what_was_tuned_from_it() -> None:
    set_price("gpt-4.1-nano", input=1, output=1)
    assert price_of("ft:gpt-4.1-nano:org::abc") is None
    set_price("ft:gpt-4.1-nano:org::abc", input=2, output=3)
    assert price_of("ft:gpt-4.1-nano:org::abc") == Price(2, 3)


def test_a_cost_is_made_of_tokens_sent_cached_and_received() -> None:
    million = 1_000_000
    assert cost_usd("gpt-4.1-mini", usage(2 * million, million, cached=million)) == pytest.approx(0.4 + 0.1 + 1.6)


def test_tokens_written_to_the_cache_cost_more_with_some_models() -> None:
    assert cost_usd("gpt-6-sol", usage(100_000, 0, written=100_000)) == pytest.approx(0.25)
    assert cost_usd("gpt-4.1-mini", usage(100_000, 0, written=100_000)) == pytest.approx(0.04)


def test_long_requests_cost_more_with_some_models() -> None:
    assert cost_usd("gpt-6-sol", usage(272_000, 1_000)) == pytest.approx(272_000 * 2e-6 + 1_000 * 10e-6)
    assert cost_usd("gpt-6-sol", usage(272_001, 1_000)) == pytest.approx(272_001 * 4e-6 + 1_000 * 15e-6)


def test_the_cost_is_unknown_where_the_platform_counts_no_tokens() -> None:
    assert cost_usd("gpt-4.1-mini", Usage(1)) is None


def test_a_price_of_ones_own_goes_before_the_list() -> None:
    set_price("gpt-4.1-mini", input=1, output=2, cached_input=0.5)
    set_price("house-model", input=0, output=0)
    assert price_of("gpt-4.1-mini") == price_of("gpt-4.1-mini-2025-04-14") == Price(1, 2, 0.5)
    assert cost_usd("house-model", usage(5, 5)) == 0.0
    forget_prices()
    assert (price_of("gpt-4.1-mini"), price_of("house-model")) == (Price(0.4, 1.6, 0.1), None)


@pytest.mark.parametrize(
    ("model", "prices", "complaint"),
    [
        ("m", {"input": -1, "output": 1}, "price of input of 'm' has to be a number of 0 or more, not -1"),
        ("m", {"input": 1, "output": None}, "price of output of 'm'"),
        ("m", {"input": 1, "output": 1, "cached_input": "x"}, "price of cached_input"),
        ("m", {"input": float("nan"), "output": 1}, "not nan"),
        ("m", {"input": True, "output": 1}, "not True"),
        ("", {"input": 1, "output": 1}, "set_price got the model ''"),
    ],
)
def test_what_is_no_price_is_refused(model: str, prices: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        set_price(model, **prices)
    assert price_of("m") is None
