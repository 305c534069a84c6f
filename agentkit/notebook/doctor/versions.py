"""Which distributions are installed where, and whether a version is what is asked for."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Requirement", "installed", "meets", "release", "requirements_of", "site_packages"]

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?$")
_SPECIFIER = re.compile(r"(>=|<=|==|!=|~=|>|<)\s*([0-9][^,\s]*)")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A distribution that another needs."""

    name: str
    """Its name."""
    specifiers: str
    """What its version has to be, such as ">=3.50,<4"; "" for any."""


def release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version: (3, 52, 0) of "3.52.0rc1". Without its zeros at the end: 8.0 is 8."""
    numbers = [int(part) for part in re.findall(r"\d+", re.split(r"(?:[a-z+!-]|\.dev|\.post)", version.lower())[0])]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def meets(version: str, specifiers: str) -> bool:
    """Tell whether a version is what is asked for."""
    return all(_meets(release(version), sign, release(other)) for sign, other in _SPECIFIER.findall(specifiers))


def _meets(own: tuple[int, ...], sign: str, other: tuple[int, ...]) -> bool:
    match sign:
        case ">=":
            return own >= other
        case "<=":
            return own <= other
        case "==":
            return own == other
        case "!=":
            return own != other
        case ">":
            return own > other
        case "<":
            return own < other
    return own >= other and own[: len(other) - 1] == other[:-1]  # ~=


def requirements_of(name: str) -> list[Requirement]:
    """Return what an installed distribution needs wherever it is used: extras and markers are left out."""
    found = []
    for line in importlib.metadata.requires(name) or ():
        match = _REQUIREMENT.match(line)
        if match and not (match[3] or "").strip():
            found.append(Requirement(match[1], match[2].strip()))
    return found


def installed(names: Iterable[str], *, path: list[str] | None = None) -> dict[str, str]:
    """Return the versions of those of `names` that are installed.

    Args:
        names: Names of distributions.
        path: Folders of packages to look in; those of this process when None.
    """
    found = {}
    for name in names:
        for spelling in dict.fromkeys((name, name.replace("-", "_"), name.replace("_", "-"))):
            options = {"name": spelling} if path is None else {"name": spelling, "path": path}
            distribution = next(iter(importlib.metadata.distributions(**options)), None)
            if distribution is not None:
                found[name] = distribution.version
                break
    return found


def site_packages(prefix: Path) -> list[str]:
    """Return the folders of packages of the Python environment at `prefix`."""
    folders = [*prefix.glob("lib/python3*/site-packages"), *prefix.glob("lib/python3*/dist-packages")]
    return [str(folder) for folder in [*folders, prefix / "Lib" / "site-packages"] if folder.is_dir()]
