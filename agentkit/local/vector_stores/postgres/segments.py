"""The index of words: what stands in one file's chunks, packed, and many of those merged into a segment.

Each file brings its words as one packed value. Once there are many, a worker merges them into a segment, which has a
row a term, and of the segments, eight of about a size into a larger one; what belongs to removed files is left out.
Packed values and segments are never changed, so whoever searches may keep what was read of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agentkit.local.vector_stores.embedded.terms import analyzer, passage
from agentkit.local.vector_stores.passages import Chunk

if TYPE_CHECKING:
    import psycopg

__all__ = ["Words", "living", "merge_files", "merge_segments", "packed", "posting", "to_merge", "unpacked"]

_MOST_FILES = 64
_MOST_CHUNKS = 4_096
"""Files, or chunks of files, that are merged into a segment."""
_FAN = 8
"""Segments of about a size that are merged into one."""
_LARGEST = 65_536
"""Chunks that a segment has at most, but for those of one file: merging takes about 4 kB of memory each."""
_MOST_DEAD = 0.3
_LOCK = 0x776F7264
_HEADER = 12


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in some chunks."""

    keys: NDArray[np.int64]
    """The chunks, ascending."""
    lengths: NDArray[np.uint32]
    """How many words each has."""
    terms: list[str]
    """The words, as `terms.analyzer` makes them, each once."""
    counts: NDArray[np.uint32]
    """In how many of the chunks each is."""
    chunks: NDArray[np.uint32]
    """Term by term: which of the chunks they are, ascending."""
    times: NDArray[np.uint16]
    """Likewise: how often it is there."""


def packed(file_chunks: Iterable[Chunk]) -> bytes:
    """Return what a file's chunks are found by, in one value: the words of their headings and texts.

    Their keys are given by where it is kept.
    """
    analyse = analyzer().analyze
    lengths: list[int] = []
    places: dict[str, list[int]] = {}
    times: dict[str, list[int]] = {}
    for n, chunk in enumerate(file_chunks):
        terms = analyse(passage(chunk.text, chunk.heading))
        lengths.append(len(terms))
        for term in terms:
            known = places.setdefault(term, [])
            if known and known[-1] == n:
                times[term][-1] += 1
            else:
                known.append(n)
                times.setdefault(term, []).append(1)
    counts = [len(some) for some in places.values()]
    chunks = np.fromiter((n for some in places.values() for n in some), np.uint32, sum(counts))
    often = np.fromiter((n for some in times.values() for n in some), np.int64, sum(counts))
    header = np.array([len(lengths), len(places), len(chunks)], np.uint32)
    parts = (header, np.array(lengths, np.uint32), np.array(counts, np.uint32), chunks, _capped(often))
    return b"".join([*(part.tobytes() for part in parts), "\n".join(places).encode()])


def _capped(times: NDArray[np.int64]) -> NDArray[np.uint16]:
    return np.minimum(times, 65_535).astype(np.uint16)


def unpacked(data: bytes, first: int) -> Words:
    """Return what was packed.

    Args:
        data: Of `packed`.
        first: Key of the file's first chunk.
    """
    chunks, terms, postings = (int(number) for number in np.frombuffer(data, np.uint32, 3))
    at = _HEADER
    lengths = np.frombuffer(data, np.uint32, chunks, at)
    counts = np.frombuffer(data, np.uint32, terms, at := at + lengths.nbytes)
    places = np.frombuffer(data, np.uint32, postings, at := at + counts.nbytes)
    times = np.frombuffer(data, np.uint16, postings, at := at + places.nbytes)
    text = data[at + times.nbytes :].decode()
    keys = np.arange(first, first + chunks, dtype=np.int64)
    return Words(keys, lengths, text.split("\n") if terms else [], counts, places, times)


def to_merge(db: psycopg.Connection[Any], store_id: str) -> int | None:
    """Return a store's number, if so many of its files are in no segment that it is time; else None."""
    query = """SELECT w.store FROM words AS w JOIN stores AS s ON s.number = w.store WHERE s.id = %s
        GROUP BY w.store HAVING count(*) >= %s OR sum(w.chunks) >= %s"""
    row = db.execute(query, (store_id, _MOST_FILES, _MOST_CHUNKS)).fetchone()
    return None if row is None else row[0]


def merge_files(db: psycopg.Connection[Any], store: int) -> bool:
    """Merge a store's files' words into a segment; return whether nobody else is at it, so that it was done."""
    if not _alone(db, store):
        return False
    query = """SELECT w.number, w.data, f.first_chunk, w.chunks FROM words AS w JOIN files AS f ON f.number = w.file
        WHERE w.store = %s ORDER BY w.number LIMIT %s FOR UPDATE OF w"""
    rows: list[Any] = []
    total = 0
    for row in db.execute(query, (store, 8 * _MOST_FILES)).fetchall():
        total += row[3]
        if rows and total > _LARGEST:
            break
        rows.append(row)
    rows.sort(key=lambda row: row[2])  # by key: a file may have got its chunks later than one behind it
    _write(db, store, [unpacked(bytes(data), first) for _, data, first, _ in rows])
    db.execute("DELETE FROM words WHERE number = ANY(%s)", ([row[0] for row in rows],))
    return True


def merge_segments(db: psycopg.Connection[Any], store: int) -> bool:
    """Merge segments of about a size into one, or leave out what is gone of one that has much of it.

    Returns:
        Whether something was done, after which there may be more to do.
    """
    query = """SELECT s.number, s.chunks, t.dead, sum(s.chunks) OVER () FROM segments AS s
        JOIN stores AS t ON t.number = s.store WHERE s.store = %s ORDER BY s.chunks, s.number"""
    rows = db.execute(query, (store,)).fetchall()
    chosen = _chosen([(number, chunks) for number, chunks, _, _ in rows])
    if not chosen and rows and rows[0][2] > max(1_000, _MOST_DEAD * float(rows[0][3])):
        chosen = [max(rows, key=lambda row: _dead(db, row[0]))[0]]
    if not chosen or not _alone(db, store):
        return False
    parts = [_read(db, number) for number in chosen]
    parts.sort(key=lambda part: int(part.keys[0]) if len(part.keys) else 0)
    left = _write(db, store, parts)
    gone = sum(len(part.keys) for part in parts) - left
    db.execute("DELETE FROM postings WHERE segment = ANY(%s)", (chosen,))
    db.execute("DELETE FROM segments WHERE number = ANY(%s)", (chosen,))
    db.execute("UPDATE stores SET dead = greatest(0, dead - %s) WHERE number = %s", (gone, store))
    return gone > 0 or len(chosen) > 1


def _alone(db: psycopg.Connection[Any], store: int) -> bool:
    """Return whether nobody else merges in the store; and keep it so until the transaction's end."""
    row = db.execute("SELECT pg_try_advisory_xact_lock(%s, %s::bigint::int)", (_LOCK, store % 2**31)).fetchone()
    return row is not None and bool(row[0])


def _chosen(sizes: Sequence[tuple[int, int]]) -> list[int]:
    """Return which segments to merge: the smallest, where there are enough of about their size."""
    tiers: dict[int, list[tuple[int, int]]] = {}
    for number, chunks in sizes:
        tiers.setdefault(int(np.log(max(1, chunks)) / np.log(_FAN)), []).append((number, chunks))
    for tier in sorted(tiers):
        some, total = [], 0
        for number, chunks in tiers[tier]:
            if (total := total + chunks) <= _LARGEST:
                some.append(number)
        if len(some) >= _FAN or (len(some) > 1 and len(tiers[tier]) > _FAN):
            return some
    return []


def _dead(db: psycopg.Connection[Any], segment: int) -> float:
    row = db.execute("SELECT keys FROM segments WHERE number = %s", (segment,)).fetchone()
    keys = np.frombuffer(bytes(row[0]) if row else b"", np.int64)
    return 1 - float(living(db, keys).mean()) if len(keys) else 1.0


def living(db: psycopg.Connection[Any], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which chunks are still there."""
    there = db.execute("SELECT key FROM chunks WHERE key = ANY(%s)", (keys.tolist(),)).fetchall()
    return np.isin(keys, np.fromiter((key for (key,) in there), np.int64, len(there)))


def _read(db: psycopg.Connection[Any], segment: int) -> Words:
    row = db.execute("SELECT keys, lengths FROM segments WHERE number = %s", (segment,)).fetchone()
    assert row is not None
    terms, places, times = [], [], []
    with db.cursor(name="postings", binary=True) as cursor:
        cursor.itersize = 5_000
        for term, data in cursor.execute("SELECT term, data FROM postings WHERE segment = %s", (segment,)):
            terms.append(term)
            some, often = posting(data)
            places.append(some)
            times.append(often)
    counts = np.array([len(some) for some in places], np.uint32)
    keys, lengths = np.frombuffer(bytes(row[0]), np.int64), np.frombuffer(bytes(row[1]), np.uint32)
    none = np.empty(0, np.uint32)
    return Words(
        keys,
        lengths,
        terms,
        counts,
        np.concatenate([none, *places]),
        np.concatenate([none.astype(np.uint16), *times]),
    )


def posting(data: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint16]]:
    """Return in which of a segment's chunks a term is, and how often."""
    count = len(data) // 6
    return np.frombuffer(data, np.uint32, count), np.frombuffer(data, np.uint16, count, 4 * count)


def _write(db: psycopg.Connection[Any], store: int, parts: Sequence[Words]) -> int:
    """Write parts as one segment, without chunks that are gone; return how many chunks it has.

    The parts' keys must not overlap, and ascend from part to part.
    """
    keys = np.concatenate([part.keys for part in parts])
    order = np.argsort(keys, kind="stable")
    there = living(db, keys)
    place = np.full(len(keys), -1, np.int64)
    kept = order[there[order]]
    place[kept] = np.arange(len(kept))
    numbers: dict[str, int] = {}
    ids, chunks, times, base = [], [], [], 0
    for part in parts:
        known = np.fromiter((numbers.setdefault(term, len(numbers)) for term in part.terms), np.int32, len(part.terms))
        new = place[part.chunks + base]
        some = new >= 0
        ids.append(np.repeat(known, part.counts)[some])
        chunks.append(new[some].astype(np.uint32))
        times.append(part.times[some])
        base += len(part.keys)
    if not len(kept):
        return 0
    lengths = np.concatenate([part.lengths for part in parts])[kept]
    query = "INSERT INTO segments (store, chunks, keys, lengths) VALUES (%s, %s, %s, %s) RETURNING number"
    row = db.execute(query, (store, len(kept), keys[kept].tobytes(), lengths.tobytes())).fetchone()
    assert row is not None
    _copy_postings(db, row[0], list(numbers), np.concatenate(ids), np.concatenate(chunks), np.concatenate(times))
    return len(kept)


def _copy_postings(
    db: psycopg.Connection[Any],
    segment: int,
    terms: Sequence[str],
    ids: NDArray[np.int32],
    chunks: NDArray[np.uint32],
    times: NDArray[np.uint16],
) -> None:
    order = np.lexsort((chunks, ids))
    ids, chunks, times = ids[order], chunks[order], times[order]
    ends = np.cumsum(np.bincount(ids, minlength=len(terms))).tolist()
    with db.cursor().copy("COPY postings (segment, term, data) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "text", "bytea"])
        begin = 0
        for term, end in zip(terms, ends, strict=True):
            if end > begin:
                copy.write_row((segment, term, chunks[begin:end].tobytes() + times[begin:end].tobytes()))
            begin = end
