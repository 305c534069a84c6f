"""A run and its session: what was said before comes first, what is new is appended, whole."""

from __future__ import annotations

import inspect
from typing import Any

from agentkit.exceptions import UserError
from agentkit.runtime.run_config import RunConfig

__all__ = ["with_earlier_items"]


async def with_earlier_items(session: Any, new: list[dict[str, Any]], config: RunConfig) -> list[dict[str, Any]]:
    """Return the session's items followed by the new ones, or what the run's callback makes of them.

    Raises:
        UserError: The callback returned something else than a list of items.
    """
    from agentkit.sessions import whole_items

    limit = _limit(session, config)
    earlier = await (session.get_items() if limit is None else session.get_items(limit=limit))
    if limit is not None:  # a session of the user's own may cut between a call and its output
        earlier = whole_items(earlier)
    if config.session_input_callback is None:
        return [*earlier, *new]
    combined = config.session_input_callback(list(earlier), list(new))
    if inspect.isawaitable(combined):
        combined = await combined
    if not isinstance(combined, list) or not all(isinstance(item, dict) for item in combined):
        raise UserError(
            f"session_input_callback returned {type(combined).__name__} {combined!r:.60}.",
            hint="Return a list of items, such as history + new.",
        )
    return combined


def _limit(session: Any, config: RunConfig) -> int | None:
    for settings in (config.session_settings, getattr(session, "session_settings", None)):
        limit: int | None = getattr(settings, "limit", None)
        if limit is not None:
            return limit
    return None
