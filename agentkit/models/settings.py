"""Settings of a model call, and how those of a run and an agent combine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

__all__ = ["ModelSettings", "ToolChoice"]

ToolChoice = Literal["auto", "required", "none"] | str
"""Whether the model may, must or must not call tools; or the name of the one it must call."""


@dataclass
class ModelSettings:
    """Settings of a model call. What is None is left to the platform.

    A platform may not know them all; it then answers with an error that names the setting.
    """

    temperature: float | None = None
    """Randomness, 0 to 2."""
    top_p: float | None = None
    """Share of probability to sample from, 0 to 1."""
    frequency_penalty: float | None = None
    """-2 to 2; Chat Completions only."""
    presence_penalty: float | None = None
    """-2 to 2; Chat Completions only."""
    tool_choice: ToolChoice | None = None
    """Whether the model may, must or must not call tools; or the name of the one it must call."""
    parallel_tool_calls: bool | None = None
    """Whether the model may call several tools in one answer."""
    truncation: Literal["auto", "disabled"] | None = None
    """What happens to input that is too long; Responses only."""
    max_tokens: int | None = None
    """Most tokens of the answer."""
    reasoning: Mapping[str, Any] | None = None
    """Such as `{"effort": "low"}`. An `openai.types.shared.Reasoning` works too."""
    verbosity: Literal["low", "medium", "high"] | None = None
    """How wordy the answer is to be."""
    metadata: dict[str, str] | None = None
    """Up to 16 pairs kept with the response."""
    store: bool | None = None
    """Whether the platform keeps the response."""
    include_usage: bool | None = None
    """Whether a streamed chat completion ends with its usage; yes when None."""
    response_include: list[str] | None = None
    """More that the response is to hold, such as `"reasoning.encrypted_content"`; Responses only."""
    top_logprobs: int | None = None
    """Log probabilities for each token, 0 to 20."""
    extra_query: Mapping[str, Any] | None = None
    """Query parameters added to the request."""
    extra_body: Mapping[str, Any] | None = None
    """Keys added to the request's body; they win over all others."""
    extra_headers: Mapping[str, str] | None = None
    """Headers added to the request."""
    extra_args: Mapping[str, Any] | None = None
    """Parameters of the API call that have no name here."""

    def resolve(self, override: ModelSettings | None) -> ModelSettings:
        """Return these settings with those of `override` that are not None put over them.

        `extra_args` of both are merged, key by key.
        """
        if override is None:
            return self
        changes = {f.name: value for f in fields(override) if (value := getattr(override, f.name)) is not None}
        if not changes:
            return self
        if self.extra_args and override.extra_args:
            changes["extra_args"] = {**self.extra_args, **override.extra_args}
        return replace(self, **changes)
