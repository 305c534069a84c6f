"""The command that installs an extra of this very agentkit, which may have come from a folder or a repository."""

from __future__ import annotations

import functools
import importlib.metadata
import json
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import url2pathname

__all__ = ["install_command", "pip_requirement"]


def install_command(extra: str) -> str:
    """Return what installs an extra: `pip install '/path/to/agentkit[train]'`.

    From where agentkit itself came: an index may have another package of that name.

    Args:
        extra: Its name.
    """
    source, editable = _source()
    return f"pip install {'-e ' if editable else ''}'{source}[{extra}]'"


def pip_requirement(extra: str) -> str:
    """Return an extra as pip is asked for it: `/path/to/agentkit[train]`, or `agentkit[train]` from an index."""
    return f"{_source()[0]}[{extra}]"


@functools.cache
def _source() -> tuple[str, bool]:
    """Return what agentkit was installed from, and whether its code is used in place. See PEP 610."""
    with suppress(importlib.metadata.PackageNotFoundError, OSError, ValueError, KeyError, TypeError, AttributeError):
        told = json.loads(importlib.metadata.distribution("agentkit").read_text("direct_url.json") or "{}")
        address = urlsplit(told["url"])
        if address.scheme == "file":
            return url2pathname(address.path), bool(told.get("dir_info", {}).get("editable"))
    return "agentkit", False
