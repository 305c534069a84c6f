"""What images are, read off their first bytes."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from agentkit._images import ImageInfo, image_info


def encoded(kind: str, size: tuple[int, int], **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encoded("PNG", (640, 480)), ImageInfo("image/png", 640, 480)),
        (encoded("GIF", (300, 2)), ImageInfo("image/gif", 300, 2)),
        (encoded("JPEG", (1000, 501)), ImageInfo("image/jpeg", 1000, 501)),
        (encoded("JPEG", (33, 44), progressive=True, comment=b"\xff\xc0" * 9), ImageInfo("image/jpeg", 33, 44)),
        (encoded("WEBP", (70, 80)), ImageInfo("image/webp", 70, 80)),
        (encoded("WEBP", (70, 81), lossless=True), ImageInfo("image/webp", 70, 81)),
        (encoded("PNG", (640, 480))[:18], ImageInfo("image/png", 0, 0)),
        (b"\xff\xd8\xff\xe0", ImageInfo("image/jpeg", 0, 0)),
        (b"\xff\xd8\xff" + b"\xff" * 500, ImageInfo("image/jpeg", 0, 0)),
        (b"\xff\xd8\xff\xe0" + struct.pack(">H", 0) * 50, ImageInfo("image/jpeg", 0, 0)),
        (b"RIFF\0\0\0\0WEBPVP8X", ImageInfo("image/webp", 0, 0)),
        (b"<svg/>", None),
        (b"BM....", None),
        (b"", None),
    ],
)
def test_kind_and_size_are_read(data: bytes, expected: ImageInfo | None) -> None:
    assert image_info(data) == expected


def test_an_extended_webp_says_its_size() -> None:
    frames = [Image.new("RGBA", (123, 45), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    assert image_info(buffer.getvalue()) == ImageInfo("image/webp", 123, 45)


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [(1024, 1024, 765), (2048, 4096, 1105), (512, 512, 255), (1, 1, 255), (4096, 8192, 1105), (0, 0, None)],
)
def test_tokens_are_those_of_the_platforms_guide(width: int, height: int, tokens: int | None) -> None:
    assert ImageInfo("image/png", width, height).tokens == tokens
