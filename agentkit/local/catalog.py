"""Which models there are, and which one answers to a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from agentkit.local.errors import model_not_found

__all__ = [
    "NOTICE_HEADER",
    "REHEARSAL_MODEL",
    "ChosenModel",
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


def choose_model(name: str) -> ChosenModel:
    """Return the model that answers to `name`.

    Code written for one of OpenAI's models runs here too: rehearsal-1 answers, and says so.

    Raises:
        ApiError: There is none of that name.
    """
    if name == REHEARSAL_MODEL:
        return ChosenModel(name, None)
    if _OPENAI_NAME.fullmatch(name):
        notice = f"{name} was asked for, but this is the offline platform: rehearsal-1 answers, which only rehearses."
        return ChosenModel(REHEARSAL_MODEL, notice)
    raise model_not_found(name, [REHEARSAL_MODEL])


def has_model(name: str) -> bool:
    """Tell whether something answers to `name`."""
    return name == REHEARSAL_MODEL or _OPENAI_NAME.fullmatch(name) is not None


def describe_model(name: str) -> dict[str, Any]:
    """Return a model of the platform as `/v1/models/{id}` does."""
    return {"id": name, "object": "model", "created": _CREATED_AT, "owned_by": "agentkit", "shutdown_date": None}
