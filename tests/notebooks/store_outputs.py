"""Runs notebooks from top to bottom, and stores their outputs and nothing that differs from run to run."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def store_outputs(path: Path) -> None:
    """Run the notebook at `path` in its folder and write it back; raises where a cell does."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=400,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata.clear()
    notebook.metadata.update(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name)
        store_outputs(Path(name))
