"""`python -m benchmarks.retrieval`: measure, print the table, and with `--save` write the page of the docs."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.retrieval.data import make
from benchmarks.retrieval.engines import ENGINES, Engine, python_of
from benchmarks.retrieval.table import PAGE, Results, markdown

__all__ = ["main"]

SIZES = (20_000, 200_000, 1_000_000)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    Args:
        arguments: The command line's; those of this process when None.
    """
    options = _parser().parse_args(arguments)
    folder = Path(options.folder)
    kept = folder / "results.json"
    results: Results = json.loads(kept.read_text()) if kept.exists() and options.go_on else {}
    for size in options.size or SIZES:
        make(folder / "data", size)
        for name in options.engine or ENGINES:
            if size > ENGINES[name].largest or results.get(str(size), {}).get(name):
                continue
            results.setdefault(str(size), {})[name] = _measured(ENGINES[name], size, folder)
            kept.write_text(json.dumps(results, indent=1))
    smallest = min(options.size or SIZES)
    if "embedding" not in results:
        results["embedding"] = {"MiniLM": _alone("embedding", folder, smallest)}
        kept.write_text(json.dumps(results, indent=1))
    if "folders" not in results:
        results["folders"] = _alone("folders", folder, smallest)
        kept.write_text(json.dumps(results, indent=1))
    table = markdown(results)
    print(table)
    if options.save:
        PAGE.write_text(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.retrieval",
        description="Measure the embedded engine of vector stores beside other engines, on the same data.",
    )
    parser.add_argument("--size", action="append", type=int, choices=SIZES, help="chunks; all when not given")
    parser.add_argument("--engine", action="append", choices=list(ENGINES), help="all when not given")
    default = str(Path(tempfile.gettempdir()) / "agentkit-retrieval")
    parser.add_argument("--folder", default=default, help=f"for data, environments and stores: {default}")
    parser.add_argument("--go-on", action="store_true", help="keep what was measured before in that folder")
    parser.add_argument("--save", action="store_true", help=f"write the table to {PAGE.name}")
    return parser


def _alone(what: str, folder: Path, size: int) -> dict[str, Any]:
    """Return what a module of ours measures in a process of its own."""
    print(what, file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"benchmarks.retrieval.{what}", str(folder / "data"), str(size)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(engine: Engine, size: int, folder: Path) -> dict[str, float]:
    """Return what an engine took: one process adds and ends, another opens and searches."""
    target = folder / "stores" / f"{engine.name}-{size}"
    shutil.rmtree(target, ignore_errors=True)
    python, found = python_of(engine, folder), dict[str, float]()
    for what in ("ingest", "search"):
        print(f"{engine.name}, {size:,} chunks: {what}", file=sys.stderr, flush=True)
        command = [str(python), "-m", "benchmarks.retrieval.child"]
        command += [engine.name, str(size), str(folder / "data"), str(target), what]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        found |= json.loads(done.stdout.splitlines()[-1])
    shutil.rmtree(target, ignore_errors=True)
    return found


if __name__ == "__main__":
    main()
