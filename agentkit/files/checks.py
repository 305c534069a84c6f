"""Values of arguments that are checked in several places."""

from __future__ import annotations

from typing import Any

from agentkit._repr import brief
from agentkit.exceptions import UserError

__all__ = ["check_listener", "check_sendable", "check_switch"]


def check_switch(name: str, value: Any) -> None:
    """Check that an argument is True or False, as a text such as "no" would be taken for True.

    Raises:
        UserError: It is neither.
    """
    if not isinstance(value, bool):
        raise UserError(f"{name} has to be True or False, not {brief(value)}.")


def check_listener(on_progress: Any) -> None:
    """Check that whoever is to be told of the progress can be called.

    Raises:
        UserError: It can't.
    """
    if on_progress is not None and not callable(on_progress):
        raise UserError(
            f"on_progress can't be {brief(on_progress)}.", hint="It is a function that is given a StoreProgress."
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
