"""What "auto" means, and what follows from hyperparameters for a trainer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

from agentkit.local.training.worker.failures import JobFailure

__all__ = ["Hyperparameters", "Settings", "length_of", "method_of", "settle"]

Method = Literal["supervised", "dpo"]

_LORA_FROM: Final = 300_000_000
"""Parameters from which on a LoRA is trained where nothing else is said."""
_AUTO_RANK: Final = 16
_TINY_STEPS: Final = 300
"""Steps that a new tiny-1 is given, about: enough for short answers of one form."""
_PAIR_STEPS: Final = 40
"""Steps with pairs, about: with many more a small model unlearns the answers that both have in common.

Of 100 held-out answers of a tiny-1 in JSON, 81 were right before; after 14, 42, 56, 140 and 280 steps with 106 pairs it
was 82, 88, 87, 75 and 71, and from 140 on some were no JSON any more. With 304 pairs it was 83 after the 38 by default.
"""
_SMALL: Final = 4_000_000
"""Parameters below which a model is a small one such as tiny-1, which learns fast and knows nothing before."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Those that a job is trained with: none is "auto"."""

    n_epochs: int
    batch_size: int
    """Examples in a step, of all processes together."""
    learning_rate_multiplier: float
    lora_rank: int
    """0: all weights are trained."""
    max_length: int
    """Tokens of an example at most; longer ones are cut at their end."""
    beta: float | None = None
    """Of DPO: how far from the start model it may go; the smaller, the further."""

    def as_json(self) -> dict[str, Any]:
        """Return them as a job tells them."""
        told = {
            "n_epochs": self.n_epochs,
            "batch_size": self.batch_size,
            "learning_rate_multiplier": self.learning_rate_multiplier,
            "lora_rank": self.lora_rank,
            "max_length": self.max_length,
        }
        return told if self.beta is None else {**told, "beta": self.beta}


@dataclass(frozen=True, slots=True)
class Settings:
    """Hyperparameters with what follows from them."""

    hyperparameters: Hyperparameters
    learning_rate: float
    """At its peak."""
    per_device: int
    """Examples that are computed at once."""
    accumulated: int
    """How often, before a step is made."""


def method_of(request: dict[str, Any]) -> tuple[Method, dict[str, Any]]:
    """Return a request's method, and the hyperparameters that were given."""
    method = request["method"]
    kind: Method = "dpo" if method["type"] == "dpo" else "supervised"
    return kind, dict((method.get(method["type"]) or {}).get("hyperparameters") or {})


def settle(
    method: Method,
    given: dict[str, Any],
    *,
    examples: int,
    parameters: int,
    context: int,
    fresh: bool,
    adapter_rank: int | None = None,
    processes: int = 1,
) -> Settings:
    """Return what a job is trained with.

    Args:
        method: How it learns.
        given: What was asked for; "auto" or missing where it wasn't.
        examples: Examples that there are.
        parameters: Weights of the model.
        context: Tokens that the model reads at most.
        fresh: Whether it is a tiny-1 that has learnt nothing yet.
        adapter_rank: Rank of the LoRA that the model is already; None where it is none.
        processes: Processes that train together.

    Raises:
        JobFailure: A hyperparameter can't be had for this model.
    """
    rank = _rank(given.get("lora_rank", "auto"), parameters, adapter_rank)
    batch = int(_or(given.get("batch_size"), _batch(examples, small=parameters < _SMALL)))
    per_device, accumulated = _shares(batch, parameters, processes)
    batch = per_device * accumulated * processes
    epochs = int(_or(given.get("n_epochs"), _epochs(method, examples, batch, parameters, fresh=fresh)))
    multiplier = float(_or(given.get("learning_rate_multiplier"), 1.0))
    settled = Hyperparameters(
        n_epochs=epochs,
        batch_size=batch,
        learning_rate_multiplier=multiplier,
        lora_rank=rank,
        max_length=length_of(given, context),
        beta=float(_or(given.get("beta"), 0.1)) if method == "dpo" else None,
    )
    rate = _rate(method, parameters, lora=rank > 0, fresh=fresh) * multiplier
    return Settings(settled, rate, per_device, accumulated)


def _or(given: Any, auto: float) -> float:
    return auto if given in (None, "auto") else float(given)


def _rank(given: Any, parameters: int, adapter_rank: int | None) -> int:
    if given in (None, "auto"):
        if adapter_rank is not None:
            return adapter_rank
        return _AUTO_RANK if parameters >= _LORA_FROM else 0
    if adapter_rank is not None and int(given) not in (0, adapter_rank):
        raise JobFailure(
            "invalid_hyperparameters",
            f"lora_rank is {given}, but the model is a LoRA of rank {adapter_rank} already, which is trained further. "
            f"Give {adapter_rank} or 'auto', or 0 to train all weights.",
            param="hyperparameters.lora_rank",
        )
    return int(given)


def length_of(given: dict[str, Any], context: int) -> int:
    """Return how many tokens of an example are read.

    Args:
        given: The hyperparameters that were asked for.
        context: Tokens that the model reads at most.

    Raises:
        JobFailure: More were asked for than the model reads.
    """
    asked = given.get("max_length")
    if asked in (None, "auto"):
        return context
    if int(asked) > context:
        raise JobFailure(
            "invalid_hyperparameters",
            f"max_length is {int(asked):,}, but the model reads {context:,} tokens at most. Give {context} or less.",
            param="hyperparameters.max_length",
        )
    return int(asked)


def _batch(examples: int, *, small: bool) -> int:
    """Return a power of two up to 16: few examples are better seen in smaller steps."""
    share = examples / (8 if small else 25)
    return 1 << max(0, min(4, int(math.log2(max(1.0, share)))))


def _shares(batch: int, parameters: int, processes: int) -> tuple[int, int]:
    """Return how many examples are computed at once in each process, and how often in a step."""
    each = math.ceil(batch / processes)
    at_once = 64 if parameters < 50_000_000 else 8 if parameters < 1_000_000_000 else 2
    at_once = next(count for count in range(min(each, at_once), 0, -1) if each % count == 0)
    return at_once, each // at_once


def _epochs(method: Method, examples: int, batch: int, parameters: int, *, fresh: bool) -> int:
    """Return a number of epochs.

    For larger models OpenAI's rule of thumb: 3, more of less than 34 examples, fewer of more than 8,000.
    """
    steps = max(1, math.ceil(examples / batch))
    if method == "dpo":
        return max(1, min(3, round(_PAIR_STEPS / steps))) if parameters >= _SMALL else _within(_PAIR_STEPS / steps)
    if fresh or parameters < _SMALL:
        return _within(_TINY_STEPS / steps)
    if examples * 3 < 100:
        return min(25, 100 // examples)
    return max(1, 25_000 // examples) if examples * 3 > 25_000 else 3


def _within(epochs: float) -> int:
    return max(1, min(50, round(epochs)))


def _rate(method: Method, parameters: int, *, lora: bool, fresh: bool) -> float:
    """Return a learning rate, which falls with the root of a model's size.

    3e-3 for a new tiny-1 was found by trial; that gives 1.6e-4 for 135 million parameters, 6e-5 for a thousand million.
    """
    rate = max(2e-5, min(3e-3, 3e-3 * math.sqrt(4e5 / max(1, parameters))))
    if not fresh and parameters < _SMALL:
        rate /= 3
    if lora:
        rate = max(2e-4, min(5e-3, rate * 10))
    return rate / 10 if method == "dpo" else rate
