"""Settings for a whole run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from agentkit.models import Model, ModelProvider, ModelSettings, OpenAIProvider

__all__ = ["DEFAULT_MAX_TURNS", "RunConfig"]

DEFAULT_MAX_TURNS = 10
"""Model calls that a run may make unless told otherwise."""


def _include_sensitive_data() -> bool:
    return os.environ.get("OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA", "true").lower() not in (
        "0",
        "false",
        "no",
        "off",
    )


@dataclass
class RunConfig:
    """Settings for a whole run. What is None is left to the agents."""

    model: str | Model | None = None
    """Model for all agents, whatever model each has."""
    model_provider: ModelProvider = field(default_factory=OpenAIProvider)
    """Finds models by name; the connected platform's by default."""
    model_settings: ModelSettings | None = None
    """Settings put over those of each agent."""
    tracing_disabled: bool = False
    """Whether the run leaves no trace."""
    trace_include_sensitive_data: bool = field(default_factory=_include_sensitive_data)
    """Whether the trace holds inputs and outputs of models and tools."""
    workflow_name: str = "Agent workflow"
    """Name of the run in traces."""
    trace_id: str | None = None
    """Id for the trace, `trace_` and 32 letters and digits; made up when None."""
    group_id: str | None = None
    """Id that links the traces of one conversation."""
    trace_metadata: dict[str, Any] | None = None
    """Kept with the trace."""
