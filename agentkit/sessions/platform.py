"""Conversations that OpenAI keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agentkit.backend import current_backend
from agentkit.exceptions import UserError
from agentkit.models.errors import as_model_error
from agentkit.sessions.finishing import finish
from agentkit.sessions.session import (
    Item,
    SessionABC,
    SessionSettings,
    all_items,
    check_session_id,
    effective_limit,
    encoded_item,
    items_up_to,
)
from agentkit.sessions.whole import latest_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import AsyncOpenAI

__all__ = ["OpenAIConversationsSession", "told"]

_MOST_AT_ONCE = 20
"""Items that the Conversations API takes in one request."""
_PAGE = 100
"""Items that it gives in one answer at most."""
_BEYOND = 20
"""Items read beyond a limit, to see whether it cuts an answer from its reasoning."""


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
        session_settings: SessionSettings | Mapping[str, Any] | None = None,
    ) -> None:
        self._conversation_id = None if conversation_id is None else check_session_id(conversation_id)
        self._client = openai_client
        self._making: asyncio.Task[str] | None = None
        self.session_settings = SessionSettings.of(session_settings)

    @property
    def client(self) -> AsyncOpenAI:
        """The client for the running event loop."""
        return self._client or current_backend().client

    @property
    def session_id(self) -> str:  # type: ignore[override]  # known when the conversation is made
        """Id of the conversation; empty until it has been made, at the first use."""
        return self._conversation_id or ""

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first.

        Args:
            limit: Latest items wanted; that of `session_settings` when None. A call is never cut from its output, nor
                reasoning from what it led to, so that there may be fewer.

        Raises:
            UserError: The limit is negative.
            ModelServerError: The platform can't be used.
        """
        limit = effective_limit(limit, self.session_settings)
        if limit == 0:
            return []
        found: list[Item] = []
        async for item in self._backwards(_PAGE if limit is None else limit + _BEYOND):
            found.append(item)
            if limit is not None and len(found) == limit + _BEYOND:
                break
        return found[::-1] if limit is None else latest_whole(found, limit)

    async def add_items(self, items: list[Item]) -> None:
        """Append items, at most 20 in one request. Where a later request fails, what was added before is deleted again.

        Raises:
            UserError: An item is no JSON object.
            ModelServerError: The platform can't be used.
        """
        for item in items:
            encoded_item(item)
        if items:
            await finish(self._add(list(items)))

    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""
        async for item in self._backwards(1):
            await finish(self._delete([item["id"]]))
            return item
        return None

    async def clear_session(self) -> None:
        """Delete the conversation. The next use makes a new one, with an id of its own."""
        if self._conversation_id is not None:
            with told(self.client):
                await self.client.delete(f"/conversations/{self._conversation_id}", cast_to=object)
            self._conversation_id = None

    async def branch(self, at: int | str = -1, session_id: str | None = None) -> OpenAIConversationsSession:
        """Return a new conversation that begins with this one up to an item. This one stays as it is.

        Args:
            at: Index of the last item that it takes with it, from the end where negative; or that item's id.
            session_id: None: the platform gives the id.

        Raises:
            UserError: There is no such item, or an id was given.
        """
        if session_id is not None:
            raise UserError(f"A conversation can't be given the id {session_id!r}: the platform makes ids up.")
        kept = items_up_to(await all_items(self), at)
        new = OpenAIConversationsSession(openai_client=self._client, session_settings=self.session_settings)
        await new.add_items(kept)
        return new

    async def _id(self) -> str:
        """Return the conversation's id, that of a new one where there is none yet. Several who ask get the same."""
        if self._conversation_id is None:
            if self._making is None or self._making.get_loop() is not asyncio.get_running_loop():
                self._making = asyncio.ensure_future(self._make())
            await finish(self._making)
        assert self._conversation_id is not None
        return self._conversation_id

    async def _make(self) -> str:
        try:
            with told(self.client):
                made: Any = await self.client.post("/conversations", cast_to=object, body={})
            self._conversation_id = str(made["id"])
            return self._conversation_id
        finally:
            self._making = None

    async def _backwards(self, page: int) -> AsyncIterator[Item]:
        """Yield the items from the latest on, asking for `page` at a time."""
        path = f"/conversations/{await self._id()}/items"
        query: dict[str, Any] = {"order": "desc", "limit": min(page, _PAGE)}
        while True:
            with told(self.client):
                answer: Any = await self.client.get(path, cast_to=object, options={"params": dict(query)})
            items: list[Item] = answer.get("data") or []
            for item in items:
                yield item
            after = answer.get("last_id") or (items[-1].get("id") if items else None)
            if not answer.get("has_more") or after in (None, query.get("after")):  # or else it would never end
                return
            query["after"] = after

    async def _add(self, items: list[Item]) -> None:
        path = f"/conversations/{await self._id()}/items"
        added: list[str] = []
        try:
            for start in range(0, len(items), _MOST_AT_ONCE):
                body = {"items": items[start : start + _MOST_AT_ONCE]}
                with told(self.client):
                    answer: Any = await self.client.post(path, cast_to=object, body=body)
                added += [item["id"] for item in answer.get("data") or ()]
        except Exception as error:
            try:
                await self._delete(added[::-1])
            except Exception:
                error.add_note(
                    f"The conversation {self.session_id} is left with {len(added)} of the {len(items)} items."
                )
            raise

    async def _delete(self, ids: list[str]) -> None:
        for name in ids:
            with told(self.client):
                await self.client.delete(f"/conversations/{self._conversation_id}/items/{name}", cast_to=object)

    def __repr__(self) -> str:
        return f"OpenAIConversationsSession({self._conversation_id!r})"


@contextmanager
def told(client: AsyncOpenAI) -> Iterator[None]:
    """Raise the client's errors as ours."""
    import openai

    try:
        yield
    except openai.APIError as error:
        raise as_model_error(error, client) from error
