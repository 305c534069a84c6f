"""By which names files are known again: from the working folder, outside of it as they were typed; of addresses."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from agentkit._repr import brief
from agentkit.files.attributes import short_name
from agentkit.files.folders import Pattern

__all__ = ["Scope", "address_name", "base_name", "did_you_mean", "names_of_path", "path_name", "scope_within"]


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that a folder or pattern stands for, to find those that are gone from it."""

    root: Path
    """The folder, from the root of all."""
    base: Path
    """The folder that names are told from, likewise."""
    absolute: bool
    """Whether what is outside of the base is named from the root of all, as the folder was typed."""
    pattern: Pattern
    """What comes after the folder."""

    def holds(self, name: str) -> bool:
        """Return whether a file of that name belongs to it."""
        absolute, first = os.path.isabs(name), name.partition("/")[0]
        if ":" in first and not absolute:  # an address, bytes, a row
            return False
        if (absolute or first == "..") and absolute is not self.absolute:
            return False
        path = Path(os.path.normpath(self.base / name))
        return path.is_relative_to(self.root) and self.pattern.fits(path.relative_to(self.root).parts)


def scope_within(root: Path, pattern: Pattern, base: Path | None) -> Scope:
    """Return which names a pattern within a folder stands for.

    Args:
        root: The folder, as it was typed.
        pattern: What comes after it.
        base: The folder that names are told from; the working folder when None.
    """
    return Scope(Path(os.path.abspath(root)), _whole(base), root.is_absolute(), pattern)


def path_name(path: Path, base: Path | None = None) -> str:
    """Return by what a file is known.

    Within the base that is its path from there. Outside of it, it is the path as it was typed, without detours: from
    the root of all, or from the base with "../". So no two files have the same name.

    Args:
        path: The file, as it was typed.
        base: The folder that names are told from; the working folder when None.
    """
    whole, from_base = Path(os.path.abspath(path)), _whole(base)
    if whole.is_relative_to(from_base):
        name = whole.relative_to(from_base).as_posix()
    elif path.is_absolute() or whole.drive != from_base.drive:
        return short_name(whole.as_posix())
    else:
        name = Path(os.path.relpath(whole, from_base)).as_posix()
    return short_name(f"./{name}" if ":" in name.partition("/")[0] else name)


def names_of_path(path: str | os.PathLike[str]) -> list[str]:
    """Return by what a file may be known that was added by a path, without `base`: as it is typed here comes first."""
    given = Path(os.path.expanduser(path))
    whole, here = Path(os.path.abspath(given)), Path.cwd()
    ways = [given, whole] if whole.drive != here.drive else [given, whole, Path(os.path.relpath(whole, here))]
    return list(dict.fromkeys(path_name(way) for way in ways))


def address_name(address: str) -> str:
    """Return by what a file on the web is known: its address, without a password or key that stands in it."""
    parts = urlsplit(address)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    if parts.query:
        plain += f"?{hashlib.sha256(parts.query.encode()).hexdigest()[:12]}"
    return short_name(plain)


def base_name(name: str) -> str:
    """Return the last part of the name by which a file is known: "prices.csv" of "docs/prices.csv"."""
    return name.rpartition("/")[2].removeprefix("bytes:").removeprefix("row:")


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return " Did you mean …?" with names that end as another does, or are much like it; "" where there are none."""
    there = list(dict.fromkeys(names))
    near = [each for each in there if base_name(each) == base_name(name.replace(os.sep, "/"))]
    near = near or difflib.get_close_matches(name, there, n=2, cutoff=0.8)
    return f" Did you mean {' or '.join(brief(each, 120) for each in near[:3])}?" if near else ""


def _whole(base: Path | None) -> Path:
    return Path(os.path.abspath(base or Path.cwd()))
