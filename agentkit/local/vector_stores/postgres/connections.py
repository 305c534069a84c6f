"""A few connections to a PostgreSQL server, or to several of which one can be written: primary and replicas."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from agentkit import _secrets
from agentkit.local.vector_stores.postgres.schema import prepare
from agentkit.local.vector_stores.storage import StorageError

if TYPE_CHECKING:
    import psycopg

__all__ = ["Connections", "NoServerError"]

T = TypeVar("T")

_MOST = 4
"""Connections of a process."""
_TRIES = 4
_PAUSE_S = 0.05
_LOOK_AGAIN_S = 3.0
"""How long a search does without a primary before it is looked for again."""
_CONNECT_S = "5"

_PASSING = frozenset({"40001", "40P01", "57P01", "57P02", "57P03", "25006", "53300"})
"""SQLSTATEs after which the same may work: conflicts between transactions, and servers that stop, start or change."""

_of_parents: list[Any] = []


class NoServerError(StorageError):
    """No server can be reached, or none that can be written."""


class Connections:
    """Opens connections when they are needed and keeps a few. Any thread may use it; a forked child opens its own.

    What is read comes from the primary, and from any other of the address's servers while there is none; with
    `target_session_attrs` in the address, from what that says. What is written goes to the primary.

    Args:
        dsn: `postgresql://…`; several servers are separated by commas.

    Raises:
        StorageError: It is no such address.
    """

    def __init__(self, dsn: str) -> None:
        from psycopg import ProgrammingError, conninfo

        try:
            given = conninfo.conninfo_to_dict(dsn)
        except ProgrammingError:  # its message repeats the address, with the password in it
            raise StorageError(
                "The address of the PostgreSQL server can't be read. It looks like "
                "postgresql://user:password@host:5432/database; write %40 for an @ in the password, and likewise for "
                "other signs."
            ) from None
        password = given.get("password")
        _secrets.register(str(password) if password else None)
        self._wanted = str(given.pop("target_session_attrs", "") or "")
        self._parameters: dict[str, Any] = {
            "connect_timeout": _CONNECT_S,
            "application_name": "agentkit",
            "keepalives_idle": "30",
            "keepalives_interval": "10",
            "keepalives_count": "3",
            "tcp_user_timeout": "30000",
            **given,
        }
        self.server = _shown(given)
        self._open: list[tuple[Any, bool]] = []
        self._forget()
        weakref.finalize(self, _close_all, self._open)

    def _forget(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_MOST)
        self._idle: list[tuple[Any, bool, float]] = []
        self._without_primary_until = 0.0

    @property
    def has_no_primary(self) -> bool:
        """Whether there was none a moment ago."""
        return time.monotonic() < self._without_primary_until

    def read(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Return what `work` finds over a connection that sees one state of the database. It may be called again.

        Raises:
            StorageError: It can't be read.
        """
        return self._attempt(work, writes=False, patience_s=0.0)

    def write(self, work: Callable[[psycopg.Connection[Any]], T], *, patience_s: float = 0.0) -> T:
        """Return what `work` does in a transaction, kept whole or not at all. It may be called again.

        Args:
            work: What to do.
            patience_s: How long to wait for a primary, in seconds.

        Raises:
            StorageError: It can't be written.
        """
        return self._attempt(work, writes=True, patience_s=patience_s)

    @contextlib.contextmanager
    def alone(self) -> Iterator[psycopg.Connection[Any]]:
        """Give a connection to the primary in autocommit mode, for what can't be done in a transaction.

        Raises:
            StorageError: There is no primary, or what is done fails.
        """
        with self._explained(), self._borrowed(writable=True) as connection:
            yield connection

    def close(self) -> None:
        """Close what is idle. It is opened again when it is needed."""
        self._after_fork()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _, _ in idle:
            self._discard(connection)

    def _attempt(self, work: Callable[[psycopg.Connection[Any]], T], *, writes: bool, patience_s: float) -> T:
        import psycopg

        until, tries = time.monotonic() + patience_s, 0
        with self._explained():
            while True:
                committing = False
                try:
                    with self._borrowed(writable=writes) as connection:
                        connection.read_only = not writes
                        repeatable = None if writes else psycopg.IsolationLevel.REPEATABLE_READ
                        connection.isolation_level = repeatable
                        with connection.transaction():
                            result = work(connection)
                            committing = writes
                        return result
                except NoServerError:
                    if time.monotonic() >= until:
                        raise
                except psycopg.Error as error:
                    tries += 1
                    lost = error.sqlstate is None and isinstance(error, psycopg.OperationalError)
                    if committing and lost:
                        raise StorageError(
                            f"The connection to {self.server} was lost while something was being kept "
                            f"({_said(error)}). Look whether it was, and do it again if not."
                        ) from error
                    passing = lost or error.sqlstate in _PASSING
                    if not passing or (tries >= _TRIES and time.monotonic() >= until):
                        raise
                time.sleep(_PAUSE_S * (1 + tries))

    @contextlib.contextmanager
    def _borrowed(self, *, writable: bool) -> Iterator[psycopg.Connection[Any]]:
        self._after_fork()
        with self._places:
            connection, can_write = self._idle_one(writable) or self._connected(writable)
            try:
                yield connection
            except BaseException as error:
                if connection.broken or _is_demoted(error):
                    self._discard(connection)
                    self._drop_idle()  # the others were to the same server
                raise
            finally:
                if not connection.closed:
                    with self._lock:
                        self._idle.append((connection, can_write, time.monotonic()))

    def _idle_one(self, writable: bool) -> tuple[psycopg.Connection[Any], bool] | None:
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                connection, can_write, since = self._idle[place]
                stale = not can_write and not self._wanted and time.monotonic() - since > _LOOK_AGAIN_S
                if (writable and not can_write) or stale:
                    continue
                del self._idle[place]
                return connection, can_write
            spare = [connection for connection, can_write, _ in self._idle if not can_write]
            self._idle = [one for one in self._idle if one[1]]
        for connection in spare:
            self._discard(connection)
        return None

    def _connected(self, writable: bool) -> tuple[psycopg.Connection[Any], bool]:
        """Connect to the primary, or to what may be read."""
        import psycopg

        if not writable and self._wanted:
            return self._opened(self._wanted)
        if writable or not self.has_no_primary:
            try:
                return self._opened("read-write")
            except (psycopg.OperationalError, NoServerError) as error:
                self._without_primary_until = time.monotonic() + _LOOK_AGAIN_S
                if writable:
                    raise self._unwritable(error) from error
        return self._opened("any")

    def _opened(self, attributes: str) -> tuple[psycopg.Connection[Any], bool]:
        import psycopg

        try:
            connection = psycopg.connect(autocommit=True, target_session_attrs=attributes, **self._parameters)
        except psycopg.OperationalError as error:
            raise NoServerError(self._unreachable(error)) from error
        try:
            connection.read_only = None
            can_write = attributes == "read-write" or _can_write(connection)
            prepare(connection, self.server, writable=can_write)
            _register(connection)
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._open.append((connection, can_write))
        if can_write:
            self._without_primary_until = 0.0
        return connection, can_write

    def _discard(self, connection: psycopg.Connection[Any]) -> None:
        with self._lock:
            self._open[:] = [one for one in self._open if one[0] is not connection]
        connection.close()

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _, _ in idle:
            self._discard(connection)

    def _after_fork(self) -> None:
        """In a forked child: leave the parent's connections alone, which to close would end there too."""
        if self._process != os.getpid():
            _of_parents.extend(self._open)
            self._open.clear()
            self._forget()

    # What went wrong

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.errors.InsufficientPrivilege as error:
            user = self._parameters.get("user", "you")
            advice = f"Let the owner of the schema agentkit grant it to {user!r}, or use the owner's address."
            raise StorageError(f"{self.server} refuses it: {_said(error)}. {advice}") from error
        except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory) as error:
            advice = "What was kept before is still there. Make room on the server."
            raise StorageError(f"{self.server} can't do it: {_said(error)}. {advice}") from error
        except psycopg.Error as error:
            advice = "Try again; if it stays so, look into the server's log."
            raise StorageError(f"{self.server} can't do it: {_said(error)}. {advice}") from error

    def _unwritable(self, error: Exception) -> NoServerError:
        try:
            connection, _ = self._opened("any")
        except StorageError:
            return error if isinstance(error, NoServerError) else NoServerError(self._unreachable(error))
        self._discard(connection)
        return NoServerError(
            f"No server of {self.server} can be written: those that answer are replicas. What is there can be read. "
            "Start the primary, or promote a replica (SELECT pg_promote()), and try again."
        )

    def _unreachable(self, error: Exception) -> str:
        said = _said(error)
        if "authentication failed" in said or "no password supplied" in said:
            advice = "Check the user and the password in AGENTKIT_VECTORS, or in ~/.pgpass."
        elif "does not exist" in said and ("database" in said or "role" in said):
            advice = "Create it on the server, or mend AGENTKIT_VECTORS."
        else:
            advice = "Start the server, or mend AGENTKIT_VECTORS; without it, stores are kept on this machine."
        return f"{self.server} can't be used: {said}. {advice}"


def _shown(parameters: dict[str, Any]) -> str:
    """Return what to call the server: everything of its address but the password."""
    hosts = str(parameters.get("host") or parameters.get("hostaddr") or "the local host").split(",")
    ports = str(parameters.get("port") or "5432").split(",")
    places = [f"{host}:{ports[n] if len(ports) > n else ports[0]}" for n, host in enumerate(hosts)]
    return f"PostgreSQL at {', '.join(places)} (database {str(parameters.get('dbname') or 'of the user')!r})"


def _said(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = "; ".join(lines[:4]).rstrip(".") or type(error).__name__
    for secret in _secrets.known():
        text = text.replace(secret, "[redacted]")
    return text


def _is_demoted(error: BaseException) -> bool:
    return getattr(error, "sqlstate", None) == "25006"


def _can_write(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'")
    found = row.fetchone()
    return found is not None and bool(found[0])


def _register(connection: psycopg.Connection[Any]) -> None:
    """Let the connection take arrays as vectors, and give them."""
    from pgvector.psycopg import register_vector

    register_vector(connection)


def _close_all(opened: list[tuple[Any, bool]]) -> None:
    while opened:
        opened.pop()[0].close()
