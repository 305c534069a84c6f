"""The folders of checkpoints: which one to go on from, and which to keep.

A checkpoint is a folder of the trainer's, `checkpoint-<step>`. It counts once it has a mark, which is written last:
what a killed worker was about to write is passed over, and removed by the next.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentkit.local.training.store import JobStore

__all__ = ["KEPT", "Saved", "drop_state", "linked_copy", "mark", "newest", "prune", "saved"]

KEPT: Final = 3
"""Checkpoints that can be asked; those of the last epochs."""

_MARK: Final = "agentkit.json"
_NAME: Final = re.compile(r"checkpoint-(\d+)")
_STATE: Final = ("optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "rng_state*.pth", "trainer_state.json")
_NEVER_SERVED: Final = ("training_args.bin", "README.md", _MARK, *_STATE)


@dataclass(frozen=True, slots=True)
class Saved:
    """A whole checkpoint on the disk."""

    step: int
    folder: Path
    of_epoch: bool
    """Whether it is that of an epoch's end, which can be asked; else one to go on from."""
    resumable: bool
    """Whether the state of its optimizer is there."""


def mark(folder: Path, *, step: int, of_epoch: bool) -> None:
    """Say that a checkpoint is whole.

    Raises:
        OSError: It can't be written.
    """
    target = folder / _MARK
    partial = folder / f"{_MARK}.part"
    partial.write_text(json.dumps({"step": step, "of_epoch": of_epoch}))
    os.replace(partial, target)


def saved(root: Path) -> list[Saved]:
    """Return the whole checkpoints below a folder, oldest first."""
    found = []
    for folder in root.iterdir() if root.is_dir() else ():
        match = _NAME.fullmatch(folder.name)
        if match is None:
            continue
        with contextlib.suppress(OSError, ValueError):
            told = json.loads((folder / _MARK).read_text())
            resumable = (folder / "trainer_state.json").is_file()
            found.append(Saved(int(match[1]), folder, bool(told["of_epoch"]), resumable))
    return sorted(found, key=lambda each: each.step)


def newest(root: Path) -> Saved | None:
    """Return the checkpoint to go on from, or None."""
    return next((each for each in reversed(saved(root)) if each.resumable), None)


def prune(store: JobStore, job_id: str, root: Path) -> None:
    """Keep what is needed: the last three of an epoch's end, and the newest with its optimizer's state.

    What is not whole goes, too.
    """
    whole = saved(root)
    last = whole[-1:] if whole else []
    asked = [each for each in whole if each.of_epoch][-KEPT:]
    kept = {each.folder for each in (*asked, *last)}
    named = {each.step for each in asked}
    store.drop_checkpoints(job_id, [each.step for each in store.checkpoints(job_id) if each.step not in named])
    for folder in root.iterdir() if root.is_dir() else ():
        if _NAME.fullmatch(folder.name) and folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    for each in asked:
        if each not in last:
            drop_state(each.folder)


def drop_state(folder: Path) -> None:
    """Remove what only serves to go on from a checkpoint; the model stays."""
    for pattern in _STATE:
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                path.unlink()


def linked_copy(source: Path, target: Path) -> None:
    """Put a model's files into another folder, without taking their room twice where the disk can do that.

    Raises:
        OSError: They can't be written.
    """
    making = target.with_name(f".{target.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700, parents=True)
    for path in source.iterdir():
        if not path.is_file() or any(path.match(pattern) for pattern in _NEVER_SERVED):
            continue
        try:
            os.link(path.resolve(), making / path.name)
        except OSError:
            shutil.copyfile(path, making / path.name)
    shutil.rmtree(target, ignore_errors=True)
    making.rename(target)
