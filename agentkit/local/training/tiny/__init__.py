"""tiny-1: a starting model that is made on the spot, so that a training needs nothing from elsewhere.

Its tokenizer is trained on the texts that it will read, its weights are random from a seed: it knows nothing but what a
job teaches it. It is for small tasks with short answers, for tests and for learning how training works.
"""

from __future__ import annotations

from agentkit.local.training.tiny.making import TINY_CONTEXT, ensure_tiny, make_tiny

__all__ = ["TINY_CONTEXT", "ensure_tiny", "make_tiny"]
