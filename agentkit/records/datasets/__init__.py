"""Data sets made of recorded runs: for fine-tuning, for preference training and for evaluations."""

from __future__ import annotations

__all__: list[str] = []
