"""Programs' own texts: functions by the first lines of their docstrings, packages by their summaries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from benchmarks.retrieval_quality.documents import Document, without

__all__ = ["docstrings", "readmes"]

_FEWEST_CHARACTERS = 250
_MOST_CHARACTERS = 6_000
_SKIPPED = re.compile(r"/(?:test|tests|idlelib|lib2to3|pydoc_data|encodings|turtledemo|msilib)/|/test_|/_")


def docstrings(unpacked: Path) -> Iterator[Document]:
    """Yield functions and classes of Python's library: docstring without its first line, signature and code."""
    for path in sorted(unpacked.glob("usr/lib/python3.11/**/*.py")):
        if _SKIPPED.search(f"/{path.relative_to(unpacked / 'usr/lib/python3.11')}"):
            continue
        source = path.read_text(encoding="utf-8", errors="replace")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                yield from _definition(path, source, node)


def _definition(path: Path, source: str, node: ast.FunctionDef | ast.ClassDef) -> Iterator[Document]:
    first, _, rest = (ast.get_docstring(node) or "").partition("\n\n")
    question = re.sub(r"\s+", " ", first).strip()
    code = ast.get_source_segment(source, node) or ""
    body = without(code, question)
    if len(body) < _FEWEST_CHARACTERS or len(body) > 3_000:
        return
    good = bool(rest.strip()) and 4 <= len(question.split()) <= 30
    yield Document(f"{path.stem}.{node.name}", "docstring", body, question if good else "")


def readmes() -> Iterator[Document]:
    """Yield the descriptions of the packages that are installed here, which are mostly their READMEs."""
    seen: set[str] = set()
    for package in sorted(distributions(), key=lambda each: each.metadata["Name"].lower()):
        name, summary = package.metadata["Name"], (package.metadata["Summary"] or "").strip()
        text = package.metadata.get_payload() or package.metadata["Description"] or ""
        if name.lower() in seen or name.lower() == "agentkit" or not isinstance(text, str):
            continue
        seen.add(name.lower())
        body = without(text, summary).strip()[:_MOST_CHARACTERS]
        if len(body) >= _FEWEST_CHARACTERS:
            yield Document(f"{name}.md", "README", body, summary if len(summary.split()) >= 3 else "")
