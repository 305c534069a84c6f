"""A session as what has been said in it."""

from __future__ import annotations

from concurrent.futures import TimeoutError as Overdue
from pathlib import Path
from typing import Any

from agentkit.exceptions import AgentsException
from agentkit.notebook.display.conversation_view import ConversationText
from agentkit.notebook.display.run_view import Bundle
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line

__all__ = ["session_bundle"]

_LAST = 10
_PATIENCE_S = 5.0


def session_bundle(session: Any) -> Bundle:  # a session of the kit's
    """Return a session with the last that was said in it. Only files and memory are looked into, never a platform."""
    kept = _kept(session)
    if kept is None:
        return _line(repr(session))
    try:
        items = _items(kept)
    except (AgentsException, Overdue) as error:
        return _line(f"{session!r}: {one_line(str(error) or 'it is busy', 200)}")
    where = "in memory" if str(kept.db_path) == ":memory:" else f"in {Path(kept.db_path).name}"
    title = f"{type(session).__name__} {session.session_id!r} {where}"
    return ConversationText(title, items, most=_LAST)._repr_mimebundle_()


def _line(text: str) -> Bundle:
    shown = clean(text)
    return {"text/html": f'<div class="agk">{STYLE}<code>{escape(shown)}</code></div>', "text/plain": shown}


def _kept(session: Any) -> Any:
    """Return the session on this machine that a session is or keeps its items in; None where there is none."""
    from agentkit.sessions import SQLiteSession

    for _ in range(10):  # sessions around sessions
        if isinstance(session, SQLiteSession):
            return session
        session = getattr(session, "underlying", None) or getattr(session, "underlying_session", None)
    return None


def _items(session: Any) -> list[Any]:
    from agentkit.runtime.background import submit

    reading = submit(session.get_items())
    try:
        items: list[Any] = reading.result(_PATIENCE_S)
    except Overdue:
        reading.cancel()
        raise
    return items
