"""What tells one machine's files from another's."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from agentkit._home import make_private_file
from agentkit.local.vector_stores.storage import StorageError

__all__ = ["identity_of"]


def identity_of(path: Path) -> str:
    """Return what a home folder is called, and write it down where it isn't yet.

    Args:
        path: The file that it is written in.

    Raises:
        StorageError: It can't be written.
    """
    try:
        if not path.exists():
            beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            make_private_file(beside)
            try:
                beside.write_text(secrets.token_hex(16), encoding="ascii")
                with suppress(FileExistsError):  # another process was faster
                    os.link(beside, path)
            finally:
                beside.unlink(missing_ok=True)
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{path} can't be used: {error}. It tells which files are on this machine. Give it rights, or set "
            "AGENTKIT_HOME to a folder that can be written."
        ) from error
