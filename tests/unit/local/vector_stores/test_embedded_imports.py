"""Whoever keeps no vector stores pays for none of what they need."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import agentkit.local.embedding, agentkit.local.vector_stores.embedded, agentkit.local.vector_stores.ranking
heavy = {"numpy", "tantivy", "onnxruntime", "tokenizers", "simsimd", "openai", "pandas", "httpx2"}
print(sorted(heavy & set(sys.modules)))
"""


def test_the_engine_and_the_embedder_load_nothing_heavy_until_they_are_used() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
