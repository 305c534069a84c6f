"""Who is at what: leases that a living process renews, so that a dead machine's run out."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from typing import TYPE_CHECKING, Any

from agentkit._process import is_gone
from agentkit.local.vector_stores.storage import StorageError

if TYPE_CHECKING:
    import psycopg

    from agentkit.local.vector_stores.postgres.connections import Connections

__all__ = ["Leases", "begin_lease", "free_from_the_dead"]

_LASTS_S = 60
_RENEWED_EVERY_S = 15.0
_THREAD_NAME = "agentkit-leases"


class Leases:
    """What one storage object holds. A thread renews it while there is something, and ends by itself.

    Args:
        connections: To the database.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._held: dict[str, str] = {}
        self._known: set[str] = set()

    def holder(self, worker: str) -> str:
        """Return under which name a worker claims through this object. Others see its lease before it claims.

        Raises:
            StorageError: It can't be written.
        """
        self._after_fork()
        with self._lock:
            name = self._held.setdefault(worker, secrets.token_hex(8))
            known = name in self._known
        if not known:
            self._connections.write(lambda db: begin_lease(db, name, worker))
            with self._lock:
                self._known.add(name)
        return name

    def keep(self) -> None:
        """See to it that what is held stays so."""
        self._after_fork()
        with self._lock:
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(target=self._renew, args=(self._stop,), name=_THREAD_NAME, daemon=True)
                self._thread.start()

    def release(self) -> None:
        """Give back all that is held."""
        self._after_fork()
        with self._lock:
            held, self._held, self._known = list(self._held.values()), {}, set()
            thread, self._thread = self._thread, None
            self._stop.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(10.0)
        if held:
            with contextlib.suppress(StorageError):  # without a server, they run out
                self._connections.write(lambda db: _drop(db, held))

    def _renew(self, stop: threading.Event) -> None:
        while not stop.wait(_RENEWED_EVERY_S):
            with self._lock:
                held = list(self._held.values())
            try:
                left = self._connections.write(lambda db, held=held: _renewed(db, held))  # type: ignore[misc]
            except StorageError:
                continue  # no server at the moment
            if not left:
                break
        with self._lock:
            if self._stop is stop:
                self._thread = None

    def _after_fork(self) -> None:
        if self._process != os.getpid():
            self._forget()


def begin_lease(db: psycopg.Connection[Any], holder: str, worker: str) -> None:
    """See to it that a lease lasts a minute from now."""
    query = """INSERT INTO leases VALUES (%s, %s, now() + make_interval(secs => %s))
        ON CONFLICT (holder) DO UPDATE SET until = excluded.until"""
    db.execute(query, (holder, worker, _LASTS_S))


def _renewed(db: psycopg.Connection[Any], held: list[str]) -> bool:
    """Renew the leases under which something is held; forget the others."""
    found = db.execute(
        """UPDATE leases AS l SET until = now() + make_interval(secs => %s) WHERE holder = ANY(%s)
        AND (EXISTS (SELECT 1 FROM files AS f WHERE f.holder = l.holder AND f.status = 'in_progress'
                     AND f.content_hash IS NULL)
             OR EXISTS (SELECT 1 FROM waiting AS w WHERE w.holder = l.holder))""",
        (_LASTS_S, held),
    )
    return found.rowcount > 0


def _drop(db: psycopg.Connection[Any], held: list[str]) -> None:
    """Forget leases: what was claimed under them is anybody's."""
    db.execute("DELETE FROM leases WHERE holder = ANY(%s)", (held,))


def free_from_the_dead(db: psycopg.Connection[Any], worker: str) -> None:
    """Forget the leases that have run out, and those of this machine's processes that have ended."""
    db.execute("DELETE FROM leases WHERE until < now()")
    for holder, other in db.execute("SELECT holder, worker FROM leases WHERE worker <> %s", (worker,)).fetchall():
        if is_gone(other):
            db.execute("DELETE FROM leases WHERE holder = %s", (holder,))
