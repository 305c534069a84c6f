"""A server that speaks as much of OpenAI's Responses API as the benchmarks need, and costs next to nothing."""

from __future__ import annotations

from benchmarks.server.process import running_server

__all__ = ["running_server"]
