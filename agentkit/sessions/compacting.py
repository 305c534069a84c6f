"""Long conversations made shorter: what was said long ago becomes a summary."""

from __future__ import annotations

import warnings
from typing import Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.models import Model, ModelSettings, ModelTracing, OpenAIProvider
from agentkit.models.call import accepted_arguments
from agentkit.models.telling import told
from agentkit.sessions.session import Item, SessionABC
from agentkit.sessions.whole import whole_items

__all__ = ["CompactingSession"]

INSTRUCTIONS = (
    "Summarize the conversation for the assistant that will go on with it. Keep names, numbers, decisions, what tools"
    " returned and what is still open. Leave out courtesies."
)

_CHARACTERS_PER_TOKEN = 4
"""A rough measure, good enough to decide when a conversation is long."""


class CompactingSession(SessionABC):
    """A session that makes itself shorter when it gets long: all but the last turns become one summary.

    It does so at the end of a run. Where the store can branch, the whole conversation is kept beside it, as the session
    `<id>/<number>`. A summary that fails leaves the conversation as it was, and a warning says so.

    Args:
        underlying: The session that holds the items.
        model: Who writes the summary: a model, or its name; the connected platform's default when None.
        max_tokens: Size from which on it is made shorter, about.
        keep_turns: User's messages, each with what followed, that stay as they are.
        instructions: What the model is told.

    Raises:
        UserError: A number is out of range.
    """

    def __init__(
        self,
        underlying: Any,  # a Session
        *,
        model: str | Model | None = None,
        max_tokens: int = 20_000,
        keep_turns: int = 4,
        instructions: str = INSTRUCTIONS,
    ) -> None:
        if max_tokens < 1 or keep_turns < 0:
            raise UserError(
                f"max_tokens has to be 1 or more and keep_turns 0 or more, not {max_tokens!r} and {keep_turns!r}."
            )
        self.underlying = underlying
        self.model = model
        self.max_tokens = max_tokens
        self.keep_turns = keep_turns
        self.instructions = instructions
        self.session_settings = getattr(underlying, "session_settings", None)

    @property
    def session_id(self) -> str:  # type: ignore[override]  # that of the session within
        """Id of the conversation."""
        return str(self.underlying.session_id)

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first; of a longer one than `limit` the latest items."""
        items: list[Item] = await (self.underlying.get_items() if limit is None else self.underlying.get_items(limit))
        return items

    async def add_items(self, items: list[Item]) -> None:
        """Append items, all of them or none."""
        await self.underlying.add_items(items)

    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""
        item: Item | None = await self.underlying.pop_item()
        return item

    async def clear_session(self) -> None:
        """Take all items away."""
        await self.underlying.clear_session()

    async def replace_items(self, items: list[Item]) -> None:
        """Put `items` in place of the whole conversation."""
        await self.underlying.replace_items(items)

    async def run_compaction(self, args: dict[str, Any] | None = None) -> bool:
        """Make the conversation shorter if it is long, and return whether that was done. Runs call it at their end.

        Args:
            args: `{"force": True}` to do it whatever the length.
        """
        items = await self.underlying.get_items()
        size = sum(len(_json.dumps(item)) for item in items) // _CHARACTERS_PER_TOKEN
        if size <= self.max_tokens and not (args or {}).get("force"):
            return False
        old, kept = self._split(items)
        if not old:
            return False
        try:
            summary = await self._summary(old)
        except Exception as error:  # a model of any make
            warnings.warn(f"Session {self.session_id!r} could not be made shorter: {error}", stacklevel=2)
            return False
        if hasattr(self.underlying, "branch"):
            await self._keep_whole()
        text = f"Summary of the conversation so far:\n{summary}"
        await self.replace_items([{"role": "user", "content": text}, *kept])
        return True

    def _split(self, items: list[Item]) -> tuple[list[Item], list[Item]]:
        """Return what is summarized and what stays: whole turns, each begun by the user, so that no call is cut."""
        starts = [index for index, item in enumerate(items) if item.get("role") == "user"]
        if len(starts) <= self.keep_turns:
            return [], items
        cut = len(items) if self.keep_turns == 0 else starts[-self.keep_turns]
        return items[:cut], whole_items(items[cut:])

    async def _summary(self, items: list[Item]) -> str:
        model = self.model
        if not isinstance(model, Model):
            provider = OpenAIProvider()
            if model is None:
                await provider.prepare()
            model = provider.get_model(model)
        arguments: dict[str, Any] = {
            "system_instructions": self.instructions,
            "input": [{"role": "user", "content": "\n".join(told(items))}],
            "model_settings": ModelSettings(),
            "tools": [],
            "output_schema": None,
            "handoffs": [],
            "tracing": ModelTracing.DISABLED,
            "previous_response_id": None,
            "conversation_id": None,
            "prompt": None,
        }
        response = await model.get_response(**accepted_arguments(model.get_response, arguments))
        parts = [part for item in response.raw_output for part in item.get("content") or ()]
        text = "".join(part.get("text") or "" for part in parts if part.get("type") == "output_text").strip()
        if not text:
            raise UserError("The model gave no summary.")
        return text

    async def _keep_whole(self) -> None:
        number = 1
        while True:
            try:
                await self.underlying.branch(-1, f"{self.session_id}/{number}")
                return
            except UserError:  # kept before, under that number
                number += 1

    def __repr__(self) -> str:
        return f"CompactingSession({self.underlying!r})"
