"""What agentkit costs beside `openai-agents` and the bare `openai` client: `python -m benchmarks --help`."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ROOT"]

ROOT = Path(__file__).resolve().parent.parent
"""The folder from which `python -m benchmarks` runs."""
