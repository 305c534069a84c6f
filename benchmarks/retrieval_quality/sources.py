"""Where the documentation comes from: Debian packages, by name, fetched once with apt-get."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["MANUALS", "TEXTS", "fetch"]

MANUALS = (
    "apt bash binutils-common coreutils cron curl dpkg e2fsprogs findutils gawk git-man grep groff gzip iproute2 jq "
    "less login make man-db manpages manpages-dev mount openssh-client passwd procps psmisc rsync sed sqlite3 strace "
    "systemd tar tmux unzip util-linux vim-common wget zip"
)
"""Packages whose manual pages are taken."""
TEXTS = ("perl-doc", "python3.11-doc", "debian-faq", "libpython3.11-stdlib", "libpython3.11-minimal")
"""Packages with lists of questions and answers, and with programs' docstrings."""


def fetch(folder: Path) -> Path:
    """Return the folder into which all packages are unpacked; what is there already isn't fetched again.

    Raises:
        RuntimeError: apt-get or dpkg-deb failed: on a system that isn't Debian's, or without its registry.
    """
    unpacked = folder / "unpacked"
    done = unpacked / "complete"
    if done.exists():
        return unpacked
    packages = folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    unpacked.mkdir(exist_ok=True)
    _run("apt-get", "download", *MANUALS.split(), *TEXTS, folder=packages)
    for package in sorted(packages.glob("*.deb")):
        _run("dpkg-deb", "-x", str(package), str(unpacked), folder=packages)
    done.write_text("\n".join(sorted(package.name for package in packages.glob("*.deb"))), encoding="utf-8")
    return unpacked


def _run(*command: str, folder: Path) -> None:
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise RuntimeError(f"There is no {command[0]}: the labelled set is made from Debian's packages.") from None
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed: {ended.stderr.strip()[-500:]}")
