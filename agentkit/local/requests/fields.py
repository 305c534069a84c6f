"""Fields that both APIs take, with OpenAI's limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

__all__ = ["Effort", "Metadata", "Probability", "ServiceTier", "Temperature", "Verbosity"]

Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
]
"""At most 16 pairs, keys up to 64 and values up to 512 characters."""

Temperature = Annotated[float, Field(ge=0.0, le=2.0)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Verbosity = Literal["low", "medium", "high"]
ServiceTier = Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]
