"""What a batch may spend, in all its runs, and what of that is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.models import Model
from agentkit.pricing import price_of
from agentkit.runtime.batch.store import Spent

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent
    from agentkit.runtime.run_config import RunConfig

__all__ = ["Budget"]


class Budget:
    """Dollars and tokens that a batch may spend.

    Args:
        usd: Dollars; as many as it takes when None.
        tokens: Tokens, likewise.
    """

    def __init__(self, usd: float | None, tokens: int | None) -> None:
        self._usd = usd
        self._tokens = tokens
        self.spent = Spent()
        """What is spent, by earlier runs too."""

    def check_price(self, agent: Agent[Any], config: RunConfig) -> None:
        """Refuse a budget in dollars where it can't be kept to, rather than let every row fail for it.

        Raises:
            UserError: The price of the model isn't known.
        """
        if self._usd is None:
            return
        model = config.model if config.model is not None else agent.model
        if model is None:
            model = config.model_provider.get_model(None)
        name = getattr(model, "model", None) if isinstance(model, Model) else model
        if price_of(name) is None:
            raise UserError(
                f"The batch has a budget in dollars, but the price of model {name!r} isn't known.",
                hint=f"Say it with agentkit.set_price({name!r}, input=…, output=…), or use a budget in tokens.",
            )

    @property
    def is_spent(self) -> bool:
        """Whether no more rows may be asked."""
        usd, tokens = self._usd, self._tokens
        return (usd is not None and self.spent.usd >= usd) or (tokens is not None and self.spent.tokens >= tokens)

    def limited(self, config: RunConfig) -> RunConfig:
        """Return the settings for a run that begins now: it may spend what is left for the batch, and no more."""
        limits: dict[str, Any] = {}
        if self._usd is not None:
            left = max(self._usd - self.spent.usd, 0.0)
            limits["budget_usd"] = left if config.budget_usd is None else min(left, config.budget_usd)
        if self._tokens is not None:
            tokens = max(self._tokens - self.spent.tokens, 0)
            limits["budget_tokens"] = tokens if config.budget_tokens is None else min(tokens, config.budget_tokens)
        return replace(config, **limits) if limits else config

    def spent_text(self) -> str:
        """Return why a row that was left over wasn't asked."""
        if self._usd is not None and self.spent.usd >= self._usd:
            return f"Not asked: the batch has spent ${self.spent.usd:.4f} of ${self._usd:.4f}."
        return f"Not asked: the batch has used {self.spent.tokens:,} of {self._tokens or 0:,} tokens."
