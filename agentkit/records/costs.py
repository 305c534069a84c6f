"""What recorded model calls cost: as they were priced then, unless a price was unknown or has been set since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agentkit.pricing import has_own_price, price_of
from agentkit.tracing.filters import MODEL_KINDS

__all__ = ["call_costs", "is_priced_anew", "is_unpriced", "priced", "trace_cost"]

_TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "total_tokens")
_NEEDED = ("cost_usd", "model", "requests", *_TOKENS)


def is_priced_anew(model: str | None) -> bool:
    """Return whether calls of a model are to be priced by what `set_price` says, rather than as they were."""
    return has_own_price(model)


def call_costs(column: Mapping[str, Iterable[Any]]) -> list[float | None]:
    """Return what each call cost in US dollars; None where that isn't known, or it is no model call.

    Args:
        column: With "model", "cost_usd", "requests", and the tokens of each kind.
    """
    costs: list[float | None] = list(column["cost_usd"])
    models, requests = list(column["model"]), list(column["requests"])
    anew = {model for model in set(models) if is_priced_anew(model)}
    places = [
        place
        for place, (cost, made, model) in enumerate(zip(costs, requests, models, strict=True))
        if made is not None and (cost is None or model in anew)
    ]
    if not places:
        return costs
    prices = {model: price_of(model) for model in {models[place] for place in places}}
    tokens = [list(column[name]) for name in _TOKENS]
    for place in places:
        price = prices[models[place]]
        sent, received, cached, written, total = (each[place] for each in tokens)
        if price is not None and (total or not (price.input or price.output)):
            costs[place] = price.cost_usd(sent or 0, received or 0, cached or 0, written or 0)
    return costs


def is_unpriced(cost: float | None, requests: int | None, status: str | None) -> bool:
    """Return whether a model call lacks its price. One that failed before anything was counted is free."""
    return cost is None and (requests is not None or status == "ok")


def priced(spans: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return rows of spans, each a mapping by column, with what the calls among them cost as `call_costs` says."""
    costs = call_costs({name: [span.get(name) for span in spans] for name in _NEEDED})
    return [
        span if cost == span.get("cost_usd") else {**span, "cost_usd": cost}
        for span, cost in zip(spans, costs, strict=True)
    ]


def trace_cost(spans: Sequence[Mapping[str, Any]]) -> tuple[float | None, int]:
    """Return what the calls of a trace cost, None where the price of one isn't known, and how many such there are.

    Args:
        spans: Its spans, as `priced` returns them.
    """
    calls = [span for span in spans if span["kind"] in MODEL_KINDS]
    unpriced = sum(is_unpriced(call.get("cost_usd"), call.get("requests"), call["status"]) for call in calls)
    return None if unpriced else sum((call.get("cost_usd") or 0.0 for call in calls), 0.0), unpriced
