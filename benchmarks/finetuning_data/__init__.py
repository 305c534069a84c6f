"""How fast training data is checked: `python -m benchmarks.finetuning_data --megabytes 512`."""

from __future__ import annotations

__all__: list[str] = []
