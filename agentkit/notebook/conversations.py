"""Which conversation a question belongs to: one for each agent and notebook, that outlives the kernel.

The notebook is known by its file. JupyterLab and Jupyter Notebook name it in the kernel's environment, VS Code in the
notebook's variables. Where nobody does (nbconvert, papermill, a terminal) a conversation lasts as long as the kernel,
so that a notebook that is run by a program gives the same each time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.runtime import Agent
    from agentkit.sessions import SQLiteSession

__all__ = ["Conversations", "conversations", "notebook_file", "sessions_file"]

_METHODS = ("get_items", "add_items", "pop_item", "clear_session")


def sessions_file() -> Path:
    """Return the database of the notebook's conversations."""
    from agentkit import _home

    return _home.home() / "sessions.sqlite"


def notebook_file(names: Mapping[str, Any], *, in_kernel: bool) -> str | None:
    """Return the path of the notebook, or None where no front end tells.

    Args:
        names: The notebook's variables.
        in_kernel: Whether this is a kernel: programs that one starts inherit its environment.
    """
    if not in_kernel or "PYTEST_VERSION" in os.environ:  # nbval compares outputs: nothing may be there from before
        return None
    named = names.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return str(named) if named else None


class Conversations:
    """The conversations that have been used, kept open."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], SQLiteSession] = {}

    def of_agent(self, shell: InteractiveShell, agent: Agent[Any]) -> SQLiteSession:
        """Return the conversation with an agent in this notebook."""
        in_kernel = getattr(shell, "kernel", None) is not None
        if (notebook := notebook_file(shell.user_ns, in_kernel=in_kernel)) is None:
            return self._session(agent.name, ":memory:")
        return self._session(f"{notebook}: {agent.name}", str(sessions_file()))

    def named(self, names: Mapping[str, Any], name: str) -> Any:
        """Return the session that a variable holds, or else the conversation of that name, whatever the notebook."""
        value = names.get(name)
        if value is not None and all(hasattr(value, method) for method in _METHODS):
            return value
        return self._session(name, str(sessions_file()))

    def close(self) -> None:
        """Close all. What they hold in files stays."""
        while self._open:
            _, session = self._open.popitem()
            session.close()

    def _session(self, session_id: str, path: str) -> SQLiteSession:
        key = (session_id, path)
        if key not in self._open:
            from agentkit.sessions import SQLiteSession

            self._open[key] = SQLiteSession(session_id, path)
        return self._open[key]


conversations = Conversations()
"""Those of this kernel."""
