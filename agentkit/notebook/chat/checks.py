"""What `agentkit.chat` is given, looked at before anything is done: in a notebook anything may be passed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentkit.exceptions import UserError
from agentkit.notebook.chat.exchange import Terms
from agentkit.notebook.conversations import is_session
from agentkit.notebook.options import kind_of

__all__ = [
    "check_agent",
    "check_rating",
    "check_session",
    "check_text",
    "checked_id",
    "checked_suggestions",
    "checked_terms",
]


def check_agent(agent: Any) -> None:  # whatever was passed
    """Refuse what is no agent; None is none."""
    from agentkit.runtime import Agent

    if agent is not None and not isinstance(agent, Agent):
        raise UserError(f"A chat goes on with an agent, not {kind_of(agent)}.", hint="Pass the agent itself: agent=…")


def check_session(session: Any) -> None:  # whatever was passed
    """Refuse what is no session; None is none."""
    if session is not None and not is_session(session):
        hint = 'Pass a SQLiteSession("name", "file.sqlite"), or leave it out.'
        raise UserError(f"A chat's session can't be {kind_of(session)}.", hint=hint)


def check_text(name: str, value: Any) -> None:  # whatever was passed
    """Refuse what is no text; None is none."""
    if value is not None and not isinstance(value, str):
        raise UserError(f"A chat's {name} is text, not {kind_of(value)}.")


def check_rating(rating: Any, remark: Any) -> None:  # whatever was passed
    """Refuse what is no rating; None takes one back."""
    if rating not in ("up", "down", None):
        raise UserError(f"An answer is rated {rating!r:.60}.", hint='Rate it "up" or "down"; None takes it back.')
    check_text("remark", remark)


def checked_id(given: Any, called: str) -> str | None:  # whatever was passed
    """Return the id of a chat: the text itself, or that of the chat; None where there is none.

    Args:
        given: What was passed.
        called: How the function is called.
    """
    from agentkit.notebook.chat.handle import Chat

    if isinstance(given, Chat):
        return given.id
    if given is None or (isinstance(given, str) and given):
        return given
    said = (
        "The id is empty." if isinstance(given, str) else f"A chat is named by its id, a text, not by {kind_of(given)}."
    )
    raise UserError(said, hint=f"agentkit.chat.list() has the ids; {called}(chat) takes the chat itself too.")


def checked_suggestions(given: Any) -> list[str]:  # whatever was passed
    """Return messages to begin with, as a list of texts."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise UserError(f"suggestions is {kind_of(given)}.", hint='Pass a list of texts: ["What can you do?"].')
    texts = list(given)
    for text in texts:
        check_text("suggestion", text)
    return texts


def checked_terms(context: Any, max_turns: Any, run_config: Any) -> Terms:  # whatever was passed
    """Return what holds for all runs."""
    from agentkit.runtime import RunConfig

    if max_turns is not None and (not isinstance(max_turns, int) or isinstance(max_turns, bool) or max_turns < 1):
        raise UserError(
            f"max_turns is the number of model calls that a run may make, 1 or more, not {max_turns!r:.60}."
        )
    if run_config is not None and not isinstance(run_config, RunConfig):
        raise UserError(f"run_config is {kind_of(run_config)}.", hint="Pass a RunConfig(…), or leave it out.")
    return Terms(context, max_turns, run_config)
