"""Conversations that OpenAI keeps, and that it makes shorter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from agentkit.backend import current_backend
from agentkit.exceptions import UserError
from agentkit.models.typed import to_json
from agentkit.sessions.session import Item, SessionABC, SessionSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIConversationsSession", "OpenAIResponsesCompactionArgs", "OpenAIResponsesCompactionSession"]

_MOST_AT_ONCE = 20
"""Items that the Conversations API takes in one request."""


class OpenAIConversationsSession(SessionABC):
    """A conversation that the platform keeps: `/conversations` of OpenAI's API.

    Args:
        conversation_id: An existing conversation; one is made at the first use when None.
        openai_client: The client; that of the connected platform when None.
        session_settings: Such as how many items a run reads.
    """

    def __init__(
        self,
        *,
        conversation_id: str | None = None,
        openai_client: AsyncOpenAI | None = None,
        session_settings: SessionSettings | None = None,
    ) -> None:
        self._conversation_id = conversation_id
        self._client = openai_client
        self.session_settings = session_settings

    @property
    def client(self) -> AsyncOpenAI:
        """The client for the running event loop."""
        return self._client or current_backend().client

    @property
    def session_id(self) -> str:  # type: ignore[override]  # known when the conversation is made
        """Id of the conversation.

        Raises:
            UserError: It hasn't been made yet.
        """
        if self._conversation_id is None:
            raise UserError("The conversation hasn't been made yet.", hint="Use it once, or give it a conversation_id.")
        return self._conversation_id

    async def _id(self) -> str:
        if self._conversation_id is None:
            self._conversation_id = (await self.client.conversations.create()).id
        return self._conversation_id

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first; of a longer one than `limit` the latest items."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        found: list[Item] = []
        if limit == 0:
            return found
        size = 100 if limit is None else min(limit, 100)
        async for item in self.client.conversations.items.list(await self._id(), order="desc", limit=size):
            found.append(to_json(item))
            if limit is not None and len(found) == limit:
                break
        return found[::-1]

    async def add_items(self, items: list[Item]) -> None:
        """Append items. More than 20 take several requests, so that a failure may leave the first of them added."""
        conversation_id = await self._id()
        for start in range(0, len(items), _MOST_AT_ONCE):
            batch: Any = items[start : start + _MOST_AT_ONCE]
            await self.client.conversations.items.create(conversation_id, items=batch)

    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""
        latest = await self.get_items(limit=1)
        if not latest:
            return None
        await self.client.conversations.items.delete(latest[0]["id"], conversation_id=await self._id())
        return latest[0]

    async def clear_session(self) -> None:
        """Delete the conversation. The next use makes a new one, with an id of its own."""
        if self._conversation_id is not None:
            await self.client.conversations.delete(self._conversation_id)
            self._conversation_id = None

    def __repr__(self) -> str:
        return f"OpenAIConversationsSession({self._conversation_id!r})"


class OpenAIResponsesCompactionArgs(TypedDict, total=False):
    """What `run_compaction` may be told."""

    response_id: str | None
    compaction_mode: Literal["previous_response_id", "input", "auto"]
    store: bool
    force: bool


class OpenAIResponsesCompactionSession(SessionABC):
    """A session that the platform makes shorter: `/responses/compact` of OpenAI's API.

    Args:
        session_id: Names the conversation.
        underlying_session: The session that holds the items.
        client: The client; that of the connected platform when None.
        model: Who compacts.
        compaction_mode: What is sent: the id of the last response, the items, or the first where there is one.
        should_trigger_compaction: Decides from `{"response_id", "session_items", "compaction_candidate_items"}`; from
            10 items on that aren't the user's when None.
    """

    def __init__(
        self,
        session_id: str,
        underlying_session: Any,  # a Session
        *,
        client: AsyncOpenAI | None = None,
        model: str = "gpt-4.1",
        compaction_mode: Literal["previous_response_id", "input", "auto"] = "auto",
        should_trigger_compaction: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        if compaction_mode not in ("previous_response_id", "input", "auto"):
            raise UserError(f"There is no compaction_mode {compaction_mode!r}.")
        self.session_id = session_id
        self.underlying_session = underlying_session
        self.model = model
        self.compaction_mode = compaction_mode
        self.should_trigger_compaction = should_trigger_compaction
        self.session_settings = getattr(underlying_session, "session_settings", None)
        self._client = client

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first; of a longer one than `limit` the latest items."""
        within = self.underlying_session
        items: list[Item] = await (within.get_items() if limit is None else within.get_items(limit))
        return items

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

    async def run_compaction(self, args: OpenAIResponsesCompactionArgs | None = None) -> None:
        """Let the platform make the conversation shorter if it is time to. Runs call it at their end.

        Raises:
            UserError: The mode needs the id of a response, and there is none.
        """
        given = args or {}
        items = await self.underlying_session.get_items()
        response_id = given.get("response_id")
        candidates = [
            item for item in items if item.get("role") != "user" and item.get("type") not in ("compaction", "reasoning")
        ]
        decide = self.should_trigger_compaction or (lambda facts: len(facts["compaction_candidate_items"]) >= 10)
        facts = {"response_id": response_id, "session_items": items, "compaction_candidate_items": candidates}
        if not given.get("force") and not decide(facts):
            return
        mode = given.get("compaction_mode", self.compaction_mode)
        if mode == "previous_response_id" and response_id is None:
            raise UserError('compaction_mode="previous_response_id" needs a response_id.')
        by_id = mode == "previous_response_id" or (mode == "auto" and response_id is not None)
        what: dict[str, Any] = {"previous_response_id": response_id} if by_id else {"input": items}
        client = self._client or current_backend().client
        compacted = await client.responses.compact(model=self.model, **what)
        output = [to_json(item) for item in compacted.output]
        await self.underlying_session.replace_items(output)

    def __repr__(self) -> str:
        return f"OpenAIResponsesCompactionSession({self.session_id!r}, {self.underlying_session!r})"
