"""Where agentkit keeps its files, and that they are the user's own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["home", "make_private_file", "make_private_folder"]


def home() -> Path:
    """Return the folder of agentkit's files: `AGENTKIT_HOME`, or the user's data folder. It may not exist yet."""
    if given := os.environ.get("AGENTKIT_HOME"):
        return Path(given).expanduser()
    from platformdirs import user_data_path

    return user_data_path("agentkit", appauthor=False)


def make_private_folder(path: Path) -> None:
    """Make a folder that only its user can look into, and likewise those above it that aren't there yet.

    Raises:
        OSError: It can't be made.
    """
    if not path.is_dir():
        make_private_folder(path.parent)  # `parents=True` would make these for everybody
        path.mkdir(mode=0o700, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file that only its user can read, in a folder likewise. What is there already stays as it is.

    For a database, before SQLite opens it: SQLite gives the files that it puts beside it the same mode.

    Raises:
        OSError: The folder or the file can't be made.
    """
    make_private_folder(path.parent)
    # A file that is there isn't opened: to close it would drop the locks that SQLite holds on it in this process.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
