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

__all__ = ["Conversations", "conversations", "is_session", "notebook_file", "sessions_file"]

_MEMORY = ":memory:"
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


def is_session(value: Any) -> bool:  # whatever a variable holds
    """Tell whether a value is a session, of whatever make."""
    return value is not None and not isinstance(value, type) and all(hasattr(value, method) for method in _METHODS)


class Conversations:
    """The conversations that have been used, kept open."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], SQLiteSession] = {}
        self._branches: dict[str, SQLiteSession] = {}

    def of_agent(self, shell: InteractiveShell, agent: Agent[Any]) -> SQLiteSession:
        """Return the conversation with an agent in this notebook."""
        in_kernel = getattr(shell, "kernel", None) is not None
        if (notebook := notebook_file(shell.user_ns, in_kernel=in_kernel)) is None:
            return self._session(agent.name, _MEMORY)
        return self._session(f"{notebook}: {agent.name}", str(sessions_file()))

    def named(self, names: Mapping[str, Any], name: str) -> Any:
        """Return the session that a variable holds, or else the conversation of that name, whatever the notebook."""
        value = names.get(name)
        if is_session(value):
            return value
        return self._branches.get(name) or self.kept(name)

    def kept(self, session_id: str) -> SQLiteSession:
        """Return the conversation of an id that is kept in the file."""
        return self._session(session_id, str(sessions_file()))

    def in_memory(self) -> list[SQLiteSession]:
        """Return the notebook's conversations that last as long as the kernel, since nobody names the notebook."""
        return [session for (_, path), session in self._open.items() if path == _MEMORY]

    def branches_in_memory(self) -> list[SQLiteSession]:
        """Return the branches of those."""
        return list(self._branches.values())

    async def branch(self, session: Any, at: int, name: str) -> Any:
        """Return a new conversation that begins with another's items, up to number `at`, and is found by `name`.

        Args:
            session: The other one, which stays as it is.
            at: Index of the last item that it takes with it.
            name: What it is called. It lasts as long as the other.

        Raises:
            UserError: The name is taken, or this kind of session can't branch.
        """
        new = await session.branch(at, name)
        if str(getattr(session, "db_path", "")) == _MEMORY:
            self._branches[name] = new
        return new

    def close(self) -> None:
        """Close all. What they hold in files stays."""
        for session in [*self._branches.values(), *self._open.values()]:
            session.close()
        self._branches.clear()
        self._open.clear()

    def _session(self, session_id: str, path: str) -> SQLiteSession:
        key = (session_id, path)
        if key not in self._open:
            from agentkit.sessions import SQLiteSession

            self._open[key] = SQLiteSession(session_id, path)
        return self._open[key]


conversations = Conversations()
"""Those of this kernel."""
