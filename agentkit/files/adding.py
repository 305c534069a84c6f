"""How files come into a store: what is there already is left, what has changed is replaced, the rest is uploaded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agentkit.exceptions import AgentsException, ModelStatusError, UserError
from agentkit.files.attributes import SOURCE_KEY, Attributes
from agentkit.files.details import BatchDetails
from agentkit.files.documents import Content, Document
from agentkit.files.doubles import age, doubled, undecided
from agentkit.files.downloads import Downloads
from agentkit.files.errors import platform_errors, reason_of
from agentkit.files.indexing import MOST_IN_A_BATCH, Attached, Indexing
from agentkit.files.listing import StoreFile, bounded, newer_files, store_files
from agentkit.files.progress import Outcome
from agentkit.files.tally import Tally
from agentkit.files.uploading import Uploader

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["Adding"]

_GATHERED_S: Final = 0.5
"""How long files are gathered for a batch, so that indexing begins while others are still uploaded."""
_LAST_WORDS_S: Final = 0.8
_FAILURES_IN_A_ROW: Final = 5
"""After so many failures of the platform, with no success between, it is given up."""
_READY: Final = ("completed", "in_progress")
_RESUMED: Final = ""
"""Stands for the batches of earlier calls, whose ids nobody knows any more."""


@dataclass(slots=True)
class _Sent:
    """An uploaded file on its way into the store."""

    document: Document
    content: Content
    attached: Attached
    replaces: list[StoreFile] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """What becomes of it once it is ready."""
        return "replaced" if self.replaces else "uploaded"


@dataclass(frozen=True, slots=True)
class _Resumed:
    """A file that an earlier call has put into the store, and that is still being indexed."""

    document: Document
    content: Content
    file: StoreFile
    others: list[StoreFile]
    """Those of its name that go once it is ready."""
    outcome: Outcome
    """What becomes of it then."""


class Adding:
    """Puts documents into a store.

    Args:
        client: The platform.
        store_id: The store.
        tally: What is told of each file.
        downloads: Fetches files from the web.
        uploader: Sends files.
        chunking: How files are cut, as the API takes it; None leaves that to the platform, and files as they are cut.
        concurrency: Files that are read and sent at the same time.
        patience_s: Seconds in which something has to become ready; None not to wait.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        store_id: str,
        tally: Tally,
        *,
        downloads: Downloads,
        uploader: Uploader,
        chunking: Mapping[str, Any] | None,
        concurrency: int,
        patience_s: float | None,
    ) -> None:
        self._client = client
        self._store_id = store_id
        self._tally = tally
        self._downloads = downloads
        self._uploader = uploader
        self._chunking = chunking
        self._concurrency = concurrency
        self._waits = patience_s is not None
        self._indexing = Indexing(
            client, store_id, chunking=chunking, patience_s=patience_s or 0, settled=self._settled,
            counted=tally.indexed,
        )  # fmt: skip
        self._known: dict[str, list[StoreFile]] = {}
        self._seen: set[str] = set()
        self._sent: dict[str, _Sent] = {}
        self._added: dict[str, _Sent] = {}
        self._waiting: list[_Sent] = []
        self._earlier: dict[str, _Resumed] = {}
        self._left_over: list[str] = []
        self._watches: list[asyncio.Task[None]] = []
        self._failures = 0
        self._order: dict[str, int] = {}
        self._attaching = asyncio.Lock()

    async def run(self, documents: Sequence[Document], *, gone: Callable[[str], bool] | None = None) -> None:
        """Put them in; what became of each, the tally is told.

        Args:
            documents: The files.
            gone: Says of the name of a file that isn't among them whether it is to be removed from the store.

        Raises:
            AgentsException: The platform can't be used.
        """
        self._tally.begin(len(documents))
        self._order = {document.name: place for place, document in enumerate(documents)}
        there = await store_files(self._client, self._store_id, store=self._tally.now.store)
        self._seen.update(file.id for file in there)
        for file in sorted(there, key=age):
            self._known.setdefault(file.name if file.source else f"\0{file.id}", []).append(file)
        self._tally.stage("uploading")
        attaching = asyncio.ensure_future(self._attach_all())
        try:
            await bounded(self._take, documents, self._concurrency)
            self._tally.stage("indexing")
            attaching.cancel()
            await asyncio.gather(attaching, return_exceptions=True)
            await self._attach()
            await self._wait()
            await self._tidy()
            await self._remove_doubles()
            if gone is not None:
                await self._remove({document.name for document in documents}, gone)
        except BaseException:
            attaching.cancel()
            await self._save()
            self._tally.stage("stopped")
            raise
        finally:
            for watch in self._watches:
                watch.cancel()
            await asyncio.gather(attaching, *self._watches, return_exceptions=True)
        self._tally.stage("done")

    async def _take(self, document: Document) -> None:
        """Do with one document what has to be done up to its upload."""
        name = document.name
        if document.refused:
            self._tally.finish(name, "skipped", document.refused)
            return
        if document.broken:
            self._tally.finish(name, "failed", document.broken)
            return
        try:
            content = await document.read(self._downloads)
            earlier = self._known.get(name, [])
            same = next((file for file in reversed(earlier) if self._is_same(file, content)), None)
            if same is not None:
                await self._keep(document, content, same, [file for file in earlier if file is not same])
            elif document.weak and any(_has_another_text(file, content) for file in earlier):
                self._tally.finish(name, "failed", document.weak, size_bytes=content.size_bytes)
            else:
                await self._upload(document, content, earlier)
        except UserError as error:
            self._tally.finish(name, "failed", reason_of(error))
        except OSError as error:
            self._tally.finish(name, "failed", f"can't be read: {error.strerror or reason_of(error)}")
        except AgentsException as error:
            self._failures += 1
            if _is_final(error) or self._failures >= _FAILURES_IN_A_ROW:
                raise
            self._tally.finish(name, "failed", reason_of(error))
        else:
            self._failures = 0

    def _is_same(self, file: StoreFile, content: Content) -> bool:
        if file.source is None or file.source.sha256 != content.sha256 or file.status not in _READY:
            return False
        static = (self._chunking or {}).get("static", {})
        wanted = (static.get("max_chunk_size_tokens"), static.get("chunk_overlap_tokens"))
        return not static or wanted == (file.chunk_tokens, file.overlap_tokens)

    async def _keep(self, document: Document, content: Content, file: StoreFile, others: list[StoreFile]) -> None:
        """Leave a file that is there; change its attributes where others are wanted."""
        outcome: Outcome = "unchanged"
        wanted = document.attributes
        if isinstance(wanted, Mapping) and dict(wanted) != file.attributes:
            with platform_errors(self._client, f"Setting the attributes of {document.name!r}"):
                await self._client.vector_stores.files.update(
                    file.id, vector_store_id=self._store_id, attributes=self._attributes(document, content, [])
                )
            outcome = "updated"
        if file.status == "in_progress":
            self._earlier[file.id] = _Resumed(document, content, file, others, outcome)
            self._tally.resumed(document.name)
            return
        self._tally.finish(document.name, outcome, size_bytes=content.size_bytes, file_id=file.id)
        self._left_over += [other.id for other in others]

    async def _upload(self, document: Document, content: Content, earlier: list[StoreFile]) -> None:
        self._tally.sending(document.name)
        file_id = await self._uploader.send(content, self._tally.sent)
        attached = Attached(file_id, self._attributes(document, content, earlier))
        sent = self._sent[file_id] = _Sent(document, content, attached, earlier)
        self._added[document.name] = sent
        self._waiting.append(sent)
        self._tally.uploaded(document.name)

    def _attributes(self, document: Document, content: Content, earlier: Sequence[StoreFile]) -> Attributes:
        """Return a file's attributes: those wanted, or else those that it had before it changed."""
        own = document.attributes
        kept = dict(own) if isinstance(own, Mapping) else dict(earlier[-1].attributes) if earlier else {}
        return kept | {SOURCE_KEY: document.source(content).line()}

    async def _attach_all(self) -> None:
        """Give the store what has been uploaded, again and again, until cancelled."""
        while True:
            await asyncio.sleep(_GATHERED_S)
            await asyncio.shield(_noticed(self._attach()))

    async def _attach(self) -> None:
        async with self._attaching:
            while self._waiting:
                self._waiting.sort(key=lambda each: self._order[each.document.name])  # the same in every run
                sent, self._waiting = self._waiting[:MOST_IN_A_BATCH], self._waiting[MOST_IN_A_BATCH:]
                try:
                    sent = await self._without_those_that_came(sent)
                    batches = await self._indexing.attach([each.attached for each in sent]) if sent else []
                except BaseException:
                    self._waiting = [each for each in sent if each.attached.file_id in self._sent] + self._waiting
                    raise
                for batch_id, ids in batches:
                    self._seen.update(ids)
                    self._tally.given(len(ids))
                    if self._waits:
                        self._watches.append(asyncio.ensure_future(self._indexing.watch(batch_id, ids)))

    async def _without_those_that_came(self, sent: list[_Sent]) -> list[_Sent]:
        """Leave out what has come into the store since this call looked: by another, or by a request of its own."""
        came = await newer_files(self._client, self._store_id, self._seen)
        self._seen.update(file.id for file in came)
        by_name = {file.name: file for file in came}
        wanted = []
        for each in sent:
            there = by_name.get(each.document.name)
            if there is None or not self._is_same(there, each.content):
                wanted.append(each)
                continue
            file_id = each.attached.file_id
            del self._sent[file_id]
            if there.id == file_id:  # this call's own: the answer to its request was lost
                self._earlier[file_id] = _Resumed(each.document, each.content, there, each.replaces, each.outcome)
                self._tally.resumed(each.document.name)
                continue
            del self._added[each.document.name]
            self._left_over.append(file_id)
            await self._keep(each.document, each.content, there, each.replaces)
        return wanted

    def _settled(self, file_id: str, file: StoreFile | None, why: str) -> None:
        """Note that a file is ready or failed."""
        sent = self._sent.pop(file_id, None)
        if sent is None:
            return
        size, name = sent.content.size_bytes, sent.document.name
        if not why:
            self._left_over += [old.id for old in sent.replaces]
            self._tally.finish(name, sent.outcome, size_bytes=size, file_id=file_id)
            return
        working = [old for old in sent.replaces if old.status in _READY]
        if working or file is None:  # what was there stays in its place, or it never came in
            self._left_over.append(file_id)
        self._left_over += [old.id for old in sent.replaces if old not in working]
        kept = " The store keeps the earlier one." if working else ""
        self._tally.finish(name, "failed", why + kept, size_bytes=size, file_id=None if file is None else file_id)

    async def _wait(self) -> None:
        """Wait for what is being indexed, and say of the rest that it still is."""
        if self._waits and self._earlier:
            self._watches.append(asyncio.ensure_future(self._wait_for_earlier()))
        await asyncio.gather(*self._watches)
        why = "still being indexed; store.wait() waits for it" if self._waits else "being indexed"
        left: list[tuple[str, _Sent | _Resumed]] = [*self._sent.items(), *self._earlier.items()]
        for file_id, each in left:
            self._tally.finish(
                each.document.name, "indexing", why, size_bytes=each.content.size_bytes, file_id=file_id
            )  # fmt: skip

    async def _wait_for_earlier(self) -> None:
        """Wait for what an earlier call has uploaded, and was being indexed when this one began."""
        total = len(self._earlier)
        ready = await self._indexing.wait_for_store(
            lambda left: self._tally.indexed(_RESUMED, total - min(left, total), BatchDetails())
        )
        failed = {file.id: file for file in await store_files(self._client, self._store_id, status="failed")}
        waiting = [] if ready else await store_files(self._client, self._store_id, status="in_progress")
        still = {file.id for file in waiting}
        for file_id, each in list(self._earlier.items()):
            if file_id in still:
                continue
            del self._earlier[file_id]
            name, size = each.document.name, each.content.size_bytes
            if file_id in failed:
                why = failed[file_id].error or "The platform says 'failed'."
                self._tally.finish(name, "failed", why, size_bytes=size, file_id=file_id)
            else:
                self._left_over += [other.id for other in each.others]
                self._tally.finish(name, each.outcome, size_bytes=size, file_id=file_id)
        self._tally.indexed(_RESUMED, total - len(self._earlier), BatchDetails())

    async def _tidy(self) -> None:
        """Take out what has been replaced."""
        left, self._left_over = self._left_over, []
        await bounded(lambda each: self._indexing.take_out(each, delete=True), left, self._concurrency)

    async def _remove_doubles(self) -> None:
        """Take out what another call has put in at the same time, or what this one has: both choose the same."""
        if not self._added or not self._waits:
            return
        files = await store_files(self._client, self._store_id)
        given_up = self._sent.keys() | self._earlier.keys()
        if coming := [each for each in undecided(files, self._added) if each not in given_up]:
            # another call's: only when they are there both can choose
            await self._indexing.wait_for(coming)
            files = await store_files(self._client, self._store_id)
        found = doubled(files, self._added)
        left_over = [other for _, others in found for other in others]
        await bounded(lambda file: self._indexing.take_out(file.id, delete=True), left_over, self._concurrency)
        gone = {file.id for file in left_over}
        there = {file.source.name: file for file in files if file.source is not None and file.id not in gone}
        for name, sent in self._added.items():
            told, kept = self._tally.outcomes.get(name), there.get(name)
            if told is None or told.outcome == "failed" or kept is None or kept.id == told.file_id:
                continue
            if kept.status == "completed":  # the other call's, which took the place of this one's
                self._tally.finish(name, sent.outcome, size_bytes=sent.content.size_bytes, file_id=kept.id)

    async def _remove(self, names: set[str], gone: Callable[[str], bool]) -> None:
        """Take out what is gone."""
        files = [
            (name, file) for name, each in self._known.items() if name not in names and gone(name) for file in each
        ]
        if files:
            self._tally.stage("removing")

        async def remove(each: tuple[str, StoreFile]) -> None:
            await self._indexing.take_out(each[1].id, delete=True)
            self._tally.finish(each[0], "removed", file_id=each[1].id)

        await bounded(remove, files, self._concurrency)

    async def _save(self) -> None:
        """Give the store what was uploaded when all was stopped: else it would be uploaded again."""
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(_noticed(self._attach())), _LAST_WORDS_S)
            await asyncio.wait_for(asyncio.shield(_noticed(self._tidy())), _LAST_WORDS_S)


def _has_another_text(file: StoreFile, content: Content) -> bool:
    return file.status in _READY and (file.source is None or file.source.sha256 != content.sha256)


def _is_final(error: AgentsException) -> bool:
    """Return whether the platform will take no other file either: the key is wrong, or the money spent."""
    return isinstance(error, ModelStatusError) and (
        error.status_code in (401, 403) or getattr(error, "code", None) == "insufficient_quota"
    )


def _noticed(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Return a task whose error asyncio need not complain of should nobody wait for it any more."""
    task = asyncio.ensure_future(coroutine)
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    return task
