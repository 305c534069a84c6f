"""Examples that are nearly the same, found without comparing each with each.

Source: MinHash, Broder 1997, with one permutation, Li, Owen and Zhang 2012; the banding of signatures as in Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3. Signatures aren't kept, only the hash of each band: 64
bytes an example, whatever its length.
"""

from __future__ import annotations

import functools
from array import array
from collections.abc import Callable, Iterable, Iterator, Set
from typing import TYPE_CHECKING, Any, Final

from agentkit.exceptions import UserError
from agentkit.finetuning.examples import Said, texts_of

if TYPE_CHECKING:
    import numpy as np

    Hashes = np.ndarray[tuple[int], np.dtype[np.uint32]]

__all__ = ["NearDuplicates", "checked_threshold", "similarity"]

_BANDS: Final = 8
_ROWS: Final = 6
_LONGEST: Final = 200_000
"""Characters of an example that are looked at."""
_WIDTH: Final = 12
"""Bytes of a passage: of one text, all passages of this width are taken."""


def checked_threshold(threshold: Any) -> float:
    """Return a threshold.

    Raises:
        UserError: It is none.
    """
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0.5 <= threshold <= 1:
        raise UserError(
            f"threshold is between 0.5 and 1, not {threshold!r:.60}.", hint="0.9 means: nine tenths shared."
        )
    return float(threshold)


class NearDuplicates:
    """Remembers what examples look like, and tells which look alike.

    Args:
        threshold: The part of their passages that two share which are nearly the same.
    """

    def __init__(self, threshold: float = 0.9) -> None:
        import numpy as np

        self._threshold = threshold
        self._blocks: list[np.ndarray[Any, np.dtype[np.uint64]]] = []
        self._block = np.zeros((1024, _BANDS), dtype=np.uint64)
        self._numbers = array("Q")

    def add(self, number: int, texts: Iterable[Said]) -> None:
        """Remember an example by its number and by what is said in it."""
        hashes = _passages(_letters(texts))
        if not len(hashes):
            return
        at = len(self._numbers) % len(self._block)
        if not at and self._numbers:
            self._blocks.append(self._block.copy())
        self._block[at] = _of_bands(_signature(hashes))
        self._numbers.append(number)

    def pairs(
        self,
        read: Callable[[int], dict[str, Any] | None],
        *,
        without: Set[int] = frozenset(),
        most: int | None = 20_000,
    ) -> Iterator[tuple[int, int]]:
        """Yield `(earlier, later)` for examples of which the later one is nearly the same as the earlier one.

        Each later one is told once, and none is told that is exactly the same.

        Args:
            read: Returns an example by its number.
            without: Later ones that aren't wanted, such as those that are exactly the same.
            most: Comparisons at most: in data made of one pattern, many look alike at first.
        """
        import numpy as np

        if not self._numbers:
            return
        left = len(self._numbers) - len(self._blocks) * len(self._block)
        bands = np.concatenate([*self._blocks, self._block[:left]])
        told: set[int] = set()
        compared: set[tuple[int, int]] = set()
        for band in bands.T:
            for leader, other in _same(band):
                if other in told or (leader, other) in compared or self._numbers[other] in without:
                    continue
                if most is not None and len(compared) >= most:
                    return
                compared.add((leader, other))
                earlier, later = self._numbers[leader], self._numbers[other]
                one, two = read(earlier), read(later)
                if one is not None and two is not None and self._threshold <= similarity(one, two) and one != two:
                    told.add(other)
                    yield earlier, later


def similarity(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return the part of their passages that two examples share, 0 to 1 (Jaccard's index), but for system messages."""
    import numpy as np

    first, second = (np.unique(_passages(_letters(texts_of(each)))) for each in (one, other))
    shared = len(np.intersect1d(first, second, assume_unique=True))
    whole = len(first) + len(second) - shared
    return shared / whole if whole else 0.0


def _letters(texts: Iterable[Said]) -> bytes:
    """Return what is said, without what doesn't tell examples apart: the system message, case and spaces."""
    text = " ".join([said.text[:_LONGEST] for said in texts if said.role not in ("system", "developer")])
    return " ".join(text[:_LONGEST].lower().split()).encode("utf-8", "replace")


def _passages(text: bytes) -> Hashes:
    """Return the hashes of all passages of a text, uint32 of shape (n,)."""
    import numpy as np

    count = len(text) - _WIDTH + 1
    if count < 1:
        return np.zeros(0, dtype=np.uint32)
    fours = np.empty(len(text) - 3, dtype=np.uint32)  # each place with the three bytes after it, as a number
    for offset in range(4):
        there = np.frombuffer(text, dtype=np.dtype("<u4"), offset=offset, count=(len(text) - offset) // 4)
        fours[offset::4] = there
    hashes = fours[:count] * np.uint32(0x9E3779B1)
    hashes ^= hashes >> np.uint32(15)
    hashes += fours[4 : count + 4]
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(13)
    hashes += fours[8 : count + 8]
    hashes *= np.uint32(0xC2B2AE35)
    hashes ^= hashes >> np.uint32(16)
    return hashes


def _signature(hashes: Hashes) -> Any:  # an array of uint32, shape (bands, rows)
    """Return the least hash of each of as many ranges of hashes; of an empty one, that of the next."""
    import numpy as np

    ordered = np.sort(hashes)
    places = np.searchsorted(ordered, _edges())
    return ordered[places % len(ordered)].reshape(_BANDS, _ROWS)


@functools.cache
def _edges() -> Hashes:
    import numpy as np

    return (np.arange(_BANDS * _ROWS, dtype=np.uint64) * 2**32 // (_BANDS * _ROWS)).astype(np.uint32)


def _of_bands(signature: Any) -> Any:  # arrays: (bands, rows) of uint32 to (bands,) of uint64
    import numpy as np

    made = np.full(len(signature), 0xCBF29CE484222325, dtype=np.uint64)
    for column in signature.T:
        made = (made ^ column.astype(np.uint64)) * np.uint64(0x100000001B3)
    return made


def _same(band: Any) -> Iterator[tuple[int, int]]:  # an array of uint64
    """Yield each example with the first one before it that has the same hash."""
    import numpy as np

    order = np.argsort(band, kind="stable")
    values = band[order]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    ends = np.r_[starts[1:], len(values)]
    for start, end in zip(starts[ends - starts > 1].tolist(), ends[ends - starts > 1].tolist(), strict=True):
        members = order[start:end].tolist()
        for other in members[1:]:
            yield members[0], other
