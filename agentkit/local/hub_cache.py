"""The folder in which Hugging Face's libraries keep what they have fetched. Nothing is fetched here."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cached_snapshot", "hub_cache"]


def hub_cache() -> Path:
    """Return that folder, by the variables that those libraries read."""
    if given := os.environ.get("HF_HUB_CACHE"):
        return Path(given).expanduser()
    if given := os.environ.get("HF_HOME"):
        return Path(given).expanduser() / "hub"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "huggingface" / "hub"


def cached_snapshot(name: str) -> Path | None:
    """Return where the newest of a model's files would be, None where it was never fetched.

    Args:
        name: "organisation/name", without "..".
    """
    repository = hub_cache() / f"models--{name.replace('/', '--')}"
    try:
        return repository / "snapshots" / (repository / "refs" / "main").read_text().strip()
    except (OSError, ValueError):
        return None
