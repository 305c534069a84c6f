"""What a store has in it: its files and their passages, found by any name that a person may use for a file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.files.attributes import SOURCE_KEY, checked_attributes
from agentkit.files.details import ASK_FOR_DETAILS, details_of
from agentkit.files.errors import platform_errors
from agentkit.files.listing import StoreFile, store_file, store_files, with_filenames
from agentkit.files.naming import base_name, did_you_mean, names_of_path

if TYPE_CHECKING:
    import pandas as pd
    from openai import AsyncOpenAI

__all__ = ["all_files", "chunks_frame", "file_chunks", "files_frame", "find_file", "set_attributes"]


def files_frame(files: list[StoreFile]) -> pd.DataFrame:
    """Return files as a dataframe, a row each, sorted by name."""
    from agentkit.files.frames import frame_of

    files = sorted(files, key=lambda file: (file.name, file.created_at, file.id))

    columns: dict[str, tuple[str, list[Any]]] = {
        "name": ("string", [file.name for file in files]),
        "filename": ("string", [file.filename or None for file in files]),
        "status": ("category", [file.status for file in files]),
        "error": ("string", [file.error for file in files]),
        "error_code": ("string", [file.error_code for file in files]),
        "usage_bytes": ("Int64", [file.usage_bytes for file in files]),
        "created_at": ("time", [file.created_at for file in files]),
        "file_id": ("string", [file.id for file in files]),
    }
    return frame_of(columns, [file.attributes for file in files])


async def find_file(client: AsyncOpenAI, store_id: str, wanted: Any, *, store: str) -> StoreFile:
    """Return the file that is meant.

    Args:
        client: Whom to ask.
        store_id: The store.
        wanted: A file's id, name, file name or path; or something that has a `file_id` or `id`: a hit, a citation,
            a file.
        store: Name of the store, for errors.

    Raises:
        UserError: There is none, or there are several.
    """
    import openai

    is_path = isinstance(wanted, os.PathLike)
    if is_path:
        name: Any = os.fsdecode(wanted).replace(os.sep, "/")
    else:
        name = getattr(wanted, "file_id", None) or getattr(wanted, "id", None) or wanted
    if not isinstance(name, str) or not name:
        raise UserError(
            f"A file is told by its id, name or path, not by {brief(wanted)}.", hint="store.files lists them."
        )
    if not is_path and name.startswith(("file-", "file_")):  # an id; but there are files of such names, too
        with platform_errors(client, f"Opening {name!r} in {store!r}"), contextlib.suppress(openai.NotFoundError):
            told = await client.vector_stores.files.retrieve(name, vector_store_id=store_id)
            return (await with_filenames(client, [store_file(told)]))[0]
    files = await store_files(client, store_id, store=store)
    first, *others = names_of_path(wanted) if is_path else [name]
    found = [file for file in files if file.id == name or _is_known_as(file, name, first)]
    found = found or [file for file in files if _is_known_as(file, *others)]
    if not found:
        files = await with_filenames(client, files)
        found = [file for file in files if name in (file.filename, file.name.removeprefix("bytes:"))]
        found = found or [file for file in files if base_name(file.name) == name]
    if len(found) > 1:
        several = ", ".join(f"{file.id} ({brief(file.name, 120)})" for file in found[:5])
        hint = f"Tell one by its id: {several}; or by its path, where these differ."
        raise UserError(f"{len(found)} files of {store!r} are called {name!r}.", hint=hint)
    if not found:
        meant = did_you_mean(name, [file.name for file in files])
        raise UserError(f"{store!r} has no file {name!r}.{meant}", hint="store.files lists those there are.")
    return (await with_filenames(client, found))[0]


def _is_known_as(file: StoreFile, *names: str) -> bool:
    return file.source is not None and file.source.name in names


async def set_attributes(
    client: AsyncOpenAI, store_id: str, file: StoreFile, changes: Mapping[str, Any], *, replace: bool
) -> None:
    """Change a file's attributes; None takes one away.

    Raises:
        UserError: A value can't be kept, or there would be too many.
    """
    merged = dict(changes) if replace else {**file.attributes, **changes}
    told = checked_attributes(merged, file.name, most=15 if file.source is not None else 16)
    if file.source is not None:
        told |= {SOURCE_KEY: file.source.line()}
    with platform_errors(client, f"Setting the attributes of {file.name!r}"):
        await client.vector_stores.files.update(file.id, vector_store_id=store_id, attributes=told)


async def file_chunks(client: AsyncOpenAI, store_id: str, file: StoreFile) -> list[Any]:
    """Return the passages of a file in order, as the client tells of them: `text`, and what the platform adds."""
    with platform_errors(client, f"Reading the passages of {file.name!r}"):
        page = await client.vector_stores.files.content(
            file.id, vector_store_id=store_id, extra_headers=ASK_FOR_DETAILS
        )
    return [part for part in page.data if part.text is not None]


def chunks_frame(chunks: list[Any]) -> pd.DataFrame:
    """Return passages as a dataframe, a row each, in order."""
    from agentkit.files.frames import frame_of

    details = [details_of(chunk) for chunk in chunks]
    return frame_of(
        {
            "chunk": ("Int64", [place if each.chunk is None else each.chunk for place, each in enumerate(details)]),
            "text": ("string", [chunk.text for chunk in chunks]),
            "page": ("Int64", [each.page for each in details]),
            "last_page": ("Int64", [each.last_page for each in details]),
            "heading": ("string", [each.heading for each in details]),
            "tokens": ("Int64", [each.tokens for each in details]),
        },
        [],
    )


async def all_files(client: AsyncOpenAI, store_id: str, *, store: str = "") -> list[StoreFile]:
    """Return all files of a store with their file names, oldest first."""
    return await with_filenames(client, await store_files(client, store_id, store=store))
