"""The sessions that hold a chat's branches: one for each where the store can branch, else one for all in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.notebook.chat.store import BranchRecord
from agentkit.sessions import SessionABC
from agentkit.sessions.finishing import in_thread
from agentkit.sessions.session import all_items, replace_items

if TYPE_CHECKING:
    from agentkit.notebook.chat.store import ChatStore

__all__ = ["Branches"]


class Branches:
    """Which session holds which branch, and the one that the chat is on.

    Lives on agentkit's loop thread.

    Args:
        chat_id: The chat.
        store: Where it is kept.
        session: The session of the branch numbered `at`.
        records: The branches, where there are any already.
        at: Number of the branch that the chat is on.
    """

    def __init__(
        self, chat_id: str, store: ChatStore, session: Any, records: list[BranchRecord] | None = None, at: int = 1
    ) -> None:
        self._chat_id = chat_id
        self._store = store
        self._records = {record.number: record for record in records or [BranchRecord(1, _id(session))]}
        self._sessions: dict[int, Any] = {at: session}  # a Session each
        self.at = at

    @property
    def session(self) -> Any:
        """The session of the branch that the chat is on."""
        return self._sessions[self.at]

    def records(self) -> list[BranchRecord]:
        """Return the branches, in their order."""
        return list(self._records.values())

    def session_id_of(self, number: int) -> str:
        """Return the id of the session that holds a branch."""
        return self._records[number].session_id

    async def start(self, count: int) -> None:
        """Begin a branch with the first `count` items of the one that the chat is on, and go over to it.

        Raises:
            UserError: The session has become shorter than that, so the place can't be found any more.
        """
        await self._refresh()
        session, number = self.session, max(self._records) + 1
        items = await all_items(session)
        if len(items) < count:
            raise UserError(
                f"The session {_id(session)!r} has {len(items)} items, where there were {count} when this was "
                "said: it was compacted or cleared since, and can't branch there any more.",
                hint="Send a new message instead, or branch after a later one.",
            )
        branched = await self._branched(session, number, count)
        if branched is None:
            branched = session
            await self._let_hold(session, BranchRecord(number, _id(session)), items[:count])
        else:
            await self._keep([BranchRecord(number, _id(branched))])
        self._sessions[number] = branched
        self.at = number

    async def _branched(self, session: Any, number: int, count: int) -> Any:
        """Return a new session with the first items of one; None where its kind can't."""
        if not isinstance(session, SessionABC):
            return None
        name = f"{self._chat_id}.{number}"
        try:
            if type(session).with_id is not SessionABC.with_id:
                return await session.branch(count - 1, name) if count else session.with_id(name)
            if type(session).branch is not SessionABC.branch and count:
                return await session.branch(count - 1)  # its store makes ids up
        except UserError as error:
            if "branch" not in str(error):
                raise
        return None

    async def switch(self, number: int) -> None:
        """Go over to a branch.

        Raises:
            UserError: Its session can't be opened any more, or somebody else is changing it.
        """
        if number == self.at:
            return
        await self._refresh()
        there = self._records[number]
        if number not in self._sessions:
            self._sessions[number] = self._open(there.session_id)
        if there.parked is not None:
            await self._let_hold(self._sessions[number], there, there.parked)
        self.at = number

    def _open(self, session_id: str) -> Any:
        for session in self._sessions.values():
            if _id(session) == session_id:
                return session
        try:
            return self.session.with_id(session_id)
        except (UserError, AttributeError):
            raise UserError(
                f"The session {session_id!r} of that branch can't be opened again: "
                f"{type(self.session).__name__} doesn't say how another conversation of its store is opened."
            ) from None

    async def _let_hold(self, session: Any, there: BranchRecord, items: list[dict[str, Any]]) -> None:
        """Let a session that can't branch hold another branch. What it holds is kept first, so that nothing is lost."""
        here = await all_items(session)
        same = [record for record in self._records.values() if record.session_id == there.session_id]
        left = next((record for record in same if record.parked is None), None)  # None: the kernel died in between
        if left is not None:
            await self._keep([BranchRecord(left.number, left.session_id, here)])
        if not await replace_items(session, items, expected=here):
            raise UserError(f"The session {_id(session)!r} was changed by somebody else just now.", hint="Try again.")
        await self._keep([BranchRecord(there.number, there.session_id)])

    async def _refresh(self) -> None:
        """Learn of branches that another kernel has made, and of the id that a platform has given a session."""
        for record in await in_thread(lambda: self._store.branches(self._chat_id)):
            self._records.setdefault(record.number, record)
        here = self._records[self.at]
        if here.session_id != _id(self.session):
            await self._keep([BranchRecord(here.number, _id(self.session), here.parked)])

    async def _keep(self, records: list[BranchRecord]) -> None:
        await in_thread(lambda: self._store.put_branches(self._chat_id, records))
        for record in records:
            self._records[record.number] = record


def _id(session: Any) -> str:  # a Session
    """Return a session's id; "" for a conversation of a platform that hasn't begun."""
    return str(session.session_id)
