"""MLflow's tracing, with its own store in a local SQLite file. Runs in an environment of its own."""

from __future__ import annotations

import os
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import SpanType

from benchmarks.contenders.contender import TOOLS, TRACE_SPANS, TURNS

__all__ = ["make_mlflow"]


class _MLflow:
    most_spans = 1_400

    def __init__(self) -> None:
        mlflow.set_tracking_uri(f"sqlite:///{os.environ['AGENTKIT_HOME']}/mlflow.db")
        self._experiment = mlflow.set_experiment("benchmark").experiment_id

    def record(self, traces: int) -> None:
        for number in range(traces):
            with mlflow.start_span("run", SpanType.CHAIN) as run, mlflow.start_span("agent", SpanType.AGENT):
                run.set_inputs({"question": f"question {number}"})
                for _ in range(TURNS):
                    with mlflow.start_span("response", SpanType.CHAT_MODEL) as call:
                        call.set_inputs([{"role": "user", "content": f"hello there {number}"}])
                        call.set_outputs([{"type": "message", "role": "assistant", "content": "fine"}])
                        call.set_attribute("usage", {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120})
                    with mlflow.start_span(f"tool {number % TOOLS}", SpanType.TOOL) as tool:
                        tool.set_inputs({"city": "Oslo"})
                        tool.set_outputs("21 °C and sunny")

    def settle(self) -> None:
        mlflow.flush_trace_async_logging()

    def all_spans(self) -> int:
        return len(self._frame())

    def filtered(self, limit: int) -> int:
        frame = self._frame()
        return len(frame[frame["name"] == "tool 3"][:limit])

    def _frame(self) -> pd.DataFrame:
        rows: list[dict[str, Any]] = []  # MLflow's dictionaries
        token = None
        while True:
            traces = mlflow.MlflowClient().search_traces(
                locations=[self._experiment], max_results=500, page_token=token
            )
            rows += [span.to_dict() for trace in traces for span in trace.data.spans]
            token = traces.token
            if not token:
                return pd.DataFrame(rows)

    async def close(self) -> None:
        """Do nothing: it has no connections to close."""


def make_mlflow(base_url: str) -> _MLflow:
    """Return MLflow with an empty store. It needs no server."""
    assert TRACE_SPANS
    return _MLflow()
