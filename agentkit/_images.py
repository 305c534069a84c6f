"""What an image is and how large, read off the beginning of its bytes. Nothing is decoded."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["LOW_DETAIL_TOKENS", "ImageInfo", "image_info"]

LOW_DETAIL_TOKENS = 85
"""Tokens of an image at low detail, and of one at high detail besides those of its tiles."""
_TILE_TOKENS, _TILE = 170, 512
_BOX, _SHORT_SIDE = 2048, 768


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What an image is."""

    media_type: str
    """One of `image/png`, `image/jpeg`, `image/gif` and `image/webp`."""
    width: int
    """In pixels; 0 where the bytes don't say."""
    height: int
    """In pixels; 0 where the bytes don't say."""

    @property
    def tokens(self) -> int | None:
        """Tokens that it has at high detail; None where its size isn't known.

        Source: platform.openai.com, "Images and vision", costs of models that count tiles of 512 pixels.
        """
        if not self.width or not self.height:
            return None
        scale = min(1.0, _BOX / max(self.width, self.height))
        scale = min(scale, _SHORT_SIDE / min(self.width, self.height))
        tiles = math.ceil(self.width * scale / _TILE) * math.ceil(self.height * scale / _TILE)
        return LOW_DETAIL_TOKENS + _TILE_TOKENS * tiles


def image_info(data: bytes) -> ImageInfo | None:
    """Return what bytes are as an image; None where they are none of the four kinds.

    Source: PNG specification 11.2.2, GIF89a 18, JPEG (ITU T.81) B.2.2, WebP container specification.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageInfo("image/png", _number(data, 16, 4), _number(data, 20, 4))
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return ImageInfo("image/gif", _little(data, 6, 2), _little(data, 8, 2))
    if data.startswith(b"\xff\xd8\xff"):
        return ImageInfo("image/jpeg", *_jpeg_size(data))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ImageInfo("image/webp", *_webp_size(data))
    return None


def _number(data: bytes, at: int, size: int) -> int:
    part = data[at : at + size]
    return int.from_bytes(part, "big") if len(part) == size else 0


def _little(data: bytes, at: int, size: int) -> int:
    part = data[at : at + size]
    return int.from_bytes(part, "little") if len(part) == size else 0


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height from the first frame header."""
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return 0, 0
        marker = data[at + 1]
        if marker == 0xFF:  # filling
            at += 1
        elif marker in (0x01, *range(0xD0, 0xD9)):  # markers that stand alone
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _number(data, at + 7, 2), _number(data, at + 5, 2)
        else:
            at += 2 + max(_number(data, at + 2, 2), 2)
    return 0, 0


def _webp_size(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8X":
            return (_little(data, 24, 3) + 1, _little(data, 27, 3) + 1) if len(data) >= 30 else (0, 0)
        case b"VP8L" if len(data) >= 25:
            bits = _little(data, 21, 4)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    return 0, 0
