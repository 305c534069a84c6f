"""Where agentkit keeps its files."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["home"]


def home() -> Path:
    """Return the folder of agentkit's files: `AGENTKIT_HOME`, or the user's data folder. It may not exist yet."""
    if given := os.environ.get("AGENTKIT_HOME"):
        return Path(given).expanduser()
    from platformdirs import user_data_path

    return user_data_path("agentkit", appauthor=False)
