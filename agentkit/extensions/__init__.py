"""Parts that are asked for by name: filters and prompts for handoffs, drawings, sessions, adapters for other models."""

from __future__ import annotations
