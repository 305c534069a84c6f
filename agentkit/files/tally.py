"""What has become of the files so far, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from agentkit.files.details import BatchDetails
from agentkit.files.progress import FileOutcome, Outcome, Stage, StoreProgress

__all__ = ["Tally"]


class Tally:
    """Counts, and tells a listener.

    Args:
        store: Name of the store.
        tell: Who is told; None for nobody.
    """

    def __init__(self, store: str, tell: Callable[[StoreProgress], object] | None) -> None:
        self._tell = tell
        self._now = StoreProgress(store, "looking", 0)
        self._batches: dict[str, tuple[int, BatchDetails]] = {}
        self._resumed: set[str] = set()
        self.outcomes: dict[str, FileOutcome] = {}
        """What became of each file, by its name, in the order in which that was known."""

    @property
    def now(self) -> StoreProgress:
        """Where it stands."""
        return self._now

    def begin(self, total: int) -> None:
        """Say how many files there are."""
        self._say(total=total)

    def stage(self, stage: Stage) -> None:
        """Say what is being done."""
        self._say(stage=stage)

    def sending(self, name: str) -> None:
        """Say that a file is on its way."""
        self._say(file=name)

    def sent(self, more_bytes: int) -> None:
        """Say that bytes have arrived."""
        self._say(bytes_sent=self._now.bytes_sent + more_bytes)

    def uploaded(self, name: str) -> None:
        """Say that a file has arrived."""
        self._say(uploaded=self._now.uploaded + 1, file=name)

    def given(self, count: int) -> None:
        """Say that the platform was given files to index."""
        self._say(to_index=self._now.to_index + count, in_store=self._now.in_store + count)

    def resumed(self, name: str) -> None:
        """Say that a file is in the store already, and still being indexed."""
        self._resumed.add(name)
        self._say(to_index=self._now.to_index + 1, in_store=self._now.in_store + 1, file=name)

    def indexed(self, batch_id: str, count: int, details: BatchDetails) -> None:
        """Say how many files of a batch are ready or failed, and how far the others are."""
        before, _ = state = self._batches.get(batch_id, (0, BatchDetails()))
        if (now := (max(before, count), details)) == state:
            return
        self._batches[batch_id] = now
        told = [each for _, each in self._batches.values()]
        self._say(
            indexed=sum(over for over, _ in self._batches.values()),
            parsing=_sum(each.parsing for each in told),
            passages=_sum(each.passages for each in told),
            passages_ready=_sum(each.ready for each in told),
        )

    def finish(
        self,
        name: str,
        outcome: Outcome,
        reason: str = "",
        *,
        size_bytes: int | None = None,
        file_id: str | None = None,
    ) -> None:
        """Say what became of a file."""
        told = FileOutcome(name, outcome, reason, size_bytes, file_id)
        was = self.outcomes.get(name)
        self.outcomes[name] = told
        removed = outcome == "removed"
        kept = was is None and outcome in ("unchanged", "updated") and name not in self._resumed
        lost = outcome == "failed" and file_id is not None  # it came in, and is of no use there
        now = self._now
        self._now = replace(
            now,
            removed=now.removed + removed,
            in_store=now.in_store + kept - lost,
            finished=now.finished + (was is None and not removed),
            failed=now.failed + (outcome == "failed") - (was is not None and was.outcome == "failed"),
            file=name,
            outcome=told,
        )
        self._emit()

    def _say(self, **changes: object) -> None:
        self._now = replace(self._now, **({"file": "", "outcome": None} | changes))  # type: ignore[arg-type]
        self._emit()

    def _emit(self) -> None:
        if self._tell is not None:
            self._tell(self._now)


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Return the sum of those that are known; None where none is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
