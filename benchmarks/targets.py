"""What agentkit means to reach, by workload, metric and contender. Set in 2026-11 from what its peers took then."""

from __future__ import annotations

__all__ = ["TARGETS"]

TARGETS: dict[tuple[str, str], dict[str, float]] = {
    ("import", "cpu_s"): {"agentkit": 0.06},
    ("import", "peak_mb"): {"agentkit": 25},
    ("answer", "cpu_ms"): {"agentkit": 0.8},
    ("tools-10", "cpu_ms"): {"agentkit": 9},
    ("tools-100", "cpu_ms"): {"agentkit": 100},
    ("parallel-async", "wall_ms"): {"agentkit": 28},
    ("parallel-sync", "wall_ms"): {"agentkit": 60},
    ("stream", "deltas_per_s"): {"agentkit": 80_000},
    ("stream", "cpu_s"): {"agentkit": 0.06},
    ("stream", "first_delta_ms"): {"agentkit": 3},
    ("many-runs", "runs_per_s"): {"agentkit": 110, "agentkit-aiohttp": 200},
    ("many-runs", "grown_mb"): {"agentkit": 25},
    ("long-history", "cpu_ms"): {"agentkit": 4},
    ("in-process-1", "cpu_ms"): {"agentkit": 0.1},
    ("in-process-10", "cpu_ms"): {"agentkit": 1.0},
    ("flatness", "ratio"): {"agentkit": 1.2},
    ("define-tools", "cpu_ms"): {"agentkit": 70},
    ("traces", "spans_per_s"): {"agentkit": 20_000},
    ("traces", "bytes_per_span"): {"agentkit": 1_000},
    ("traces", "filtered_s"): {"agentkit": 0.2},
    ("traces", "rows_per_s"): {"agentkit": 300_000},
    ("traced-run", "added_percent"): {"agentkit": 20},
}
"""The most it may be, or the least where more is better."""
