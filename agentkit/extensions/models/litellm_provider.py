"""Finds models by their names for LiteLLM."""

from __future__ import annotations

from agentkit.exceptions import UserError
from agentkit.extensions.models.litellm_model import LitellmModel
from agentkit.models import Model, ModelProvider

__all__ = ["LitellmProvider"]


class LitellmProvider(ModelProvider):
    """Models through LiteLLM: `RunConfig(model_provider=LitellmProvider())`, or the prefix `litellm/` of a name."""

    def get_model(self, model_name: str | None) -> Model:
        """Return the model of that name for LiteLLM, such as "anthropic/claude-sonnet-4-5".

        Raises:
            UserError: No model is named.
        """
        if not model_name:
            raise UserError("LiteLLM has no default model.", hint='Name one: Agent(model="litellm/anthropic/…").')
        return LitellmModel(model_name)
