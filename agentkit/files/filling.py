"""The part of a store that puts files in and takes them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.files import contents
from agentkit.files.adding import Adding
from agentkit.files.attributes import checked_attributes
from agentkit.files.base import StoreBase
from agentkit.files.checks import check_listener, check_switch
from agentkit.files.documents import Document
from agentkit.files.downloads import Downloads
from agentkit.files.indexing import Indexing, chunking_json
from agentkit.files.listing import bounded
from agentkit.files.naming import Scope
from agentkit.files.progress import FileOutcome, Listener, StoreProgress, listener_for
from agentkit.files.relay import run_told
from agentkit.files.rows import Columns
from agentkit.files.sources import checked_base, documents_of, scope_of
from agentkit.files.tally import Tally
from agentkit.files.uploading import Uploader, patient
from agentkit.runtime.background import run_blocking

if TYPE_CHECKING:
    from agentkit.files.report import AddReport

__all__ = ["AttributesGiven", "FilledStore"]

AttributesGiven = Mapping[str, Any] | Sequence[str] | Callable[[Any], Mapping[str, Any] | None]
"""Attributes for all files, names of a dataframe's columns, or a function that makes them of a path, address or row."""

_DOWNLOAD_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class _Options:
    """How files are put in, checked."""

    chunking: dict[str, Any] | None
    patience_s: float | None
    concurrency: int
    allow_private: bool


class FilledStore(StoreBase):
    """A store that files are put into."""

    @called_as("store.add")
    def add(
        self,
        *sources: Any,
        attributes: AttributesGiven | None = None,
        name: str | None = None,
        text: str | None = None,
        title: str | None = None,
        base: str | Path | None = None,
        chunk_tokens: int | None = None,
        overlap_tokens: int | None = None,
        wait: bool = True,
        timeout_s: float = 600,
        concurrency: int = 8,
        allow_private: bool = False,
        on_progress: Listener | None = None,
    ) -> AddReport:
        """Put files into the store, wait until they can be found, and return what became of each.

        A file is known again by its name: the path as it is told from `base`, outside of that as it was typed, or an
        address. One that is there and has
        the same bytes is left alone; one that has changed takes the place of the earlier one once it is ready. So a
        call that was stopped, or in which files failed, can be made again, and goes on. A file that fails doesn't stop
        the others: the report says why it failed.

        Args:
            sources: Paths, folders (with all within them; hidden files, what is no text or document, and links to
                folders or out of the folder left out), patterns such as "docs/**/*.pdf", addresses of files on the web,
                `(name, bytes)` pairs, bytes with a `name`, open files, dataframes (a row a document); lists of these.
            attributes: What is known of the files, to filter searches by: a dictionary for all; a function that is
                given the path, address, name or row and returns one; for dataframes, names of columns. At most 15
                keys, with texts of at most 512 characters, numbers or booleans; dates become seconds since 1970, and
                what is None or NaN is left out. When None, files that are there keep theirs.
            name: What bytes or an open file are called; an open file that has a path is known by that when None.
            text: The dataframe's column with the texts; "text", "content", "body" or "document" when None.
            title: The dataframe's column with what each document is called; its index when None. Where that has no name
                and is of whole numbers, a row takes the place of no other text, but fails.
            base: The folder that names are told from; the working folder when None.
            chunk_tokens: Most tokens of a passage, 100 to 4,096; the platform's own (800) when None.
            overlap_tokens: Tokens that passages share, at most half of that.
            wait: Whether to wait until the files can be found. Else their outcome is "indexing", and what they replace
                stays until the next call.
            timeout_s: Seconds within which another file has to become ready; then the waiting ends, and the outcome of
                the rest is "indexing". The platform goes on with them.
            concurrency: Files that are read and sent at the same time.
            allow_private: Whether files may be fetched from addresses within a private network or of this machine.
            on_progress: Called with a `StoreProgress` at each step, in the thread of the call. When None, a notebook
                shows a bar, and a terminal a line.

        Raises:
            UserError: A source isn't there, or an argument can't be used; nothing was changed.
            AgentsException: The platform can't be used: no connection, a wrong key.
            KeyboardInterrupt: It was stopped. The same call goes on.
        """
        check_listener(on_progress)
        options = _options(chunk_tokens, overlap_tokens, wait, timeout_s, concurrency, allow_private)
        documents = self._documents(sources, attributes, base, name=name, columns=Columns(text, title))
        return self._fill(documents, options, None, on_progress)

    @called_as("store.aadd")
    async def aadd(
        self,
        *sources: Any,
        attributes: AttributesGiven | None = None,
        name: str | None = None,
        text: str | None = None,
        title: str | None = None,
        base: str | Path | None = None,
        chunk_tokens: int | None = None,
        overlap_tokens: int | None = None,
        wait: bool = True,
        timeout_s: float = 600,
        concurrency: int = 8,
        allow_private: bool = False,
        on_progress: Listener | None = None,
    ) -> AddReport:
        """Put files into the store, for async code: as `add`, in the caller's event loop.

        `on_progress` is called there, too. Cancelling stops it; the same call goes on.
        """
        check_listener(on_progress)
        options = _options(chunk_tokens, overlap_tokens, wait, timeout_s, concurrency, allow_private)
        documents = self._documents(sources, attributes, base, name=name, columns=Columns(text, title))
        tally = Tally(self.name, on_progress)
        await self._filled(documents, options, None, tally)
        return _report(self.name, tally, documents)

    @called_as("store.sync")
    def sync(
        self,
        *sources: Any,
        attributes: AttributesGiven | None = None,
        base: str | Path | None = None,
        chunk_tokens: int | None = None,
        overlap_tokens: int | None = None,
        allow_empty: bool = False,
        wait: bool = True,
        timeout_s: float = 600,
        concurrency: int = 8,
        on_progress: Listener | None = None,
    ) -> AddReport:
        """Make the store have what folders have: as `add`, and files that are gone from them are removed.

        Only files are removed that agentkit has added from these folders, or by these patterns; all else that is in the
        store stays.

        Args:
            sources: Folders, or patterns such as "docs/**/*.md".
            attributes: As for `add`.
            base: As for `add`.
            chunk_tokens: As for `add`.
            overlap_tokens: As for `add`.
            allow_empty: Whether a folder that has no file may empty the store of all that came from it.
            wait: As for `add`.
            timeout_s: As for `add`.
            concurrency: As for `add`.
            on_progress: As for `add`.

        Raises:
            UserError: A folder isn't there or has no files, or an argument can't be used; nothing was changed.
            AgentsException: The platform can't be used.
            KeyboardInterrupt: It was stopped. The same call goes on.
        """
        if not sources:
            raise UserError("There is nothing to sync with.", hint='Name a folder: store.sync("docs").')
        check_listener(on_progress)
        check_switch("allow_empty", allow_empty)
        folder = checked_base(base)
        scopes = [scope_of(source, base=folder) for source in sources]
        documents = self._documents(sources, attributes, base, whole=True, empty=allow_empty)
        options = _options(chunk_tokens, overlap_tokens, wait, timeout_s, concurrency, False)
        return self._fill(documents, options, scopes, on_progress)

    @called_as("store.wait")
    def wait(self, *, timeout_s: float = 600) -> bool:
        """Wait until all files of the store are ready, and return whether they are.

        Args:
            timeout_s: Seconds within which another file has to become ready.
        """

        async def wait() -> bool:
            indexing = Indexing(self.client, self.id, patience_s=_seconds(timeout_s))
            ready = await indexing.wait_for_store()
            await self.arefresh()
            return ready

        return run_blocking(wait())

    @called_as("store.remove")
    def remove(self, *files: Any, delete: bool | None = None) -> None:
        """Take files out of the store.

        Args:
            files: Ids, names, hits or citations.
            delete: Whether to delete the files on the platform, too. When None, those that agentkit has uploaded are.

        Raises:
            UserError: A file isn't there; the others are removed.
        """

        async def remove() -> None:
            indexing = Indexing(self.client, self.id)
            missing: list[UserError] = []

            async def take_out(wanted: Any) -> None:
                try:
                    file = await contents.find_file(self.client, self.id, wanted, store=self.name)
                except UserError as error:
                    missing.append(error)
                    return
                await indexing.take_out(file.id, delete=file.source is not None if delete is None else delete)

            await bounded(take_out, files, 8)
            await self.arefresh()
            if missing:
                raise missing[0]

        if not files:
            raise UserError("There is nothing to remove.", hint="Name files, or delete the store: store.delete().")
        run_blocking(remove())

    @called_as("store.set_attributes")
    def set_attributes(
        self, file: Any, attributes: Mapping[str, Any] | None = None, *, replace: bool = False, **more: Any
    ) -> None:
        """Change a file's attributes; searches see it at once.

        Args:
            file: Its id or name, a hit or a citation.
            attributes: What to change; None takes an attribute away. Others stay.
            replace: Whether these are to be all, in place of those there are.
            more: The same as keywords: `store.set_attributes("a.pdf", year=2026)`.

        Raises:
            UserError: There is no such file, or a value can't be kept.
        """
        if attributes is not None and not isinstance(attributes, Mapping):
            raise UserError(f"attributes have to be a dictionary, not {brief(attributes)}.")
        changes = {**(attributes or {}), **more}
        checked_attributes(changes, "set_attributes", most=16)

        async def change() -> None:
            found = await contents.find_file(self.client, self.id, file, store=self.name)
            await contents.set_attributes(self.client, self.id, found, changes, replace=replace)

        run_blocking(change())

    def _documents(
        self,
        sources: Sequence[Any],
        attributes: Any,
        base: Any,
        *,
        name: str | None = None,
        columns: Columns | None = None,
        whole: bool = False,
        empty: bool = False,
    ) -> list[Document]:
        if isinstance(attributes, Mapping):
            attributes = checked_attributes(attributes, "attributes")
        elif attributes is not None and not callable(attributes) and not isinstance(attributes, (list, tuple, str)):
            raise UserError(
                f"attributes can't be {brief(attributes)}.", hint="Use a dictionary, a function, or names of columns."
            )
        documents = documents_of(
            sources, attributes=attributes, base=checked_base(base), columns=columns or Columns(), name=name,
            whole=whole, empty=empty,
        )  # fmt: skip
        return [document.with_attributes() for document in documents]  # in the caller's thread, whose they may be

    def _fill(
        self,
        documents: Sequence[Document],
        options: _Options,
        scopes: Sequence[Scope] | None,
        on_progress: Listener | None,
    ) -> AddReport:
        tallies: list[Tally] = []

        def make(tell: Callable[[StoreProgress], object]) -> Any:
            tallies.append(Tally(self.name, tell))
            return self._filled(documents, options, scopes, tallies[0])

        try:
            run_told(make, on_progress or listener_for(self.name))
        except KeyboardInterrupt as interrupt:
            interrupt.args = (tallies[0].now.stopped_text,)
            raise
        return _report(self.name, tallies[0], documents)

    async def _filled(
        self, documents: Sequence[Document], options: _Options, scopes: Sequence[Scope] | None, tally: Tally
    ) -> None:
        client = patient(self.client)
        adding = Adding(
            client, self.id, tally,
            downloads=Downloads(limit_bytes=_DOWNLOAD_BYTES, allow_private=options.allow_private),
            uploader=Uploader(client), chunking=options.chunking, concurrency=options.concurrency,
            patience_s=options.patience_s,
        )  # fmt: skip
        not_followed = tuple(f"{document.name}/" for document in documents if document.refused)

        def gone(name: str) -> bool:
            return any(scope.holds(name) for scope in scopes or ()) and not name.startswith(not_followed)

        await adding.run(documents, gone=None if scopes is None else gone)
        await self.arefresh()


def _options(
    chunk_tokens: int | None, overlap_tokens: int | None, wait: bool, timeout_s: float, concurrency: int,
    allow_private: bool,
) -> _Options:  # fmt: skip
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or not 1 <= concurrency <= 64:
        raise UserError(f"concurrency can't be {concurrency!r}.", hint="It is 1 to 64.")
    check_switch("wait", wait)
    check_switch("allow_private", allow_private)
    patience = _seconds(timeout_s) if wait else None
    return _Options(chunking_json(chunk_tokens, overlap_tokens), patience, concurrency, allow_private)


def _seconds(timeout_s: Any) -> float:
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, (int, float)) or not timeout_s >= 0:
        raise UserError(f"timeout_s can't be {timeout_s!r}.", hint="It is a number of seconds, 0 or more.")
    return float(timeout_s)


def _report(store: str, tally: Tally, documents: Sequence[Document]) -> AddReport:
    from agentkit.files.report import report_of

    order = [document.name for document in documents]
    told = [tally.outcomes[name] for name in order if name in tally.outcomes]
    told += sorted((each for name, each in tally.outcomes.items() if name not in set(order)), key=_by_name)
    return report_of(store, told)


def _by_name(outcome: FileOutcome) -> str:
    return outcome.name
