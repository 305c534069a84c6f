"""What the embedded engine's searches cost beside other engines: `python -m benchmarks.retrieval --help`."""

from __future__ import annotations

__all__: list[str] = []
