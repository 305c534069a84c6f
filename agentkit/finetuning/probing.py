"""A few steps of a training on this machine, made to see how long all of them take."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentkit._home import home
from agentkit._process import child_environment
from agentkit.finetuning.sending import content_of

if TYPE_CHECKING:
    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["PROGRAM", "Probe", "forget_probes", "probe"]

PROGRAM: Final = (sys.executable, "-P", "-m", "agentkit.local.training.worker.probe")
"""What makes the steps: it reads JSON from its input, and writes JSON."""
_PATIENCE_S: Final = 300.0
_TOLD: Final = 300
"""Characters of what a program said that failed."""

_API_NAMES: Final = {"sft": "supervised", "dpo": "dpo"}
_known: dict[str, Probe] = {}
"""What was found in this process, by what was asked for and by the bytes of the examples."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a few steps have shown."""

    seconds_per_step: float
    """How long a step takes."""
    epochs: int
    """Epochs of a whole training, where nobody has said how many."""
    steps_per_epoch: int
    start_s: float
    """How long it takes until the first step."""
    tokens: int
    """Tokens of an epoch, by the model's own tokeniser: of very many examples by the first of them."""
    device: str
    """What the steps were made on."""
    parameters: int
    """Weights of the model."""


def forget_probes() -> None:
    """Let steps be made anew: the machine may have other things to do by now."""
    _known.clear()


def probe(dataset: FineTuningDataset, model: str, method: str, hyperparameters: Mapping[str, Any]) -> Probe | str:
    """Make a few steps of a training, and return what they have shown; a text where they can't be made: why.

    It is done once for the same examples, model and hyperparameters.

    Args:
        dataset: The examples.
        model: The model to start from.
        method: "sft" or "dpo".
        hyperparameters: Those that were given. How many epochs makes no difference to a step.
    """
    with tempfile.TemporaryDirectory(prefix="agentkit-") as folder:
        content = content_of(dataset, Path(folder))
        others = {name: value for name, value in hyperparameters.items() if name != "n_epochs"}
        asked = {"model": model, "method": _API_NAMES[method], "hyperparameters": others}
        key = json.dumps([asked, content.sha256], sort_keys=True)
        if key not in _known:
            found = _made({**asked, "home": str(home().absolute()), "lines": str(content.data), "count": len(dataset)})
            if isinstance(found, str):
                return found
            _known[key] = found
        return _known[key]


def _made(asked: Mapping[str, Any]) -> Probe | str:
    """Run the program, and return what it has found, or why it hasn't."""
    try:
        done = subprocess.run(
            PROGRAM,
            input=json.dumps(asked),
            capture_output=True,
            encoding="utf-8",
            timeout=_PATIENCE_S,
            check=False,
            env=child_environment(),
        )
    except subprocess.TimeoutExpired:
        return f"A few steps took longer than {_PATIENCE_S:g} s."
    except OSError as error:
        return f"No steps could be made to see: {error}."
    lines = done.stdout.strip().splitlines()
    try:
        told = json.loads(lines[-1]) if lines else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return f"No steps could be made to see: {said[:_TOLD]}"
    if failure := told.get("error"):
        return str(failure.get("message") if isinstance(failure, dict) else failure)
    return _probe(told, asked["count"])


def _probe(told: Mapping[str, Any], count: int) -> Probe:
    return Probe(
        seconds_per_step=float(told["seconds_per_step"]),
        epochs=int(told["n_epochs"]),
        steps_per_epoch=int(told["steps"]) // int(told["n_epochs"]),
        start_s=float(told["start_s"]),
        tokens=round(float(told["tokens_per_example"]) * count),
        device=str(told["device"]),
        parameters=int(told["parameters"]),
    )
