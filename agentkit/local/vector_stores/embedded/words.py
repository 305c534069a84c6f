"""The index of words of one store: tantivy, derived from the tables, and made anew whenever it doesn't fit them."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit._home import make_private_folder
from agentkit.local.vector_stores.embedded.database import Database
from agentkit.local.vector_stores.embedded.derived import Derived
from agentkit.local.vector_stores.embedded.lock import locked
from agentkit.local.vector_stores.embedded.terms import analyzer, passage, query_terms
from agentkit.local.vector_stores.passages import Match
from agentkit.local.vector_stores.storage import StorageError

if TYPE_CHECKING:
    import tantivy

__all__ = ["WordIndex"]

_VERSION = 1
"""Of the index's contents: one with another version is made anew."""
_HEAP_BYTES = 50_000_000
_SLICE = 2_000
_TRIES = 3
_LEAST_PICKED = 0.15
"""Share of all chunks from which on those of some files are picked out of the best of all."""
_SATURATED = 2.2
"""What a term's weight is multiplied by at most: k1 + 1, with tantivy's k1 of 1.2."""
_PICKED_FROM = 2.0
"""How many times as many as there should have to be are fetched for that."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the tables are, or how much of them an index has."""

    last_chunk: int = 0
    last_removal: int = 0
    chunks: int = 0


class WordIndex(Derived):
    """Finds the chunks of one store by words. Made as `Derived` is."""

    def __init__(self, folder: Path, store: int, database: Database) -> None:
        super().__init__(folder, store, database)
        self._index: Any = None
        self._has = Marks()

    def match(self, query: str, files: frozenset[int] | None, share: float, limit: int) -> list[Match]:
        """Return the chunks with words of the query, best first, equals in the order of their keys.

        Args:
            query: Any text.
            files: The files, by number, to look in; None: all.
            share: How much of all chunks is in them, 0 to 1.
            limit: Most chunks to return.

        Raises:
            StorageError: The index can't be brought up to date.
        """
        self.catch_up()
        with self._lock:
            index = self._index
        terms = query_terms(query)
        if (files is not None and not files) or not terms:
            return []
        searcher, wanted = index.searcher(), _query(index, terms)
        found = self._found(index, searcher, wanted, files, share, limit)
        most = _most(searcher, terms)
        return [Match(match.key, min(1.0, match.score / most)) for match in found]

    def _found(
        self,
        index: tantivy.Index,
        searcher: tantivy.Searcher,
        wanted: tantivy.Query,
        files: frozenset[int] | None,
        share: float,
        limit: int,
    ) -> list[Match]:
        if files is None:
            return _ranked(searcher, wanted, limit)
        if share > _LEAST_PICKED:
            enough = int(_PICKED_FROM * limit / share)
            if (found := _picked(searcher, wanted, files, limit, enough)) is not None:
                return found
        return _ranked(searcher, _within(index, wanted, files), limit)

    def catch_up(self) -> None:
        """Bring the index up to the tables, or open what another process has brought there.

        Raises:
            StorageError: It can't be done.
        """
        with self._lock:
            if self._index is not None and self._has == self._wanted():
                return
            try:
                with locked(self._folder / "words.lock"):
                    self._catch_up()
            except (OSError, ValueError) as error:
                raise self._unusable("The index of words", error) from error

    def _catch_up(self) -> None:
        for attempt in range(_TRIES):
            if attempt:
                self._discard()
            try:
                self._open()
                while (wanted := self._wanted()) != self._has:
                    if wanted.last_chunk == self._has.last_chunk and wanted.last_removal == self._has.last_removal:
                        break  # the counts differ: the index has lost or doubled something
                    self._add(wanted)
                if wanted == self._has:
                    return
            except (OSError, ValueError):
                if attempt == _TRIES - 1 or not self._has_files():
                    raise
        raise StorageError(f"{self._folder} doesn't come to fit its tables. Delete that folder: it is made anew.")

    def _has_files(self) -> bool:
        return (self._folder / "words").exists()

    def _wanted(self) -> Marks:
        query = "SELECT last_chunk, last_removal, chunks FROM stores WHERE number = ?"
        with self._database.reading() as db:
            row = db.execute(query, (self._store,)).fetchone()
        return Marks() if row is None else Marks(*row)

    def _open(self) -> None:
        import tantivy

        path, manifest = self._folder / "words", self._folder / "words.json"
        has = _read_manifest(manifest, self._store)
        if has is None:
            self._discard()
            has = Marks()
        make_private_folder(path)
        self._index = tantivy.Index(_schema(), path=str(path))
        self._index.register_tokenizer("passages", analyzer())
        self._index.config_reader("manual")
        self._index.reload()
        self._has = Marks(has.last_chunk, has.last_removal, self._index.searcher().num_docs)

    def _discard(self) -> None:
        self._index = None
        (self._folder / "words.json").unlink(missing_ok=True)
        shutil.rmtree(self._folder / "words", ignore_errors=True)

    def _add(self, target: Marks) -> None:
        """Add what is new up to the target, and take out what is gone. Done twice, it makes no difference."""
        writer = self._index.writer(_HEAP_BYTES, 1)
        try:
            for file in self._removed(target):
                writer.delete_documents_by_term("file", file)
            done = self._has.last_chunk
            while done < target.last_chunk:
                done = self._add_slice(writer, done, target.last_chunk)
            writer.commit()
        finally:
            writer.wait_merging_threads()
        self._index.reload()
        self._has = Marks(target.last_chunk, target.last_removal, self._index.searcher().num_docs)
        _write_manifest(self._folder / "words.json", self._store, self._has)

    def _removed(self, target: Marks) -> list[int]:
        query = "SELECT file FROM removals WHERE store = ? AND number > ? AND number <= ?"
        with self._database.reading() as db:
            rows = db.execute(query, (self._store, self._has.last_removal, target.last_removal)).fetchall()
        return [file for (file,) in rows]

    def _add_slice(self, writer: tantivy.IndexWriter, done: int, last: int) -> int:
        """Add the files whose chunks come next; return the key up to which the index has all."""
        from tantivy import Document

        read, upto = self._read_slice(done, last)
        for file, rows in read:
            writer.delete_documents_by_term("file", file)
            for key, text, heading in rows:
                document = Document()
                document.add_unsigned("key", key)
                document.add_unsigned("file", file)
                document.add_text("text", passage(text, heading))
                writer.add_document(document)
        return upto

    def _read_slice(self, done: int, last: int) -> tuple[list[tuple[int, list[tuple[int, str, str]]]], int]:
        """Return some files with their chunks, few enough that nobody waits long, and the key that they end at."""
        query = """SELECT number, first_chunk, chunks FROM files
            WHERE store = ? AND first_chunk > ? AND first_chunk <= ? ORDER BY first_chunk"""
        texts = "SELECT key, text, heading FROM chunks WHERE key BETWEEN ? AND ?"
        read, count = [], 0
        with self._database.reading() as db:
            for file, first, chunks in db.execute(query, (self._store, done, last)):
                read.append((file, db.execute(texts, (first, first + chunks - 1)).fetchall()))
                count += chunks
                if count >= _SLICE:
                    return read, int(first + chunks - 1)
        return read, last


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("key", fast=True)
    builder.add_unsigned_field("file", indexed=True, fast=True)
    builder.add_text_field("text", tokenizer_name="passages", index_option="freq")
    return builder.build()


def _query(index: tantivy.Index, terms: Sequence[str]) -> tantivy.Query:
    from tantivy import Occur, Query

    return Query.boolean_query([(Occur.Should, Query.term_query(index.schema, "text", term, "freq")) for term in terms])


def _most(searcher: tantivy.Searcher, terms: Sequence[str]) -> float:
    """Return the score that no chunk reaches: that of all terms, each as often as one likes."""
    chunks = searcher.num_docs
    frequencies = [min(chunks, searcher.doc_freq("text", term)) for term in terms]
    return sum(_SATURATED * math.log1p((chunks - having + 0.5) / (having + 0.5)) for having in frequencies)


def _ranked(searcher: tantivy.Searcher, query: tantivy.Query, limit: int) -> list[Match]:
    """Return the best; where the last that fits has equals, those with the lowest keys."""
    fetched = limit + 8
    while True:
        hits = searcher.search(query, limit=fetched, count=False).hits
        if len(hits) < fetched or hits[-1][0] < hits[limit - 1][0]:
            break
        fetched *= 4
    return _matches(searcher, hits)[:limit]


def _within(index: tantivy.Index, query: tantivy.Query, files: frozenset[int]) -> tantivy.Query:
    """Return the query, looking only in some files; they don't change a score."""
    from tantivy import Occur, Query

    allowed = Query.const_score_query(Query.term_set_query(index.schema, "file", sorted(files)), 0.0)
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, allowed)])


def _picked(
    searcher: tantivy.Searcher, query: tantivy.Query, files: frozenset[int], limit: int, fetched: int
) -> list[Match] | None:
    """Return the best within some files out of the best of all; None where those are too few to tell."""
    hits = searcher.search(query, limit=fetched, count=False).hits
    owners = searcher.fast_field_values("file", [address for _, address in hits])
    picked = [hit for hit, owner in zip(hits, owners, strict=True) if owner in files]
    if len(hits) == fetched and (len(picked) <= limit or picked[limit - 1][0] <= hits[-1][0]):
        return None  # behind the last there may be more of its score
    return _matches(searcher, picked)[:limit]


def _matches(searcher: tantivy.Searcher, hits: list[tuple[float, tantivy.DocAddress]]) -> list[Match]:
    keys = searcher.fast_field_values("key", [address for _, address in hits])
    matches = [Match(int(key or 0), float(score)) for (score, _), key in zip(hits, keys, strict=True)]
    matches.sort(key=lambda match: (-match.score, match.key))
    return matches


def _read_manifest(path: Path, store: int) -> Marks | None:
    """Return what the index has; None where that can't be told, or where it is another's."""
    try:
        kept = _json.loads(path.read_bytes())
        if (kept.pop("version"), kept.pop("store")) != (_VERSION, store):
            return None
        return Marks(**kept)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write_manifest(path: Path, store: int, has: Marks) -> None:
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_bytes(_json.dumps({"version": _VERSION, "store": store, **asdict(has)}))
    draft.replace(path)
