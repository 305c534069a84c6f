"""What is known of models that OpenAI trains: which ones, and what that costs, from a dated file."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from agentkit.pricing import without_date

__all__ = ["TrainingPrice", "trainable_models", "training_ends", "training_price"]


@dataclass(frozen=True, slots=True)
class TrainingPrice:
    """What training costs."""

    usd_per_million: float
    """US dollars for 1,000,000 tokens of the training file, for each epoch."""
    date: str
    """When that was written down, as YYYY-MM-DD."""
    source: str
    """Where it is from."""


@functools.cache
def _file() -> dict[str, Any]:
    text = resources.files("agentkit").joinpath("data", "fine_tuning.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def training_price(model: str) -> TrainingPrice | None:
    """Return what training a model costs at OpenAI, or None where that isn't known.

    A model that was trained from another costs what that costs.
    """
    told = _file()["training"]
    prices: dict[str, float] = told["usd_per_million"]
    base = _base(model)
    price = prices.get(base, prices.get(without_date(base)))
    return None if price is None else TrainingPrice(price, told["date"], told["source"])


def trainable_models() -> list[str]:
    """Return the models that OpenAI trains, as far as is known."""
    return list(_file()["trainable"]["models"])


def training_ends() -> str:
    """Return the day on which OpenAI ends training, as YYYY-MM-DD."""
    return str(_file()["trainable"]["until"])


def _base(model: str) -> str:
    return model.removeprefix("ft:").partition(":")[0]
