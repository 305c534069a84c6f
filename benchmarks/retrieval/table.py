"""The table of what was measured, and how it compares."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from benchmarks import ROOT

__all__ = ["PAGE", "Results", "markdown"]

PAGE = ROOT / "docs" / "benchmarks-retrieval.md"

Results = dict[str, dict[str, dict[str, float]]]
"""By chunks, engine and figure; under "embedding" and "folders", by what was measured and figure."""

_OURS = "agentkit"
_OTHERS = {"folders": "Folders, by `store.add`", "embedding": "The embedder"}
_FIGURES = {
    "ingest CPU us": "adding: CPU µs a chunk",
    "ingest chunks/s": "adding: chunks/s by the clock",
    "ingest RSS MB": "adding: most memory, MB",
    "disk kB": "disk, kB a chunk",
    "open CPU ms": "open and first answer, CPU ms",
    "open ms": "the same by the clock, ms",
    "hybrid CPU ms": "hybrid, CPU ms",
    "hybrid p50 ms": "the same, median by the clock, ms",
    "hybrid p99 ms": "the same, 99th percentile, ms",
    "hybrid 10 % CPU ms": "hybrid, filter of 10 %, CPU ms",
    "hybrid 10 % p50 ms": "the same, median by the clock, ms",
    "hybrid 10 % p99 ms": "the same, 99th percentile, ms",
    "hybrid 1 % CPU ms": "hybrid, filter of 1 %, CPU ms",
    "vectors CPU ms": "vectors alone, CPU ms",
    "vectors 10 % CPU ms": "vectors, filter of 10 %, CPU ms",
    "vectors 1 % CPU ms": "vectors, filter of 1 %, CPU ms",
    "words CPU ms": "words alone, CPU ms",
    "recall": "recall@10 of vectors",
    "recall 10 %": "recall@10, filter of 10 %",
    "recall 1 %": "recall@10, filter of 1 %",
    "search anonymous MB": "memory of its own while searching, MB",
    "search RSS MB": "the same with mapped files, MB",
}
_MORE_IS_BETTER = "ingest chunks/s"


def markdown(results: Results) -> str:
    """Return the page's contents: ours as measured, the others as multiples of it."""
    parts = ["# Retrieval: what the embedded engine takes", "", *_INTRODUCTION.strip().splitlines(), ""]
    for size in sorted(results.keys() - _OTHERS, key=int):
        engines = results[size]
        names = [name for name in engines if engines[name]]
        parts += [f"## {int(size):,} chunks", "", f"| | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
        for figure, title in _FIGURES.items():
            cells = [_cell(engines, name, figure) for name in names]
            parts.append(f"| {title} | {' | '.join(cells)} |")
        parts.append("")
    for name, title in _OTHERS.items():
        parts += _other_part(title, results.get(name, {}))
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    return "\n".join([*parts, f"{datetime.now(UTC):%Y-%m-%d} · {machine}", ""])


def _other_part(title: str, measured: dict[str, dict[str, float]]) -> list[str]:
    if not measured:
        return []
    names = list(measured)
    lines = [f"## {title}", "", f"| | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    for figure in dict.fromkeys(figure for each in measured.values() for figure in each):
        cells = [f"{measured[name][figure]:.4g}" if figure in measured[name] else "–" for name in names]
        lines.append(f"| {figure} | {' | '.join(cells)} |")
    return [*lines, ""]


def _cell(engines: dict[str, dict[str, float]], name: str, figure: str) -> str:
    value, ours = engines[name].get(figure), engines.get(_OURS, {}).get(figure)
    if value is None:
        return "–"
    shown = f"{value:.3f}" if figure.startswith("recall") else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
    if name == _OURS or not ours or figure.startswith("recall"):
        return shown
    ratio = ours / value if figure == _MORE_IS_BETTER else value / ours
    return f"{shown} ({ratio:,.0f}×)" if ratio >= 10 else f"{shown} ({ratio:.2g}×)"


_INTRODUCTION = """
`python -m benchmarks.retrieval --save` makes this page: the embedded engine of vector stores beside other engines that
run without a server, on the same chunks, vectors and questions. In brackets: how many times as much as ours takes.

- Chunks are 1,000 letters of Python's library and of installed packages. Where those don't suffice, a chunk is half of
  one and half of another. Vectors have 384 numbers: those of MiniLM for 4,000 of the pieces, each mixed with a
  neighbour's and a little noise. A file has 20 chunks, or 100 of a million. Questions are held out: four words of a
  piece, and its embedding.
- "Hybrid" is the ten best by vectors and by words, with their texts: ours as the platform searches, from 40 candidates
  of each ranking, the others' by reciprocal rank fusion from 40 of each. The filters let a tenth
  or a hundredth of the files through. Chroma doesn't rank by words in its local mode: its "hybrid" is vectors alone.
- "Adding" ends when everything is durable and every index is built. Ours has the text in SQLite, an index of words in
  tantivy and all vectors twice: as they were given, and as bytes. The others are set as their documentation advises:
  HNSW with m 16 and ef 100 over vectors (LanceDB and Qdrant: in bytes), an index of words, one of the filtered
  attribute. sqlite-vec looks at all vectors, as ours does.
- "Folders" are put in by `store.add(folder)`, with everything between: the client, its requests, the uploaded files,
  parsing, cutting, and the embedder, whose vectors follow in the background. Each file has a word of all and a number
  of its own, which are looked for meanwhile.
- Every engine runs in a process and an environment of its own. An engine that a table lacks wasn't measured with so
  many chunks.
"""
