"""Embedders of the embedded platform: texts as vectors, so that files are found by meaning."""

from __future__ import annotations

from agentkit.local.embedding.choosing import choose_embedder, why_none
from agentkit.local.embedding.embedder import Embedder, EmbedderError

__all__ = ["Embedder", "EmbedderError", "choose_embedder", "why_none"]
