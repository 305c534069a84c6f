"""Writing to the store at once, in the thread that asks for it: what readers rate and note."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from agentkit._sqlite import NewerSchemaError
from agentkit.exceptions import UserError
from agentkit.tracing.database import Database
from agentkit.tracing.store import advice, store_path

__all__ = ["change_store"]


def change_store(what: str, change: Callable[[Database], None]) -> None:
    """Change something in the file of the traces; it is there when this returns.

    Args:
        what: What is to be kept, for the error: "rating".
        change: Does it.

    Raises:
        UserError: The file can't be written.
    """
    path = store_path()
    try:
        database = Database(path)
        try:
            change(database)
        finally:
            database.close()
    except NewerSchemaError as error:
        raise UserError(
            f"The {what} isn't kept: a newer agentkit wrote {path} ({error}).", hint=advice(error)
        ) from error
    except (sqlite3.Error, OSError) as error:
        raise UserError(f"The {what} isn't kept: {path} can't be written ({error}).", hint=advice(error)) from error
