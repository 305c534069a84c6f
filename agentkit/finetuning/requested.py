"""What a training is asked for: arguments, checked before anything is sent."""

from __future__ import annotations

import difflib
import math
import numbers
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentkit._repr import brief
from agentkit.backend import Backend
from agentkit.exceptions import UserError
from agentkit.files.checks import check_sendable, checked_metadata
from agentkit.finetuning.hosted import trainable_models, training_ends
from agentkit.local.training.bases import TINY_MODEL
from agentkit.training_files.checking import Kind

__all__ = ["Wanted", "checked_hyperparameters", "checked_method", "chosen_model", "wanted_job"]

_MAX_SEED: Final = 2_147_483_647
_WHOLE: Final = {"n_epochs": (1, 50), "batch_size": (1, 256), "lora_rank": (0, 256), "max_length": (16, 1_048_576)}
"""Hyperparameters that are whole numbers, with the least and the most."""
_ABOVE_ZERO: Final = {"learning_rate_multiplier": math.inf, "beta": 2.0}
"""Those that are numbers above 0, with the most."""
_OURS: Final = frozenset({"lora_rank", "max_length"})
"""Those that OpenAI doesn't have."""
_MEANT: Final = {
    "epochs": "n_epochs", "num_epochs": "n_epochs", "num_train_epochs": "n_epochs", "batch": "batch_size",
    "learning_rate": "learning_rate_multiplier", "lr": "learning_rate_multiplier", "rank": "lora_rank",
    "r": "lora_rank", "max_tokens": "max_length", "context": "max_length",
}  # fmt: skip
_WANDB: Final = ("project", "name", "entity", "tags")
_API_NAMES: Final = {"sft": "supervised", "dpo": "dpo"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A training, as it was asked for."""

    model: str
    """The model to start from."""
    method: Kind
    """How to train."""
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    """Those that were given."""
    suffix: str | None = None
    seed: int | None = None
    wandb: Mapping[str, Any] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def body(self, training_file: str, validation_file: str | None, notes: Mapping[str, int]) -> dict[str, Any]:
        """Return the request.

        Args:
            training_file: Id of the file.
            validation_file: Likewise, where there is one.
            notes: Numbers that are noted in the metadata, as long as there is room.
        """
        kind = _API_NAMES[self.method]
        method: dict[str, Any] = {"type": kind}
        if self.hyperparameters:
            method[kind] = {"hyperparameters": dict(self.hyperparameters)}
        metadata = dict(self.metadata)
        for name, number in notes.items():
            if len(metadata) < 16:
                metadata[f"agentkit_{name}"] = str(number)
        optional = {
            "validation_file": validation_file,
            "suffix": self.suffix,
            "seed": self.seed,
            "integrations": None if self.wandb is None else [{"type": "wandb", "wandb": dict(self.wandb)}],
            "metadata": metadata or None,
        }
        given = {name: value for name, value in optional.items() if value is not None}
        return {"model": self.model, "training_file": training_file, "method": method, **given}


def wanted_job(
    backend: Backend,
    kind: Kind,
    *,
    model: Any,
    method: Any,
    hyperparameters: Any,
    suffix: Any,
    seed: Any,
    wandb: Any,
    metadata: Any,
) -> Wanted:
    """Return what is asked for.

    Args:
        backend: Who trains.
        kind: What the examples are for.
        model: These are the arguments of `agentkit.finetune`, whatever the user has given.
        method: Likewise, as are the others.
        hyperparameters: …
        suffix: …
        seed: …
        wandb: …
        metadata: …

    Raises:
        UserError: One makes no sense.
    """
    how = checked_method(method, kind)
    return Wanted(
        model=chosen_model(backend, model),
        method=how,
        hyperparameters=checked_hyperparameters(hyperparameters, how, hosted=backend.name == "openai"),
        suffix=_suffix(suffix),
        seed=_seed(seed),
        wandb=_wandb(wandb),
        metadata={} if metadata is None else checked_metadata(metadata),
    )


def chosen_model(backend: Backend | None, model: Any) -> str:
    """Return the name of the model to start from.

    Args:
        backend: Who trains; None where nobody is connected.
        model: What the user has given.

    Raises:
        UserError: None is named and there is none that goes without saying, or it is no name.
    """
    who = "" if backend is None else backend.name
    if model is None:
        if who == "embedded":
            return TINY_MODEL
        if who == "openai":
            names = ", ".join(map(repr, trainable_models()))
            hint = f"OpenAI trains {names}, for organisations that have been training, until {training_ends()}."
        else:
            hint = f"{who or 'A platform'} may tell which models it trains: %agentkit models."
        raise UserError("A training needs the model to start from, and none is named.", hint=hint)
    if hasattr(model, "use") and hasattr(model, "checkpoints"):  # a job: the model that came of it
        return str(model.use())
    if isinstance(model, os.PathLike):
        return str(Path(model).expanduser().absolute())
    if not isinstance(model, str) or not model.strip():
        text = f"model is a name or a folder, not {brief(model)}."
        raise UserError(text, hint='For instance "tiny-1", "./my-model", "ft:…" or a job that is over.')
    check_sendable("A model's name", model)
    if who == "embedded" and model.startswith(("./", "../", "~")):
        return str(Path(model).expanduser().absolute())  # the trainer works in a folder of its own
    return model.strip()


def checked_method(method: Any, kind: Kind) -> Kind:
    """Return how to train examples of a kind.

    Raises:
        UserError: The examples are for another method, or there is none of the name.
    """
    if method is None or method == kind or (method == "supervised" and kind == "sft"):
        return kind
    if method in ("sft", "supervised", "dpo"):
        remedy = {
            "sft": 'They train with method="sft". DPO takes pairs of a preferred and another answer.',
            "dpo": 'They train with method="dpo". For SFT make conversations of the preferred answers.',
        }[kind]
        raise UserError(f"The examples are for {kind.upper()}, and method is {method!r}.", hint=remedy)
    meant = ""
    if method in ("reinforcement", "rft", "grpo", "ppo"):
        meant = " Nobody offers reinforcement any more: score answers, and train on pairs of a better and a worse one."
    raise UserError(f'method is "sft" or "dpo", not {brief(method)}.{meant}', hint="None takes what the examples are.")


def checked_hyperparameters(given: Any, method: Kind, *, hosted: bool) -> dict[str, Any]:
    """Return hyperparameters as the platform takes them.

    Args:
        given: What the user has given.
        method: How to train.
        hosted: Whether OpenAI trains, which has fewer of them.

    Raises:
        UserError: There is no such hyperparameter, or it can't have that value.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise UserError(f"hyperparameters is a dictionary, not {brief(given)}.", hint='For instance {"n_epochs": 3}.')
    known = [
        name
        for name in (*_WHOLE, *_ABOVE_ZERO)
        if (name != "beta" or method == "dpo") and not (hosted and name in _OURS)
    ]
    for name in given:
        if name not in known:
            raise UserError(_unknown(name, method, hosted, known), hint=f"There are {', '.join(known)}.")
    return {name: _checked_value(name, value) for name, value in given.items()}


def _unknown(name: Any, method: Kind, hosted: bool, known: list[str]) -> str:
    if name == "beta":
        return f"beta belongs to DPO, and the method is {method.upper()}."
    if hosted and name in _OURS:
        return f"OpenAI has no hyperparameter {name!r}: it belongs to the embedded trainer."
    near = [_MEANT[name]] if name in _MEANT else difflib.get_close_matches(str(name), known, n=1)
    meant = f" Did you mean {near[0]}?" if near and near[0] in known else ""
    return f"There is no hyperparameter {brief(name)}.{meant}"


def _checked_value(name: str, value: Any) -> Any:
    """Return a hyperparameter's value as JSON has it; numbers may be numpy's."""
    if isinstance(value, str) and value == "auto":
        return value
    if name in _WHOLE:
        least, most = _WHOLE[name]
        if not isinstance(value, bool) and isinstance(value, numbers.Integral) and least <= int(value) <= most:
            return int(value)
        raise UserError(f'{name} is a whole number from {least} to {most:,}, or "auto", not {brief(value)}.')
    up_to = _ABOVE_ZERO[name]
    if not isinstance(value, bool) and isinstance(value, numbers.Real):
        number = float(value)
        if 0 < number <= up_to and math.isfinite(number):
            return number
    told = f" and up to {up_to:g}" if math.isfinite(up_to) else ""
    raise UserError(f'{name} is a number above 0{told}, or "auto", not {brief(value)}.')


def _suffix(given: Any) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or not 1 <= len(given) <= 64 or ":" in given or not given.isprintable():
        text = f"suffix is a text of 1 to 64 characters without a colon, not {brief(given)}."
        raise UserError(text, hint='For instance suffix="routing-2".')
    check_sendable("A suffix", given)
    return given


def _seed(given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not hasattr(given, "__index__") or not 0 <= given.__index__() <= _MAX_SEED:
        raise UserError(f"seed is a whole number from 0 to {_MAX_SEED:,}, not {brief(given)}.")
    return int(given.__index__())


def _wandb(given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    told = {"project": given} if isinstance(given, str) else given
    if not isinstance(told, Mapping) or not isinstance(told.get("project"), str) or not told["project"].strip():
        text = f"wandb names the project that metrics are sent to, and {brief(given)} names none."
        raise UserError(text, hint='For instance wandb="routing", or wandb={"project": "routing", "tags": ["tiny"]}.')
    if unknown := [name for name in told if name not in _WANDB]:
        raise UserError(f"wandb has no {brief(unknown[0])}.", hint=f"There are {', '.join(_WANDB)}.")
    for name in ("name", "entity"):
        if not isinstance(told.get(name), str | None):
            raise UserError(f"wandb's {name} is a text, not {brief(told[name])}.")
    tags = told.get("tags")
    if tags is not None and not (isinstance(tags, list | tuple) and all(isinstance(each, str) for each in tags)):
        raise UserError(f"wandb's tags are a list of texts, not {brief(tags)}.")
    return {name: list(value) if name == "tags" else value for name, value in told.items() if value is not None}
