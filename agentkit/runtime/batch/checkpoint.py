"""What a batch goes on from, and leaves behind for its next run: the rows that have their answer."""

from __future__ import annotations

from agentkit.runtime.batch.outcome import Outcome
from agentkit.runtime.batch.place import PROCESS
from agentkit.runtime.batch.store import BatchStore, FileStore, MemoryStore, RowKey, Spent, batches_file

__all__ = ["Checkpoint"]

_in_memory = MemoryStore()


class Checkpoint:
    """The finished rows of a batch, where these are kept at all.

    Args:
        batch_id: The batch.
        place: Where it belongs; nothing is kept when None.
        agent: Name of the agent.
        afresh: Whether what earlier runs have left is forgotten first.

    Raises:
        UserError: Rows can't be kept.
    """

    def __init__(self, batch_id: str, place: str | None, *, agent: str, afresh: bool) -> None:
        self._batch_id = batch_id
        self._store: BatchStore | None = None
        self.spent = Spent()
        """What earlier runs have spent."""
        self.finished: dict[RowKey, Outcome] = {}
        """The rows that earlier runs have finished."""
        if place is None:
            return
        store: BatchStore = _in_memory if place == PROCESS else FileStore(batches_file())
        try:
            self.spent = store.begin(batch_id, place=place, agent=agent, afresh=afresh)
            self.finished = store.finished(batch_id)
        except BaseException:
            store.close()
            raise
        self._store = store

    @property
    def is_kept(self) -> bool:
        """Whether finished rows are kept for a later run."""
        return self._store is not None

    def keep(self, key: RowKey, outcome: Outcome) -> None:
        """Keep what came of a row: its answer if it has one, and what it has spent."""
        if self._store is not None:
            self._store.keep(self._batch_id, key, outcome)

    def close(self) -> None:
        """Let go of the file."""
        if self._store is not None:
            self._store.close()
