"""OLE2 files, the container of Office's files before 2007: named streams in chains of sectors.

Source: [MS-CFB], Compound File Binary File Format.
"""

from __future__ import annotations

import struct

__all__ = ["OleError", "read_streams"]

_HEADER_BYTES = 512
_END = 0xFFFFFFFA
"""Sector numbers from here on mark the end of a chain, or free sectors."""
_MAX_ENTRIES = 20_000
_STREAM = 2
_ROOT = 5


class OleError(Exception):
    """The container is damaged."""


def read_streams(data: bytes, wanted: frozenset[str] = frozenset()) -> tuple[frozenset[str], dict[str, bytes]]:
    """Return the names of a container's streams, and the contents of those that are wanted.

    Args:
        data: The file's bytes.
        wanted: Names of streams to read. Of two with one name, which stand in different folders, the first is read.

    Raises:
        OleError: It is damaged.
    """
    return _Container(data).read(wanted)


class _Container:
    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER_BYTES:
            raise OleError("it ends within its header")
        self._data = data
        sector_shift, mini_shift = struct.unpack_from("<HH", data, 0x1E)
        if sector_shift not in (9, 12) or mini_shift != 6:
            raise OleError("its header has impossible sizes of sectors")
        self._size = 1 << sector_shift
        self._count = max(0, len(data) - self._size) // self._size + 1
        self._directory, self._mini_cutoff, self._mini_fat_start = (
            struct.unpack_from("<I", data, place)[0] for place in (0x30, 0x38, 0x3C)
        )
        self._fat = self._read_fat()

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        if start >= len(self._data):
            raise OleError(f"it ends before its sector {number:,}")
        return self._data[start : start + self._size].ljust(self._size, b"\0")

    def _read_fat(self) -> list[int]:
        """Return which sector follows each sector."""
        numbers = list(struct.unpack_from("<109I", self._data, 0x4C))
        following = struct.unpack_from("<I", self._data, 0x44)[0]
        per_sector = self._size // 4
        for _ in range(self._count):
            if following >= _END:
                break
            extra = struct.unpack(f"<{per_sector}I", self._sector(following))
            numbers += extra[:-1]
            following = extra[-1]
        fat: list[int] = []
        for number in numbers:
            if number < _END and len(fat) < self._count + per_sector:
                fat += struct.unpack(f"<{per_sector}I", self._sector(number))
        return fat

    def _chain(self, start: int, *, limit: int | None = None) -> bytes:
        """Return the bytes of a chain of sectors, at most `limit` of them."""
        parts: list[bytes] = []
        number = start
        most = self._count if limit is None else min(self._count, -(-limit // self._size))
        while number < _END and len(parts) < most:
            parts.append(self._sector(number))
            if number >= len(self._fat):
                raise OleError(f"its table of sectors lacks sector {number:,}")
            number = self._fat[number]
        return b"".join(parts)[:limit]

    def read(self, wanted: frozenset[str]) -> tuple[frozenset[str], dict[str, bytes]]:
        directory = self._chain(self._directory, limit=_MAX_ENTRIES * 128)
        entries: dict[str, tuple[int, int]] = {}
        root = (_END, 0)
        for place in range(0, len(directory) - 127, 128):
            name_bytes, kind = struct.unpack_from("<HB", directory, place + 0x40)
            start, size = struct.unpack_from("<II", directory, place + 0x74)
            if kind == _ROOT:
                root = (start, size)
            elif kind == _STREAM and 2 <= name_bytes <= 64:
                name = directory[place : place + name_bytes - 2].decode("utf-16-le", errors="replace")
                entries.setdefault(name, (start, size))
        found = {name: self._stream(*entries[name], root) for name in wanted if name in entries}
        return frozenset(entries), found

    def _stream(self, start: int, size: int, root: tuple[int, int]) -> bytes:
        if size > len(self._data):
            raise OleError(f"a stream claims {size:,} bytes")
        if size >= self._mini_cutoff:
            return self._chain(start, limit=size)
        mini = self._chain(root[0], limit=root[1])
        count = -(-len(mini) // 64)
        mini_fat_bytes = self._chain(self._mini_fat_start, limit=4 * count)  # a chain that goes round has no end
        mini_fat = struct.unpack_from(f"<{len(mini_fat_bytes) // 4}I", mini_fat_bytes)
        parts: list[bytes] = []
        number = start
        while number < _END and len(parts) * 64 < size:
            if number >= len(mini_fat):
                raise OleError(f"its table of small sectors lacks sector {number:,}")
            parts.append(mini[number * 64 : number * 64 + 64])
            number = mini_fat[number]
        return b"".join(parts)[:size]
