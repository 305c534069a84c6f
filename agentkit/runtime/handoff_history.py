"""What an agent sees of the conversation that it is handed: as it is, filtered, or told in one message."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.models import TResponseInputItem
from agentkit.models.telling import told
from agentkit.runtime.handoffs import Handoff, HandoffInputData
from agentkit.runtime.items import ItemHelpers

if TYPE_CHECKING:
    from agentkit.runtime.progress import RunProgress

__all__ = [
    "HandoffHistoryMapper",
    "default_handoff_history_mapper",
    "nest_handoff_history",
    "rewrite_history",
]

HandoffHistoryMapper = Callable[[list[TResponseInputItem]], list[TResponseInputItem]]
"""Makes the input of the next agent from the whole conversation."""


def default_handoff_history_mapper(transcript: list[TResponseInputItem]) -> list[TResponseInputItem]:
    """Return the conversation as one message that tells it, line by line."""
    lines = [f"{number}. {line}" for number, line in enumerate(told(transcript), 1)] or ["(nothing has been said yet)"]
    text = "\n".join(
        ["The conversation so far, for context:", "<CONVERSATION HISTORY>", *lines, "</CONVERSATION HISTORY>"]
    )
    return [{"role": "assistant", "content": text}]


def nest_handoff_history(
    handoff_input_data: HandoffInputData, *, history_mapper: HandoffHistoryMapper | None = None
) -> HandoffInputData:
    """Return the data with the whole conversation told in one message. An input filter.

    Args:
        handoff_input_data: The conversation at the handoff.
        history_mapper: Makes the message; `default_handoff_history_mapper` when None.
    """
    data = handoff_input_data
    items = (history_mapper or default_handoff_history_mapper)(_all_items(data))
    return data.clone(input_history=tuple(items), pre_handoff_items=(), input_items=())


async def rewrite_history(run: RunProgress, way: Handoff[Any], turn_start: int) -> None:
    """Put in the run's history what the agent at the end of `way` is to see.

    Args:
        run: The run, with the handoff in its ledger.
        way: The handoff that happened.
        turn_start: Number of the ledger's entry with which the turn of the handoff began.

    Raises:
        UserError: A filter returned something else than `HandoffInputData`, or the platform keeps the conversation.
    """
    chosen = way.input_filter or run.config.handoff_input_filter
    if chosen is None:
        nested = run.config.nest_handoff_history if way.nest_handoff_history is None else way.nest_handoff_history
        if not nested:
            return
        mapper = run.config.handoff_history_mapper
        chosen = lambda data: nest_handoff_history(data, history_mapper=mapper)  # noqa: E731
    if run.server_keeps_history:
        raise UserError(
            f"The handoff to {way.agent_name!r} filters a conversation that the platform keeps.",
            hint="Filters need a conversation that is sent whole: without conversation_id and previous_response_id.",
        )
    items = run.items()
    data = HandoffInputData(
        input_history=tuple(run.ledger.input_items) if not isinstance(run.input, str) else run.input,
        pre_handoff_items=tuple(items[run.rebased_at : turn_start]),
        new_items=tuple(items[turn_start:]),
        run_context=run.context,
    )
    if run.rebased is not None:
        data = data.clone(input_history=tuple(run.rebased))
    filtered = chosen(data)
    if inspect.isawaitable(filtered):
        filtered = await filtered
    if not isinstance(filtered, HandoffInputData):
        raise UserError(
            f"The input filter of the handoff to {way.agent_name!r} returned {type(filtered).__name__}.",
            hint="Return HandoffInputData, such as data.clone(pre_handoff_items=()).",
        )
    run.rebase(_all_items(filtered))


def _all_items(data: HandoffInputData) -> list[TResponseInputItem]:
    new = data.new_items if data.input_items is None else data.input_items
    return [
        *ItemHelpers.input_to_new_input_list(
            data.input_history if isinstance(data.input_history, str) else list(data.input_history)
        ),
        *(item.to_input_item() for item in (*data.pre_handoff_items, *new)),
    ]
