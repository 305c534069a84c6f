"""Files that are in a store twice, because two calls put them there at the same time."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from agentkit.files.listing import StoreFile

__all__ = ["age", "doubled", "undecided"]


def age(file: StoreFile) -> tuple[int, str]:
    """Return what files of one name are put in order by, older first: the same in every process."""
    return file.created_at, file.id


def doubled(files: Iterable[StoreFile], names: Collection[str]) -> list[tuple[StoreFile, list[StoreFile]]]:
    """Return of each name that several files have the one that is kept, and the others.

    All who look choose the same, whatever they see and whenever: a file that is ready before one that isn't, and of
    those the newest, as what is added later takes the place of what is there. So the one that is kept is never
    another's to remove. Of a name of which a file is still being indexed nothing is said.

    Args:
        files: The store's.
        names: The names that are looked at.
    """
    found = []
    for same in _several(files, names):
        if all(file.status != "in_progress" for file in same):
            *others, kept = sorted(same, key=lambda file: (file.status == "completed", *age(file)))
            found.append((kept, others))
    return found


def undecided(files: Iterable[StoreFile], names: Collection[str]) -> list[str]:
    """Return the ids of files that are still being indexed, and have a name that another file has.

    Args:
        files: The store's.
        names: The names that are looked at.
    """
    return [file.id for same in _several(files, names) for file in same if file.status == "in_progress"]


def _several(files: Iterable[StoreFile], names: Collection[str]) -> list[list[StoreFile]]:
    of_name: dict[str, list[StoreFile]] = {}
    for file in files:
        if file.source is not None and file.source.name in names:
            of_name.setdefault(file.source.name, []).append(file)
    return [same for same in of_name.values() if len(same) > 1]
