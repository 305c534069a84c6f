"""What the platform says no to, as agentkit's exceptions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentkit._repr import brief
from agentkit.exceptions import AgentsException, UserError
from agentkit.models.errors import as_model_error, joined, said_by, server_of

if TYPE_CHECKING:
    import openai
    from openai import AsyncOpenAI

__all__ = ["gone_store", "platform_errors", "reason_of"]

_NO_SUCH_PART = 404, 405, 501
"""Statuses by which a server says that it has no such part of the API."""
_STORES_ARE = 'agentkit.connect("openai") and agentkit.connect("embedded") have them.'


@contextlib.contextmanager
def platform_errors(
    client: AsyncOpenAI,
    what: str,
    *,
    hint: str | None = None,
    names_one: bool = True,
    missing: str = "",
    kind: str = "vector stores",
    instead: str = _STORES_ARE,
) -> Iterator[None]:
    """Raise what the client raises as agentkit's: still of the client's classes, too.

    Args:
        client: Whom is asked.
        what: What is being done, for the message: "Opening the vector store 'vs_1'".
        hint: What to do where the platform doesn't know the object that is asked for.
        missing: What to say where the platform doesn't know the object; its own words when "".
        names_one: Whether the request is about one object. If not, and it isn't found, the server has none of the kind.
        kind: What the server has none of then.
        instead: What to do then.

    Raises:
        UserError: The platform refuses the request as it is, or doesn't know the object.
        AgentsException: The platform can't be reached, refuses the key, has no more room, or failed.
    """
    import openai

    try:
        yield
    except AgentsException:
        raise
    except openai.APIStatusError as error:
        none = "" if names_one else f"{server_of(client)} has no {kind}: it answered {error.status_code}."
        raise _of_status(error, client, what, hint, missing, UserError(none, hint=instead) if none else None) from error
    except openai.APIError as error:
        raise as_model_error(error, client) from error


def _of_status(
    error: openai.APIStatusError,
    client: AsyncOpenAI,
    what: str,
    hint: str | None,
    missing: str,
    none: UserError | None,
) -> AgentsException:
    status = error.status_code
    if status in _NO_SUCH_PART and none is not None:
        return joined(error, none)
    if status == 404 and missing:
        return joined(error, UserError(missing))
    if status in (400, 404, 409, 413, 422):
        said = said_by(error).rstrip()
        return joined(error, UserError(f"{what}: {said}{'' if said.endswith(('.', '!', '?')) else '.'}", hint=hint))
    return as_model_error(error, client)


def gone_store(name: str, store_id: str) -> str:
    """Return what is said where the platform doesn't know a store that was there."""
    return (
        f"The vector store {brief(name)} ({store_id}) is gone: it was deleted, or has expired. "
        f"Make it anew: agentkit.VectorStore.create({brief(name)})."
    )


def reason_of(error: BaseException) -> str:
    """Return why something failed, in a line for a report."""
    text = getattr(error, "message", None) or str(error)
    return " ".join(str(text or type(error).__name__).split())
