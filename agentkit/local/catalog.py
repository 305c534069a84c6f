"""Which models there are, and which one answers to a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentkit._home import home as default_home
from agentkit.local.errors import model_gone, model_not_found
from agentkit.local.training.bases import TINY_MODEL, Base, UnknownBaseError, resolve

__all__ = [
    "NOTICE_HEADER",
    "REHEARSAL_MODEL",
    "ChosenModel",
    "check_is_here",
    "choose_model",
    "describe_model",
    "has_model",
]

REHEARSAL_MODEL = "rehearsal-1"
NOTICE_HEADER = "x-agentkit-notice"

_CREATED_AT = 1_793_491_200
"""Unix time of 2026-11-01, when rehearsal-1 came."""

_OPENAI_NAME = re.compile(r"(?:gpt-|chatgpt-|o[134](?![0-9]))[A-Za-z0-9._:-]*")


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """The model that answers a request."""

    name: str
    """Its name, as the answer gives it."""
    notice: str | None
    """What the user should be told, where it is not the model that was asked for; ASCII, for a header."""

    @property
    def headers(self) -> dict[str, str]:
        """Headers for the answer: the notice, if there is one, for the client's side to show once."""
        return {} if self.notice is None else {NOTICE_HEADER: self.notice}


def choose_model(name: str, home: Path) -> ChosenModel:
    """Return the model that answers to `name`: rehearsal-1, tiny-1, one that was trained, or one in a folder.

    Code written for one of OpenAI's models runs here too: rehearsal-1 answers, and says so. Models of Hugging Face are
    not fetched: they are in its cache already, or there are none.

    Args:
        name: "rehearsal-1", "tiny-1", "ft:…", a model's folder, "organisation/name", or one of OpenAI's names.
        home: The platform's folder.

    Raises:
        ApiError: There is none of that name.
    """
    if name == REHEARSAL_MODEL:
        return ChosenModel(name, None)
    if name == TINY_MODEL:
        return ChosenModel(name, f"{TINY_MODEL} was never trained: its answers are random. Train it to get a model.")
    if _OPENAI_NAME.fullmatch(name):
        notice = f"{name} was asked for, but this is the offline platform: rehearsal-1 answers, which only rehearses."
        return ChosenModel(REHEARSAL_MODEL, notice)
    try:
        base = resolve(name, home)
    except UnknownBaseError as error:
        if name.startswith("ft:") or _is_place(name):
            raise model_gone(str(error)) from None
        raise model_not_found(name, [REHEARSAL_MODEL, TINY_MODEL]) from None
    check_is_here(base)
    return ChosenModel(name, None)


def check_is_here(base: Base) -> None:
    """Check that a model is on this machine, or made here.

    Raises:
        ApiError: It would have to be fetched.
    """
    if base.kind == "hub" and base.folder is None:
        message = f"The model '{base.name}' is not in Hugging Face's cache on this machine. Fetch it first: "
        raise model_gone(f"{message}hf download {base.name}")


def has_model(name: str, home: Path | None = None) -> bool:
    """Tell whether something answers to `name`.

    Args:
        name: The name.
        home: The platform's folder; `AGENTKIT_HOME` or the user's data folder when None.
    """
    if name in (REHEARSAL_MODEL, TINY_MODEL) or _OPENAI_NAME.fullmatch(name) is not None:
        return True
    try:
        base = resolve(name, home if home is not None else default_home())
    except UnknownBaseError:
        return False
    return base.folder is not None


def _is_place(name: str) -> bool:
    return "/" in name or "\\" in name or name in (".", "..")


def describe_model(name: str) -> dict[str, Any]:
    """Return a model of the platform as `/v1/models/{id}` does."""
    return {"id": name, "object": "model", "created": _CREATED_AT, "owned_by": "agentkit", "shutdown_date": None}
