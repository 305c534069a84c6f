"""Values of arguments that are checked in several places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentkit._repr import brief
from agentkit.exceptions import UserError

__all__ = ["check_listener", "check_sendable", "check_switch", "checked_metadata"]


def check_switch(name: str, value: Any) -> None:
    """Check that an argument is True or False, as a text such as "no" would be taken for True.

    Raises:
        UserError: It is neither.
    """
    if not isinstance(value, bool):
        raise UserError(f"{name} has to be True or False, not {brief(value)}.")


def check_listener(on_progress: Any, given: str = "StoreProgress") -> None:
    """Check that whoever is to be told of the progress can be called.

    Args:
        on_progress: Who it is.
        given: What it is given, for the error.

    Raises:
        UserError: It can't.
    """
    if on_progress is not None and not callable(on_progress):
        raise UserError(
            f"on_progress can't be {brief(on_progress)}.", hint=f"It is a function that is given a {given}."
        )


def check_sendable(what: str, text: str) -> None:
    """Check that a text is Unicode, which half of a surrogate pair is not.

    Args:
        what: What it is, for the error: "A query".
        text: The text.

    Raises:
        UserError: It can't be written as UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        sign = ascii(text[error.start])
        raise UserError(
            f"{what} can't be sent: {sign} at character {error.start} is half of a pair, and no character.",
            hint='text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") makes it whole.',
        ) from None


def checked_metadata(given: Any) -> dict[str, str]:
    """Return metadata as the platform takes it.

    Raises:
        UserError: It is none.
    """
    if not isinstance(given, Mapping):
        raise UserError(f"metadata has to be a dictionary, not {brief(given)}.", hint='For instance {"team": "hr"}.')
    for key, value in given.items():
        if not isinstance(key, str) or not isinstance(value, str) or not 0 < len(key) <= 64 or len(value) > 512:
            text = f"metadata can't hold {brief(key)}: {brief(value)}."
            raise UserError(text, hint="Keys are texts of at most 64 characters, values of at most 512.")
    if len(given) > 16:
        raise UserError(f"metadata has {len(given)} entries; at most 16 are kept.")
    return dict(given)
