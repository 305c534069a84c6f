"""Which engines are measured, and where each one's own environment is."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ENGINES", "Engine", "python_of"]


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine beside ours, or ours."""

    name: str
    packages: tuple[str, ...]
    """What is installed for it; nothing for ours."""
    largest: int
    """Most chunks that it is measured with: beyond, it takes hours or more memory than there is."""


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("agentkit", (), 1_000_000),
        Engine("qdrant-edge", ("qdrant-edge-py==0.9.0", "numpy"), 200_000),
        Engine("lancedb", ("lancedb==0.40.0", "pyarrow"), 200_000),
        Engine("sqlite-vec", ("sqlite-vec==0.1.9", "apsw", "numpy"), 1_000_000),
        Engine("chroma", ("chromadb==1.5.9",), 200_000),
    )
}


def python_of(engine: Engine, folder: Path) -> Path:
    """Return the Python to run an engine with. Its environment is made in `folder` the first time."""
    if not engine.packages:
        return Path(sys.executable)
    home = folder / "environments" / engine.name
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *engine.packages], check=True)
    return python
