"""Conversations that OpenAI makes shorter."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from agentkit._secrets import Redactor
from agentkit.backend import current_backend
from agentkit.exceptions import AgentsException, ModelBehaviorError, UserError
from agentkit.sessions.platform import OpenAIConversationsSession, told
from agentkit.sessions.session import Item, SessionABC, all_items, check_session_id, replace_items
from agentkit.usage import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIResponsesCompactionArgs", "OpenAIResponsesCompactionSession"]

CompactionMode = Literal["previous_response_id", "input", "auto"]
"""What the platform is sent: the id of the last response, the items, or the first where it can be."""


class OpenAIResponsesCompactionArgs(TypedDict, total=False):
    """What `run_compaction` may be told."""

    response_id: str | None
    """Id of the last response."""
    compaction_mode: CompactionMode
    """What is sent, instead of the session's own mode."""
    store: bool
    """Whether the platform has kept the last response; False in mode "auto" sends the items."""
    force: bool
    """Whether to compact however short the conversation is."""


class OpenAIResponsesCompactionSession(SessionABC):
    """A session that the platform makes shorter: `/responses/compact` of OpenAI's API.

    Args:
        session_id: Names the conversation.
        underlying_session: The session that holds the items; none that the platform keeps.
        client: The client; that of the connected platform when None.
        model: Who compacts.
        compaction_mode: What is sent: the id of the last response, the items, or the first where there is one.
        should_trigger_compaction: Decides from `{"response_id", "compaction_mode", "session_items",
            "compaction_candidate_items"}`; from 10 items on that are neither the user's nor compacted when None.

    Attributes:
        usage: Tokens that the compactions took.

    Raises:
        UserError: There is no such mode, or the session can't be compacted.
    """

    def __init__(
        self,
        session_id: str,
        underlying_session: Any,  # a Session
        *,
        client: AsyncOpenAI | None = None,
        model: str = "gpt-4.1",
        compaction_mode: CompactionMode = "auto",
        should_trigger_compaction: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        if compaction_mode not in ("previous_response_id", "input", "auto"):
            raise UserError(
                f"There is no compaction_mode {compaction_mode!r}.",
                hint='It is "previous_response_id", "input" or "auto".',
            )
        if isinstance(underlying_session, OpenAIConversationsSession):
            raise UserError(
                "A conversation that the platform keeps can't be compacted by a session around it.",
                hint="Use SQLiteSession or another that keeps the items itself.",
            )
        self.session_id = check_session_id(session_id)
        self.underlying_session = underlying_session
        self.model = model
        self.compaction_mode = compaction_mode
        self.should_trigger_compaction = should_trigger_compaction
        self.session_settings = getattr(underlying_session, "session_settings", None)
        self.usage = Usage()
        self._client = client

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first; of a longer one than `limit` the latest items."""
        within = self.underlying_session
        return list(await (within.get_items() if limit is None else within.get_items(limit)))

    async def add_items(self, items: list[Item]) -> None:
        """Append items, all of them or none."""
        await self.underlying_session.add_items(items)

    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""
        item: Item | None = await self.underlying_session.pop_item()
        return item

    async def clear_session(self) -> None:
        """Take all items away."""
        await self.underlying_session.clear_session()

    async def replace_items(self, items: list[Item], *, expected: list[Item] | None = None) -> bool:
        """Put `items` in place of the conversation. See `SessionABC.replace_items`."""
        here = await all_items(self.underlying_session) if expected is None else expected
        return await replace_items(self.underlying_session, items, expected=here)

    def with_id(self, session_id: str) -> OpenAIResponsesCompactionSession:
        """Return the conversation of another id in the same store, compacted in the same way."""
        if not hasattr(self.underlying_session, "with_id"):
            super().with_id(session_id)
        return OpenAIResponsesCompactionSession(
            session_id,
            self.underlying_session.with_id(session_id),
            client=self._client,
            model=self.model,
            compaction_mode=self.compaction_mode,
            should_trigger_compaction=self.should_trigger_compaction,
        )

    async def run_compaction(self, args: OpenAIResponsesCompactionArgs | None = None) -> None:
        """Let the platform make the conversation shorter if it is time to. Runs call it at their end.

        What is added while the platform is at it stays. A failure leaves the conversation as it was; it is a warning,
        so that no run fails over it, unless compaction was forced.

        Raises:
            UserError: Forced, and the mode needs the id of a response, and there is none.
            ModelServerError: Forced, and the platform can't be used.
        """
        given = args or {}
        items = await all_items(self.underlying_session)
        mode, response_id = self._mode(given), given.get("response_id")
        if not given.get("force") and not self._is_due(items, mode, response_id):
            return
        try:
            output = await self._compacted(items, mode, response_id)
        except AgentsException as error:
            if given.get("force"):
                raise
            warnings.warn(
                f"Session {self.session_id!r} could not be compacted: {Redactor().clean(str(error))}", stacklevel=2
            )
            return
        if output:
            await self.replace_items(output, expected=items)

    async def _compacted(self, items: list[Item], mode: CompactionMode, response_id: str | None) -> list[Item]:
        if mode == "previous_response_id" and response_id is None:
            raise UserError(
                'compaction_mode="previous_response_id" needs a response_id.', hint='Use the mode "input", or give one.'
            )
        if not items:
            return []
        what = {"input": items} if mode == "input" else {"previous_response_id": response_id}
        client = self._client or current_backend().client
        with told(client):
            compacted: Any = await client.post("/responses/compact", cast_to=object, body={"model": self.model, **what})
        self.usage.add(Usage.from_wire(compacted.get("usage")))
        output: list[Item] = compacted.get("output") or []
        if not output:
            raise ModelBehaviorError(f"{self.model} compacted the conversation to nothing.")
        return output

    def _mode(self, given: OpenAIResponsesCompactionArgs) -> CompactionMode:
        mode = given.get("compaction_mode", self.compaction_mode)
        if mode != "auto":
            return mode
        kept = given.get("response_id") is not None and given.get("store") is not False
        return "previous_response_id" if kept else "input"

    def _is_due(self, items: list[Item], mode: CompactionMode, response_id: str | None) -> bool:
        candidates = [item for item in items if item.get("role") != "user" and item.get("type") != "compaction"]
        if self.should_trigger_compaction is None:
            return len(candidates) >= 10
        facts = {
            "response_id": response_id,
            "compaction_mode": mode,
            "session_items": items,
            "compaction_candidate_items": candidates,
        }
        return self.should_trigger_compaction(facts)

    def __repr__(self) -> str:
        return f"OpenAIResponsesCompactionSession({self.session_id!r}, {self.underlying_session!r})"
