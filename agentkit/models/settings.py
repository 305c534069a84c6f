"""Settings of a model call, and how those of a run and an agent combine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

from agentkit._called_as import called_as
from agentkit._repr import fields_repr
from agentkit.exceptions import UserError
from agentkit.models.retry import ModelRetrySettings

__all__ = ["MCPToolChoice", "ModelSettings", "ToolChoice"]


@dataclass(frozen=True)
class MCPToolChoice:
    """Names the tool of an MCP server that the model must call; Responses only."""

    __repr__ = fields_repr

    server_label: str
    """Label of the server, as in `HostedMCPTool`."""
    name: str | None = None
    """Name of the tool; any of the server's when None."""


ToolChoice = Literal["auto", "required", "none"] | str | MCPToolChoice | Mapping[str, Any]
"""Whether the model may, must or must not call tools; or the one it must call: by name, hosted tools by theirs (such as
"web_search"), a tool of an MCP server, or as the API takes it."""


@dataclass
class ModelSettings:
    """Settings of a model call. What is None is left to the platform.

    A platform may not know them all; it then answers with an error that names the setting. Where it says that only one
    of OpenAI's two APIs has a setting, it is left out of requests to the other, so that agents with models of both
    kinds can share their settings.
    """

    __repr__ = fields_repr

    temperature: float | None = None
    """Randomness, 0 to 2."""
    top_p: float | None = None
    """Share of probability to sample from, 0 to 1."""
    frequency_penalty: float | None = None
    """-2 to 2; Chat Completions only."""
    presence_penalty: float | None = None
    """-2 to 2; Chat Completions only."""
    tool_choice: ToolChoice | None = None
    """Whether the model may, must or must not call tools; or the one it must call."""
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
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    """How long the platform keeps the beginning of the request for the next one. OpenAI is replacing it by
    `prompt_cache_options`."""
    prompt_cache_options: Mapping[str, Any] | None = None
    """How the beginning of the request is kept for the next one, such as `{"mode": "explicit", "ttl": "30m"}`."""
    context_management: Sequence[Mapping[str, Any]] | None = None
    """What the platform does with a long conversation: `[{"type": "compaction", "compact_threshold": 200000}]`;
    Responses only."""
    include_usage: bool | None = None
    """Whether a streamed chat completion ends with its usage; yes when None."""
    response_include: list[str] | None = None
    """More that the response is to hold, such as `"reasoning.encrypted_content"`; Responses only."""
    top_logprobs: int | None = None
    """Log probabilities for each token, 0 to 20. They are asked for in the answer as well."""
    timeout: float | None = None
    """Seconds that one attempt at the call may take as a whole, streamed or not; only the client's own limits when
    None. Not a part of the request."""
    retry: ModelRetrySettings | None = None
    """When a failed call is made again, and how often; as the model's client would when None. Not a part of the
    request."""
    extra_query: Mapping[str, Any] | None = None
    """Query parameters added to the request."""
    extra_body: Mapping[str, Any] | None = None
    """Keys added to the request's body; they win over all others."""
    extra_headers: Mapping[str, str] | None = None
    """Headers added to the request."""
    extra_args: Mapping[str, Any] | None = None
    """Parameters of the API call that have no name here, such as `{"service_tier": "flex", "seed": 7}`. They win over
    the named ones, and `extra_body` over them."""

    def __post_init__(self) -> None:
        """Check the time limit.

        Raises:
            UserError: It is no positive number of seconds.
        """
        if self.timeout is not None and not 0 < self.timeout < float("inf"):
            raise UserError(f"ModelSettings got timeout={self.timeout!r}.", hint="Seconds, more than 0; or None.")

    def resolve(self, override: ModelSettings | Mapping[str, Any] | None) -> ModelSettings:
        """Return these settings with those of `override` that are not None put over them.

        A run calls the model with `agent.model_settings.resolve(run_config.model_settings)`: what the run sets wins
        over what the agent sets, field by field. `extra_args` and `retry` of both are merged, key by key; other
        mappings, such as `extra_body`, are taken whole from the one or the other.

        Args:
            override: Settings, or their names and values.
        """
        if override is None:
            return self
        if isinstance(override, Mapping):
            override = ModelSettings(**override)
        changes = {f.name: value for f in fields(override) if (value := getattr(override, f.name)) is not None}
        if not changes:
            return self
        if self.retry is not None and override.retry is not None:
            changes["retry"] = self.retry.merged(override.retry)
        if self.extra_args and override.extra_args:
            changes["extra_args"] = {**self.extra_args, **override.extra_args}
        return replace(self, **changes)

    def to_json_dict(self) -> dict[str, Any]:
        """Return all settings as JSON, those that are None included. Functions among them become their names."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


def _plain(value: Any) -> Any:  # of a setting: JSON, or an object that stands for some
    """Return the JSON that a value stands for."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_unset=True)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [_plain(item) for item in value]
    return getattr(value, "__name__", None) or type(value).__name__


ModelSettings.__init__ = called_as("ModelSettings")(ModelSettings.__init__)  # type: ignore[method-assign]
