"""Examples on their way to the platform: as files named after their bytes, which are sent only once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentkit.exceptions import AgentsException
from agentkit.files.documents import Content
from agentkit.files.errors import platform_errors
from agentkit.files.uploading import Uploader, patient

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["Sending", "content_of"]

_LISTED: Final = 10_000
"""Files of the platform that are looked at for the same bytes: as many as it lists in one answer."""
_LONGEST: Final = 80
_DIGITS: Final = 16
_OURS: Final = re.compile(rf"-([0-9a-f]{{{_DIGITS}}})\.jsonl$")
_PART_BYTES: Final = 8 * 2**20
"""Larger files go in parts, so that it can be told how far it is."""
_TIDYING_S: Final = 30.0


def content_of(dataset: FineTuningDataset, folder: Path) -> Content:
    """Return the examples as a file of their own: lines of bytes as they are, empty ones left out.

    Args:
        dataset: The examples.
        folder: Where it is written.
    """
    path = folder / f"{len(list(folder.iterdir()))}.jsonl"
    digest, size = hashlib.sha256(), 0
    with path.open("wb", buffering=1 << 20) as file:
        for line in dataset.lines:
            file.write(line)
            file.write(b"\n")
            digest.update(line)
            digest.update(b"\n")
            size += len(line) + 1
    sha256 = digest.hexdigest()
    return Content(f"{_plain(dataset.name)}-{sha256[:_DIGITS]}.jsonl", path, size, sha256)


def _plain(name: str) -> str:
    """Return a data set's name as part of a file's."""
    return re.sub(r"[^\w.-]+", "-", name.removesuffix(".jsonl")).strip("-.")[:_LONGEST] or "examples"


class Sending:
    """Sends files of examples, and takes back those that it has sent where no job comes of it.

    Args:
        client: Whom to.
        on_bytes: Told how many bytes have arrived, and of how many.
    """

    def __init__(self, client: AsyncOpenAI, on_bytes: Callable[[int, int], object]) -> None:
        self._client = patient(client)
        self._on_bytes = on_bytes
        self._done = self._total = 0
        self._new: list[str] = []
        self._under_way = ""

    async def send(self, contents: Sequence[Content]) -> list[str]:
        """Send files unless the platform has the same bytes, and return the ids of all.

        Raises:
            UserError: One is too large, or the platform doesn't take it.
        """
        there = await self._there()
        missing = [each for each in contents if _mark(each.filename) not in there]
        self._total = sum(each.size_bytes for each in missing)
        self._on_bytes(0, self._total)
        for content in missing:
            if (mark := _mark(content.filename)) in there:
                continue  # examples that are in both files
            self._under_way = content.filename
            there[mark] = await self._send(content)
            self._new.append(there[mark])
            self._under_way = ""
        return [there[_mark(each.filename)] for each in contents]

    async def _send(self, content: Content) -> str:
        import openai

        in_parts = Uploader(self._client, purpose="fine-tune", whole_up_to=_PART_BYTES, part_bytes=_PART_BYTES)
        if content.size_bytes > _PART_BYTES:
            try:
                return await in_parts.send(content, self._arrived)
            except openai.APIStatusError as error:
                if error.status_code not in (404, 405, 501):  # a server that takes no parts
                    raise
        return await Uploader(self._client, purpose="fine-tune").send(content, self._arrived)

    def _arrived(self, count: int) -> None:
        self._done += count
        self._on_bytes(self._done, self._total)

    async def _there(self) -> dict[str, str]:
        """Return the ids of files that the platform has, by the marks of their bytes."""
        with platform_errors(self._client, "Listing the files for fine-tuning", names_one=False, kind="files"):
            page = await self._client.files.list(purpose="fine-tune", limit=_LISTED)
        return {
            mark: each.id for each in reversed(page.data) if (mark := _mark(each.filename)) and each.status != "error"
        }

    async def take_back(self) -> None:
        """Delete the files that were sent, also one that arrived while its sending was interrupted."""
        import openai

        with contextlib.suppress(AgentsException, openai.OpenAIError, TimeoutError):
            async with asyncio.timeout(_TIDYING_S):
                if self._under_way and (arrived := (await self._there()).get(_mark(self._under_way))):
                    self._new.append(arrived)
                while self._new:
                    await self._client.files.delete(self._new.pop())


def _mark(filename: str) -> str:
    """Return what a file's name tells of its bytes; "" where it isn't one of ours."""
    found = _OURS.search(filename or "")
    return found[1] if found else ""
