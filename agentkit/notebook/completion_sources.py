"""What Tab offers that is no name of the notebook: files, conversations, settings, platforms, variables with keys."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from agentkit._sqlite import open_to_read

__all__ = ["files", "key_variables", "platforms", "sessions", "setting_values", "settings_words"]

_MOST = 200
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_KEY_NAME = re.compile(r"(?:_KEY|_TOKEN|_SECRET|_PAT)\Z")


def files(fragment: str, kind: str = "files") -> list[str]:
    """Return the files and folders that a typed beginning may become; folders end with a slash.

    Args:
        fragment: What is typed of a path.
        kind: "files" for all, "images", "notebooks", or "examples" for fine-tuning.
    """
    wanted = {"images": _IMAGES, "notebooks": (".ipynb",), "examples": (".jsonl",)}.get(kind)
    folder, _, begun = fragment.rpartition("/")
    prefix = f"{folder}/" if "/" in fragment else ""
    found = []
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        for entry in sorted(Path(prefix or ".").expanduser().iterdir()):
            name = entry.name
            if not name.startswith(begun) or (name.startswith(".") and not begun.startswith(".")):
                continue
            if entry.is_dir():
                found.append(f"{prefix}{name}/")
            elif wanted is None or entry.suffix.lower() in wanted:
                found.append(f"{prefix}{name}")
            if len(found) >= _MOST:
                break
    return [f'"{path}"' if re.search(r"[\s,]", path) else path for path in found]


def sessions() -> list[str]:
    """Return the names of the conversations that are kept, the latest first; those with spaces are left out."""
    from agentkit.notebook.conversations import sessions_file

    path = sessions_file()
    if not path.exists():
        return []
    statement = "SELECT session_id FROM agent_sessions ORDER BY updated_at DESC LIMIT ?"
    with contextlib.suppress(sqlite3.Error):
        connection = open_to_read(path, timeout_s=0.2)
        with contextlib.closing(connection):
            names = [str(name) for (name,) in connection.execute(statement, (_MOST,))]
            return [name for name in names if not re.search(r"[\s,\"']", name)]
    return []


def platforms() -> list[str]:
    """Return the platforms that can be connected to, and addresses that are in use or common."""
    from agentkit import backend
    from agentkit.exceptions import UserError

    found = ["embedded", "openai", "auto"]
    with contextlib.suppress(UserError):
        current = backend.current_backend()
        if current.is_server:
            found.append(current.plan.shown_url)
    known = os.environ.get("OPENAI_BASE_URL", "")
    return list(dict.fromkeys([*found, *([known] if "@" not in known and known else []), "http://localhost:"]))


def settings_words() -> list[str]:
    """Return the settings, ready for their values."""
    from agentkit.notebook.settings import AgentKit

    return [f"{name}=" for name in AgentKit.names()]


def setting_values(name: str, models: Sequence[str] = ()) -> list[str]:
    """Return the values that a setting can have, where they are few.

    Args:
        name: The setting.
        models: Names of models, for the setting that is one.
    """
    from agentkit.notebook.setting_traits import ChoiceEnum, Switch
    from agentkit.notebook.settings import AgentKit

    if name not in AgentKit.names():
        return []
    setting = AgentKit.setting(name)
    if isinstance(setting, ChoiceEnum):
        return list(setting.choices)
    if isinstance(setting, Switch):
        return ["True", "False"]
    return list(models) if name == "model" else []


def key_variables() -> list[str]:
    """Return the names of the environment's variables that hold keys."""
    return sorted(name for name, value in os.environ.items() if value and _KEY_NAME.search(name))
