"""Which model a name means, that is trained or asked: tiny-1, an earlier result, a folder, or one of Hugging Face's.

Nothing is loaded or fetched to find out.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agentkit.local.training.store import JobStore

__all__ = ["TINY_MODEL", "Base", "UnknownBaseError", "resolve", "tiny_folder"]

TINY_MODEL = "tiny-1"

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_TRAINED = re.compile(r"ft:(?P<base>[^:]+):")


class UnknownBaseError(Exception):
    """No model has a name, or its folder is none of a model. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Base:
    """A model, by where it is."""

    name: str
    """As it was asked for."""
    kind: Literal["tiny", "trained", "folder", "hub"]
    """`tiny`: made on the spot. `trained`: of a job. `hub`: of Hugging Face, in its cache or still to be fetched."""
    folder: Path | None
    """Its Hugging Face folder; None for tiny-1 where it wasn't made yet, and for one of Hugging Face's that isn't in
    the local cache."""
    shown: str
    """What it is called within the name of a model that is trained from it: "tiny-1", or the last part of a path."""


def resolve(name: str, home: Path) -> Base:
    """Return the model that a name means.

    Args:
        name: "tiny-1", "ft:…" of a model or a checkpoint, a folder (absolute, or with "~", "./" or "../" at its
            beginning; relative ones are looked for in the working folder), or "organisation/name" of Hugging Face.
        home: The platform's folder.

    Raises:
        UnknownBaseError: No model has it.
    """
    if name == TINY_MODEL:
        folder = tiny_folder(home)
        return Base(name, "tiny", folder if (folder / "config.json").is_file() else None, TINY_MODEL)
    if name.startswith("ft:"):
        return _trained(name, home)
    if "\0" in name:
        raise UnknownBaseError(f"A model's name has no NUL characters: {name!r:.80}.")
    if name.startswith(("/", "~", "./", "../")) or name in (".", "..") or Path(name).is_absolute():
        return _in_folder(name)
    if _HUB_NAME.fullmatch(name) and ".." not in name:
        return Base(name, "hub", _cached(name), name.rpartition("/")[2])
    raise UnknownBaseError(
        f"No model is called '{name:.200}' here. There are: '{TINY_MODEL}', models that were trained here ('ft:…'), "
        "the folder of a Hugging Face model ('/…', '~/…' or './…'), and 'organisation/name' of one on Hugging Face."
    )


def tiny_folder(home: Path) -> Path:
    """Return where the tiny-1 that can be asked without a training is, once it was made."""
    return home / "fine_tuning" / "models" / TINY_MODEL


def _trained(name: str, home: Path) -> Base:
    store = JobStore(home)
    try:
        found = store.model(name)
    finally:
        store.close()
    if found is None:
        raise UnknownBaseError(
            f"There is no model '{name:.200}' any more, or there never was: /v1/models lists those that were trained."
        )
    if not _is_model(found.folder):
        raise UnknownBaseError(
            f"The files of '{name:.200}' are gone: {found.folder} has no config.json. Train it again."
        )
    base = _TRAINED.match(name)
    return Base(name, "trained", found.folder, base["base"] if base else "model")


def _in_folder(name: str) -> Base:
    try:
        folder = Path(name).expanduser().resolve()
        there = folder.is_dir()
    except (OSError, RuntimeError) as error:  # no such user, a loop of links
        raise UnknownBaseError(f"The folder '{name:.200}' can't be looked into: {error}.") from error
    if not there:
        raise UnknownBaseError(f"There is no folder '{name:.200}' ({folder}): give that of a Hugging Face model.")
    if not _is_model(folder):
        raise UnknownBaseError(
            f"'{name:.200}' is no folder of a model: it has neither config.json nor adapter_config.json. "
            "Save the model and its tokenizer there with save_pretrained()."
        )
    return Base(name, "folder", folder, _plain(folder.name))


def _is_model(folder: Path) -> bool:
    return (folder / "config.json").is_file() or (folder / "adapter_config.json").is_file()


def _plain(name: str) -> str:
    """Return a folder's name without what would have a meaning in a model's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")[:64] or "model"


def _cached(name: str) -> Path | None:
    """Return the folder of a Hugging Face model in the local cache, where it has a configuration."""
    repository = _hub_cache() / f"models--{name.replace('/', '--')}"
    try:
        snapshot = repository / "snapshots" / (repository / "refs" / "main").read_text().strip()
    except (OSError, ValueError):
        return None
    return snapshot if _is_model(snapshot) else None


def _hub_cache() -> Path:
    """Return the folder in which Hugging Face's libraries keep what they have fetched."""
    if given := os.environ.get("HF_HUB_CACHE"):
        return Path(given).expanduser()
    if given := os.environ.get("HF_HOME"):
        return Path(given).expanduser() / "hub"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "huggingface" / "hub"
