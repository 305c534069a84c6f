"""How far it has come with files that are put into a store, told to whoever shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from agentkit._terminal_line import BarLine

__all__ = ["FileOutcome", "Listener", "Outcome", "Shown", "StoreProgress", "TerminalLine", "listener_for", "watch_with"]

Outcome = Literal["uploaded", "replaced", "updated", "unchanged", "removed", "indexing", "skipped", "failed"]
"""What became of a file: `updated` is one whose attributes alone were changed; `indexing` one that the platform has and
has not made ready yet; `skipped` one of a folder that is no document, or a link or folder in it that can't be
followed; `removed` one that was gone, at a `sync`."""

Stage = Literal["looking", "uploading", "indexing", "removing", "done", "stopped"]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file."""

    name: str
    """By what it is known: its path, address or name."""
    outcome: Outcome
    """What became of it."""
    reason: str = ""
    """Why it failed, was skipped, or is not ready; "" else."""
    size_bytes: int | None = None
    """Its length, where it was read."""
    file_id: str | None = None
    """Its id on the platform, where it has one."""


@dataclass(frozen=True, slots=True)
class StoreProgress:
    """How far it has come."""

    store: str
    """Name of the store."""
    stage: Stage
    """What is being done: `looking` at what the store has, `uploading` (while what is up is indexed already),
    `indexing`, which is parsing, cutting and embedding on the platform, `removing`; at last `done` or `stopped`."""
    total: int
    """Files that were named."""
    finished: int = 0
    """Files whose outcome is known."""
    uploaded: int = 0
    """Files that have been sent."""
    to_index: int = 0
    """Files that the platform was given to index, so far."""
    indexed: int = 0
    """How many of these are ready, or failed."""
    failed: int = 0
    """Files that failed."""
    removed: int = 0
    """Files that were gone, and are no longer in the store."""
    in_store: int = 0
    """Files that are in the store so far, those among them that are still being indexed."""
    bytes_sent: int = 0
    """Bytes sent."""
    file: str = ""
    """The file that the event is about; "" for none."""
    outcome: FileOutcome | None = None
    """What became of it, once that is known."""
    parsing: int | None = None
    """How many of those to index are still to be parsed and cut; None where the platform doesn't tell, as OpenAI."""
    passages: int | None = None
    """Passages of those that have been, likewise."""
    passages_ready: int | None = None
    """How many of these have vectors, or need none."""

    @property
    def share(self) -> float:
        """How much is done, 0 to 1: half of a file when it is sent, the rest as its passages become ready."""
        ready: float = self.indexed
        if self.passages:
            parsed = self.to_index - (self.parsing or 0)
            ready = max(ready, parsed * (self.passages_ready or 0) / self.passages)
        over = max(ready, self.finished)
        return min(1.0, (2 * over + max(0, self.uploaded - over)) / (2 * max(self.total, 1)))

    @property
    def text(self) -> str:
        """Where it stands, in a line: "12 of 40 · parsing 2 · indexing 5 of 9, 70 of 250 passages · 1 failed"."""
        parts = [f"{max(self.finished, self.indexed):,} of {self.total:,}"]
        if self.stage == "looking":
            parts.append("looking at what is there")
        elif self.indexed < self.to_index:
            if self.parsing:
                parts.append(f"parsing {self.parsing:,}")
            passages = f", {self.passages_ready:,} of {self.passages:,} passages" if self.passages else ""
            parts.append(f"indexing {self.indexed:,} of {self.to_index:,}{passages}")
        elif self.stage in ("uploading", "removing", "stopped"):
            parts.append(self.stage)
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.removed:
            parts.append(f"{self.removed:,} removed")
        return " · ".join(parts)

    @property
    def stopped_text(self) -> str:
        """What is in the store where it was stopped here: also what the platform was given, and is indexing."""
        there = f"{self.in_store:,} of {self.total:,} files are in {self.store!r}"
        if indexing := self.to_index - self.indexed:
            there += f", {indexing:,} of them still being indexed: store.wait() waits for these"
        return f"{there}; the same call goes on."


Listener = Callable[[StoreProgress], object]
"""Is told of each step. For sync calls it is called in the thread that made the call."""

_watcher: Callable[[str], Listener | None] | None = None


def watch_with(watcher: Callable[[str], Listener | None] | None) -> None:
    """Let `watcher` give the listener of calls that name none: a notebook shows a bar so.

    Args:
        watcher: Called with the store's name when something is put into it; None goes back to a line in a terminal.
    """
    global _watcher
    _watcher = watcher


def listener_for(store: str) -> Listener | None:
    """Return who is told of what happens, where the caller names nobody."""
    if _watcher is not None:
        return _watcher(store)
    if sys.stderr is not None and sys.stderr.isatty():
        return TerminalLine(sys.stderr)
    return None


class Shown(Protocol):
    """An event of something that takes time."""

    @property
    def stage(self) -> str:
        """What is being done; "done" or "stopped" at the end."""
        ...

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        ...

    @property
    def text(self) -> str:
        """Where it stands, in a line."""
        ...


class TerminalLine(BarLine):
    """Writes the progress over and over in one line of a terminal, at most four times a second."""

    def __call__(self, event: Shown) -> None:
        """Write it, unless it was written just now; take the line away at the end."""
        if event.stage in ("done", "stopped"):
            self.clear()
        else:
            self.draw(event.share, 1, event.text)
