"""`agentkit.sql`: questions to the store that the dataframes don't answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._sqlite import NewerSchemaError
from agentkit.exceptions import UserError
from agentkit.tracing.columns import flush_store
from agentkit.tracing.database import Database
from agentkit.tracing.reader import reading
from agentkit.tracing.store import advice, store_path

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sql"]

_ALLOWED = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)  # fmt: skip
_STEPS = 20_000
"""Of SQLite, between two looks at what Python has to do: a few milliseconds."""
_PRAGMAS = frozenset({"table_info", "table_list", "table_xinfo", "index_list", "index_info", "user_version"})


@called_as("agentkit.sql")
def sql(query: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> pd.DataFrame:
    """Return what a query in SQLite's SQL finds among the traces. It can read, and change nothing.

    ```python
    agentkit.sql("select model, count(*) as calls from spans where kind = 'response' group by model")
    ```

    Args:
        query: One statement that selects. The tables are `traces`, `spans`, `feedback`, `notes` and `requests`; times
            in them are nanoseconds since 1970, and inputs, outputs, errors and data are JSON.
        params: Values for the `?` in it, or for `:name`.

    Returns:
        A dataframe with the columns of the query. Its dtypes are what pandas makes of the values.

    Raises:
        UserError: The query makes no sense or would change something, or the file can't be read.
    """
    import pandas as pd

    if not isinstance(query, str) or not query.strip():
        raise UserError(
            f"A query is a text, not {query!r:.60}.", hint='For example agentkit.sql("select * from traces").'
        )
    if not isinstance(params, Sequence | Mapping) or isinstance(params, str | bytes):
        raise UserError(
            f"params is a list of values for the ? in the query, or a dictionary for its :names, not {params!r:.60}.",
            hint='For example agentkit.sql("select * from spans where kind = ?", ["response"]).',
        )
    flush_store()
    _begin_store()
    with reading() as connection:
        if connection is None:
            raise AssertionError("the store was there a moment ago")
        connection.set_authorizer(_may)
        # Python handles signals between its own steps only: without a few, an interrupt would wait for SQLite.
        connection.set_progress_handler(lambda: 0, _STEPS)
        try:
            found = connection.execute(query, params)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _mistake(connection, error) from None
        except (TypeError, ValueError, OverflowError) as error:
            raise UserError(f"These values can't be used in the query: {error}.") from None
        if found.description is None:
            raise UserError("The query selects nothing.", hint='For example agentkit.sql("select * from traces").')
        try:
            rows = found.fetchall()
        except sqlite3.OperationalError as error:
            raise _mistake(connection, error) from None
    return pd.DataFrame(rows, columns=[name for name, *_ in found.description])


def _begin_store() -> None:
    """Make an empty store where there is none: it answers as well."""
    path = store_path()
    if path.is_file():
        return
    try:
        Database(path).close()
    except (sqlite3.Error, OSError, NewerSchemaError) as error:
        raise UserError(f"There are no traces, and {path} can't be made ({error}).", hint=advice(error)) from error


def _may(action: int, first: str | None, second: str | None, *_: Any) -> int:
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if first in _PRAGMAS else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and second == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _mistake(connection: sqlite3.Connection, error: Exception) -> UserError:
    """Return what to tell of an error in the query.

    Raises:
        KeyboardInterrupt: It was that, in the progress handler, which never stops a query itself.
    """
    message = str(error)
    connection.set_progress_handler(None, 0)
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
        raise KeyboardInterrupt from None
    if "not authorized" in message or "prohibited" in message or "authorization denied" in message:
        return UserError("agentkit.sql only reads: the query would do something else.", hint="Begin it with select.")
    connection.set_authorizer(None)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    hint = f"The tables are {', '.join(sorted(tables))}."
    if message.startswith("no such column"):
        columns = {t: [row[1] for row in connection.execute(f"PRAGMA table_info({t})")] for t in ("traces", "spans")}
        hint = " ".join(f"{table} has {', '.join(names)}." for table, names in columns.items())
    return UserError(f"The query can't be answered: {message.rstrip('.')}.", hint=hint)
