"""Spans in the order in which their tree is read."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

__all__ = ["TreeOrder", "in_tree_order"]

_MOST_DEPTHS = 64
"""Deeper trees are put in order one by one, rather than all at once."""


def in_tree_order(own: Sequence[Hashable], above: Sequence[Hashable]) -> list[int]:
    """Return the places of one trace's spans in the order in which their tree is read: each is followed by its own.

    Args:
        own: What tells each span from the others, in order of start.
        above: What tells the span that each is part of.
    """
    known = set(own)
    below: dict[Hashable, list[int]] = {}
    todo: list[int] = []
    for place, parent in enumerate(above):
        if parent in known:
            below.setdefault(parent, []).append(place)
        else:
            todo.append(place)
    todo.reverse()
    ordered = []
    while todo:
        place = todo.pop()
        ordered.append(place)
        todo.extend(reversed(below.pop(own[place], ())))
    for rest in below.values():  # parents that are each other's: only by ids that were given
        ordered.extend(rest)
    return ordered


class TreeOrder:
    """Finds the order of spans that come in chunks, of many traces: trace after trace, each as a tree.

    Args:
        newest_first: Gives the ids of all traces in the order wanted, once the last chunk is in; None: in order of
            their first appearance.
    """

    def __init__(self, newest_first: Callable[[], Sequence[str]] | None = None) -> None:
        from agentkit.tracing.arrays import Numbered

        self._newest_first = newest_first
        self._traces = Numbered()
        self._pieces: dict[str, list[Integers]] = {"trace": [], "started": [], "depth": [], "own": [], "above": []}

    def watch(self, chunks: Iterable[Mapping[str, Sequence[Any]]]) -> Iterator[Mapping[str, Sequence[Any]]]:
        """Yield the chunks as they are, and note what the order depends on."""
        import numpy as np

        for chunk in chunks:
            count = len(chunk["span_id"])
            columns: dict[str, Iterable[int]] = {
                "trace": map(self._traces.__getitem__, chunk["trace_id"]),
                "started": chunk["started_ns"],
                "depth": chunk["depth"],
                # hashes, of 64 bits, in the place of the ids: a million texts less to keep
                "own": map(hash, chunk["span_id"]),
                "above": map(hash, chunk["parent_id"]),
            }
            for name, values in columns.items():
                self._pieces[name].append(np.fromiter(values, np.int64, count))
            yield chunk

    def order(self) -> Integers:
        """Return the place of the row that comes first, of the one after it, and so on."""
        import numpy as np

        if not self._traces:
            return np.empty(0, np.int64)
        column = {name: np.concatenate(pieces) for name, pieces in self._pieces.items()}
        trace = self._ranks()[column["trace"]]
        order = np.lexsort((column["started"], trace))
        trace, depth, own, above = (each[order] for each in (trace, column["depth"], column["own"], column["above"]))
        begins = np.flatnonzero(np.diff(trace, prepend=-1))
        astray = ~_follows(trace, depth, own, above, begins)
        ends = np.append(begins[1:], len(trace))
        for number in np.unique(np.searchsorted(begins, np.flatnonzero(astray), side="right")) - 1:
            part = slice(begins[number], ends[number])
            order[part] = order[part][in_tree_order(own[part].tolist(), above[part].tolist())]
        return order

    def _ranks(self) -> Integers:
        """Return the place of each trace among all, by its number."""
        import numpy as np

        if self._newest_first is None:
            return np.arange(len(self._traces))
        places = {trace_id: place for place, trace_id in enumerate(self._newest_first())}
        gone = len(places)  # deleted meanwhile
        return np.fromiter((places.get(id_, gone + n) for n, id_ in enumerate(self._traces)), np.int64)


def _follows(
    trace: Integers, depth: Integers, own: Integers, above: Integers, begins: Integers
) -> npt.NDArray[np.bool_]:
    """Return whether each span is part of the one before it, or of one above that, or begins anew below the trace.

    Where nothing ran in parallel, all are. Spans are in order of trace and start.
    """
    import numpy as np

    place = np.arange(len(trace))
    first = np.repeat(begins, np.diff(np.append(begins, len(trace))))  # of each span's trace
    follows: npt.NDArray[np.bool_] = (depth == 0) & (above == hash(None))
    if depth.max(initial=0) > _MOST_DEPTHS:
        return follows
    for level in range(1, int(depth.max(initial=0)) + 1):
        here = np.flatnonzero(depth == level)
        parent = np.maximum.accumulate(np.where(depth == level - 1, place, -1))[here]
        # what is less deep than the parent, and stands between it and here, would be the beginning of something else
        outside = np.maximum.accumulate(np.where(depth < level - 1, place, -1))[here]
        follows[here] = (parent >= first[here]) & (parent > outside) & (own[parent] == above[here])
    return follows
