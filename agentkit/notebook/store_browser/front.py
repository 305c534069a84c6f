"""The store browser's side of its widget: what the front end is sent, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.files import contents
from agentkit.notebook.display.text import clean
from agentkit.notebook.store_browser.kept import kept_store
from agentkit.notebook.store_browser.rows import (
    Job,
    Put,
    count_text,
    file_rows,
    found_rows,
    is_under_way,
    job_row,
    ranking_line,
)
from agentkit.notebook.widgets.browsing_front import BrowsingFront
from agentkit.sessions.finishing import in_thread

if TYPE_CHECKING:
    from agentkit.files.listing import StoreFile
    from agentkit.files.progress import StoreProgress
    from agentkit.files.search import SearchResult
    from agentkit.files.store import VectorStore
    from agentkit.notebook.display.live import Channel
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["MOST_BYTES", "StoreFront"]

MOST_BYTES = 64_000_000
"""Most bytes of a file that comes through the notebook's connection."""

_MOST_WAITING_BYTES = 512_000_000
_MOST_JOBS = 200
_POLL_S = 1.0
_LIMIT = 10
_SAME_NAME = "Another file of this name is on its way. Rename one of the two: this one would take the other's place."


class StoreFront(BrowsingFront):
    """Sends what is in a store to the widget, and does what the reader wants.

    While files are being indexed and the widget can be seen, their status is looked at each second.

    Args:
        channel: Where messages go.
        loop: agentkit's loop.
        store: The store.
        files: What is in it.
        kept: What the notebook keeps as it is shown first; None where that isn't known.
        on_kept: Called with what the notebook is to keep, in any thread.
        poll_s: How often files that are being indexed are looked at.
    """

    def __init__(
        self,
        channel: Channel,
        loop: asyncio.AbstractEventLoop,
        store: VectorStore,
        files: Sequence[StoreFile],
        *,
        kept: Bundle | None = None,
        on_kept: Callable[[Bundle], None] = lambda bundle: None,
        poll_s: float = _POLL_S,
    ) -> None:
        super().__init__(channel, loop, kept=kept, on_kept=on_kept)
        self._store = store
        self._files = list(files)
        self._found: SearchResult | None = None
        self._poll_s = poll_s
        self._asked = 0
        self._jobs: dict[str, Job] = {}
        self._put = Put()
        self._parts: dict[str, list[bytes]] = {}
        self._queue: list[tuple[Job, bytes]] = []
        self._adding: asyncio.Task[None] | None = None

    @property
    def files(self) -> Sequence[StoreFile]:
        """The store's files, as they were last seen."""
        return self._files

    @property
    def found(self) -> SearchResult | None:
        """What was last searched for; None for nothing."""
        return self._found

    def _outlasts(self, task: asyncio.Task[None]) -> bool:
        return task is self._adding  # files on their way are put in all the same

    # -- from the front end -------------------------------------------------------------------------------------------

    def _take(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        said = message.get
        match said("kind"):
            case "ready":
                self._send_all()
            case "refresh":
                self._start(self._look)
            case "search":
                self._start(self._search, str(said("text", "")))
            case "delete":
                self._start(self._delete, str(said("file", "")))
            case "upload":
                self._take_part(message, buffers)
            case "dismiss":
                self._jobs.pop(str(said("key", "")), None)
                self._send_jobs()

    def _is_to_follow(self) -> bool:
        return is_under_way(self._files)

    # -- files that come ----------------------------------------------------------------------------------------------

    def _take_part(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        """Take a part of a file; the last puts it in the queue.

        Raises:
            UserError: There are too many on their way.
        """
        key, name = str(message.get("key", "")), str(message.get("name") or "unnamed")
        if key not in self._jobs:
            if len(self._jobs) >= _MOST_JOBS:
                raise UserError(f"{name}: {_MOST_JOBS} files are on their way already.", hint="Wait, or use store.add.")
            is_another = any(job.name == name and job.state != "failed" for job in self._jobs.values())
            self._jobs[key] = Job(key, name)
            if is_another:
                self._jobs[key].state, self._jobs[key].reason = "failed", _SAME_NAME
                self._send_jobs()
                return
            self._parts[key] = []
        job = self._jobs[key]
        if key not in self._parts:  # refused already
            return
        self._parts[key] += buffers
        job.size_bytes += sum(map(len, buffers))
        if job.size_bytes > MOST_BYTES or self._waiting_bytes > _MOST_WAITING_BYTES:
            del self._parts[key]
            most = f"{MOST_BYTES // 1_000_000} MB of a file come through the notebook's connection"
            job.state, job.reason = "failed", f"At most {most}: put it in by store.add({name!r})."
        elif message.get("last"):
            job.state = "waiting"
            self._queue.append((job, b"".join(self._parts.pop(key))))
            if self._adding is None or self._adding.done():
                self._adding = self._start(self._add)
        else:
            return  # the front end knows how far it is
        self._send_jobs()

    @property
    def _waiting_bytes(self) -> int:
        coming = (part for parts in self._parts.values() for part in parts)
        return sum(len(data) for _, data in self._queue) + sum(map(len, coming))

    async def _add(self) -> None:
        """Put what is in the queue into the store, until there is nothing more."""
        self._put = Put()
        self._send_put()
        while self._queue:
            batch, self._queue = self._queue, []
            try:
                await self._put_in(batch)
            except Exception as error:  # the platform's, or of files: told beside each
                for job, _ in batch:
                    if job.key in self._jobs and job.state != "failed":
                        job.state, job.reason = "failed", str(error) or type(error).__name__
                if not isinstance(error, UserError):
                    self._tell_error(error)
            for job, _ in batch:
                if job.state != "failed":
                    self._jobs.pop(job.key, None)
            self._send_jobs()
            await self._look()
            listed = {file.name.removeprefix("bytes:") for file in self._files if file.status == "failed"}
            told = [job.key for job in self._jobs.values() if job.state == "failed" and job.name in listed]
            for key in told:  # the list says so from here on
                del self._jobs[key]
            if told:
                self._send_jobs()

    async def _put_in(self, batch: Sequence[tuple[Job, bytes]]) -> None:
        named = {f"bytes:{job.name}": job for job, _ in batch}

        def told(event: StoreProgress) -> None:
            self._loop.call_soon_threadsafe(self._progress, event, named)

        sources = [(job.name, data) for job, data in batch]
        await in_thread(lambda: self._store.add(*sources, on_progress=told))

    def _progress(self, event: StoreProgress, named: dict[str, Job]) -> None:
        job = named.get(event.file) if event.file else None
        if job is None or job.key not in self._jobs:
            return
        outcome = event.outcome
        if outcome is None:
            job.state = "indexing" if job.state == "uploading" else "uploading"
        elif outcome.outcome in ("failed", "skipped"):
            job.state, job.reason = "failed", outcome.reason or "It was not taken."
        else:
            self._jobs.pop(job.key, None)
            self._put.note(job.name, outcome.outcome)
            self._send_put()
        self._send_jobs()

    # -- what the reader wants ----------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Look at the store anew, and send what is in it."""
        await self._store.arefresh()
        self._files = await contents.all_files(self._store.client, self._store.id)
        self._send_files()
        self._keep()
        self._follow_soon()

    async def _follow(self) -> None:
        while is_under_way(self._files) and self.is_visible:
            await asyncio.sleep(self._poll_s)
            await self._look()

    async def _search(self, text: str) -> None:
        self._asked += 1
        asked = self._asked
        if not text.strip():
            self._found = None
            self._send({"found": None})
            self._keep()
            return
        try:
            found = await self._store.asearch(text, limit=_LIMIT)
        except Exception:
            self._send({"found": None})
            raise
        if asked == self._asked:
            self._found = found
            self._send({"found": self._found_shown()})
            self._keep()

    async def _delete(self, file_id: str) -> None:
        name = next((file.name.removeprefix("bytes:") for file in self._files if file.id == file_id), file_id)
        await in_thread(lambda: self._store.remove(file_id))
        if self._found is not None and any(hit.file_id == file_id for hit in self._found):
            self._found = None
            self._send({"found": None})
        await self._look()
        self._send({"deleted": clean(name)})

    # -- to the front end ---------------------------------------------------------------------------------------------

    def _send_all(self) -> None:
        whole = {
            "name": clean(self._store.name),
            "ranking": ranking_line(self._store),
            "most_bytes": MOST_BYTES,
            "jobs": [job_row(job) for job in self._jobs.values()],
            "put": self._put.text,
            "found": self._found_shown(),
            **self._files_shown(),
        }
        self._send_whole(whole)

    def _found_shown(self) -> dict[str, Any] | None:
        found = self._found
        return None if found is None else {"query": clean(found.query), "rows": found_rows(found)}

    def _files_shown(self) -> dict[str, Any]:
        rows, hidden = file_rows(self._files)
        return {"files": rows, "count": count_text(self._files), "hidden": hidden}

    def _send_files(self) -> None:
        self._send({"listed": {**self._files_shown(), "ranking": ranking_line(self._store)}})

    def _send_jobs(self) -> None:
        self._send({"jobs": [job_row(job) for job in self._jobs.values() if job.state != "receiving"]})

    def _send_put(self) -> None:
        self._send({"put": self._put.text})

    def _keep(self) -> None:
        self._keep_as(kept_store(self._store, self._files, self._found))
