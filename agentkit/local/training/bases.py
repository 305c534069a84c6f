"""Which model a name means, that is trained or asked: tiny-1, an earlier result, a folder, or one of Hugging Face's.

Nothing is loaded or fetched to find out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agentkit.local.hub_cache import cached_snapshot
from agentkit.local.training.store import JobStore

__all__ = ["TINY_MODEL", "Base", "UnknownBaseError", "base_of_adapter", "resolve", "tiny_folder"]

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
        snapshot = cached_snapshot(name)
        is_here = snapshot is not None and _is_model(snapshot)
        return Base(name, "hub", snapshot if is_here else None, name.rpartition("/")[2])
    raise UnknownBaseError(
        f"No model is called '{name:.200}' here. There are: '{TINY_MODEL}', models that were trained here ('ft:…'), "
        "the folder of a Hugging Face model ('/…', '~/…' or './…'), and 'organisation/name' of one on Hugging Face."
    )


def tiny_folder(home: Path) -> Path:
    """Return where the tiny-1 that can be asked without a training is, once it was made."""
    return home / "fine_tuning" / "models" / TINY_MODEL


def base_of_adapter(folder: Path) -> str:
    """Return the model that a LoRA in a folder is an adapter of, as `resolve` knows it: a folder, or a name.

    A base that lay in the same job's folder, and isn't where it was, is looked for there: the platform's folder may
    have been moved.

    Raises:
        OSError: The configuration of the LoRA can't be read.
        ValueError: It is broken, or names none.
    """
    config = json.loads((folder / "adapter_config.json").read_bytes())
    named = config.get("base_model_name_or_path") if isinstance(config, dict) else None
    if not isinstance(named, str) or not named:
        raise ValueError("it names no base model")
    recorded = Path(named)
    if recorded.is_absolute() and not recorded.is_dir():
        for parent in folder.absolute().parents:
            if parent.name.startswith("ftjob-") and parent.name in recorded.parts:
                moved = parent.joinpath(*recorded.parts[recorded.parts.index(parent.name) + 1 :])
                return str(moved) if moved.is_dir() else named
    return named


def _trained(name: str, home: Path) -> Base:
    store = JobStore(home)
    try:
        found = store.model(name)
    finally:
        store.close()
    if found is None:
        raise UnknownBaseError(
            f"There is no model '{name:.200}' any more, or there never was. %finetune list tells what was trained."
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
        there_is = "" if str(folder) == name else f" ({folder})"
        raise UnknownBaseError(f"There is no folder '{name:.200}'{there_is}: give that of a Hugging Face model.")
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
