"""The rules about the parts of a message: texts and images."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from agentkit._images import image_info
from agentkit.training_files.problems import JSON, Problem, broken, described

__all__ = ["MAX_IMAGES", "problems_in_part"]

MAX_IMAGES = 10
"""Images that an example has at most."""

_MAX_IMAGE_BYTES = 10_000_000
_KINDS = ("image/jpeg", "image/png", "image/webp")


def problems_in_part(part: JSON, role: str, at: str) -> Iterator[Problem]:
    """Yield what is wrong with a part of a message.

    Args:
        part: The part.
        role: The message's role.
        at: Where it is in the line.
    """
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        if not isinstance(part.get("text"), str):
            yield broken("part", f"{at}.text", f"is {described(part.get('text'))}", "It is a text.")
        return
    if kind != "image_url":
        yield broken("part", at, f"is of type {kind!r:.60}", "A part is text or an image (image_url).")
        return
    if role != "user":
        yield broken(
            "image", at, f"is an image in a message of role {role!r}", "Images are in messages of the user only."
        )
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:")):
        yield broken("image", f"{at}.image_url.url", f"is {url!r:.60}", "It is an address or a data URL.")
        return
    if (detail := image.get("detail")) not in (None, "low", "high", "auto"):
        yield broken("image", f"{at}.image_url.detail", f"is {detail!r:.60}", "It is low, high or auto.")
    if url.startswith("data:"):
        yield from _data_url(url, f"{at}.image_url.url")


def _data_url(url: str, at: str) -> Iterator[Problem]:
    try:
        data = base64.b64decode(url.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        yield broken("image", at, "is no base64", "Write the image's bytes as base64.")
        return
    info = image_info(data)
    if info is None or info.media_type not in _KINDS:
        yield broken(
            "image", at, f"is {info.media_type if info else 'no known image'}", "Images are JPEG, PNG or WEBP."
        )
    if len(data) > _MAX_IMAGE_BYTES:
        yield broken(
            "image", at, f"has {len(data):,} bytes", f"An image has at most {_MAX_IMAGE_BYTES:,}: make it smaller."
        )
