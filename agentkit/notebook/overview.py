"""What `%agentkit status` and `%agentkit config` show."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit import _home, backend
from agentkit._sqlite import open_to_read
from agentkit.exceptions import UserError
from agentkit.notebook import namespace
from agentkit.notebook.display.listing import Listing
from agentkit.notebook.front_end import front_end
from agentkit.notebook.settings import AgentKit, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["settings_view", "status_view"]

_APIS = {"responses": "Responses", "chat_completions": "Chat Completions"}


def status_view(shell: InteractiveShell) -> Listing:
    """Return who answers, where files are, and what there is. Asks no server, and imports no client."""
    from agentkit import __version__
    from agentkit.notebook.display.modes import render_mode

    rows = [("platform", _or_error(_platform)), ("model", _or_error(_model)), ("key", _or_error(_key))]
    rows += [("API", _or_error(lambda: _APIS[backend.current_backend().api]))]
    home = _home.home()
    rows.append(("files", f"{home} ({'AGENTKIT_HOME' if os.environ.get('AGENTKIT_HOME') else 'default'})"))
    agents, tools = namespace.agents_in(shell.user_ns), namespace.tools_in(shell.user_ns)
    rows.append(("in this notebook", f"{_count(len(agents), 'agent')}, {_count(len(tools), 'tool')}"))
    traces = _counted(home / "traces.sqlite3", "traces", "trace")
    sessions = _counted(home / "sessions.sqlite", "agent_sessions", "session")
    rows.append(("kept", f"{traces}, {sessions}{_in_memory()}"))
    rows.append(("runs are shown", _or_error(lambda: f"{render_mode(shell)}{_because()}")))
    rows.append(("front end", front_end(shell)))
    return Listing(f"agentkit {__version__}", rows, note="%agentkit doctor looks closer. %agentkit --help")


def _or_error(find: Callable[[], str]) -> str:
    try:
        return find()
    except UserError as error:
        return str(error)


def _platform() -> str:
    current = backend.current_backend()
    named = {"openai": "OpenAI", "embedded": "embedded platform (offline)"}.get(current.name)
    return named or current.plan.shown_url


def _model() -> str:
    name = backend.current_backend().known_model
    if name is None:
        return "the first that the server lists: %agentkit models"
    own = settings().own("model")
    return f"{name}, from %config AgentKit.model" if own == name else name


def _key() -> str:
    current = backend.current_backend()
    source = backend.key_source()
    if source is not None:
        return f"from {source}"
    return "none needed" if current.name == "embedded" else "none"


def _because() -> str:
    origin = settings().origin("render")
    return "" if origin == "default" else f" ({'AGENTKIT_RENDER' if origin == 'environment' else origin})"


def _counted(path: Path, table: str, word: str) -> str:
    """Return how many rows a table of a database has; none where it isn't there or can't be read now."""
    if path.exists():
        with contextlib.suppress(sqlite3.Error):
            connection = open_to_read(path, timeout_s=0.2)
            with contextlib.closing(connection):
                return _count(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0], word)
    return _count(0, word)


def _in_memory() -> str:
    """Return how many conversations are kept as long as the kernel only, as where nobody names the notebook."""
    from agentkit.notebook.conversations import conversations
    from agentkit.runtime.background import run_blocking

    held = [*conversations.in_memory(), *conversations.branches_in_memory()]
    number = sum(bool(run_blocking(session.get_items())) for session in held)
    return f"; {_count(number, 'conversation')} in memory, until the kernel ends" if number else ""


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def settings_view(names: list[str] | None = None) -> Listing:
    """Return the settings with their values, where these come from, and what they do.

    Args:
        names: Which; all when None.
    """
    current, rows = settings(), []
    for name in names or AgentKit.names():
        setting = AgentKit.setting(name)
        try:
            value = getattr(current, name)
            origin: str = current.origin(name)
            shown = "not set" if value is None else str(value)
        except UserError as error:
            shown, origin = str(error), "environment"
        from_ = setting.variable if origin == "environment" else origin
        rows.append((name, shown, from_, setting.help, setting.variable))
    note = "%agentkit config NAME=VALUE sets one, NAME= gives it back to its variable. The same as "
    note += "%config AgentKit.NAME = VALUE; in ipython_config.py: c.AgentKit.NAME = VALUE"
    head = ("setting", "value", "from", "what it does", "variable")
    return Listing("Settings of agentkit", rows, head, code=frozenset({0, 1, 4}), prose=frozenset({3}), note=note)
