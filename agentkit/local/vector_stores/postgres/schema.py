"""The tables in PostgreSQL, and how a database gets them: by whoever comes first, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.local.vector_stores.storage import StorageError

if TYPE_CHECKING:
    import psycopg

__all__ = ["CHUNKS_A_FILE", "SCHEMA", "prepare"]

SCHEMA = "agentkit"
"""Name of the schema that holds everything."""

CHUNKS_A_FILE = 1 << 20
"""A chunk's key is its file's generation times this, plus its position: a file's keys follow each other, and none is
used twice."""

_OLDEST_VECTOR = (0, 8)
_LOCK = 0x61676B76
"""Of the advisory lock that one process holds while it makes the tables."""

_FIRST = """
    CREATE TABLE stores (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id text NOT NULL UNIQUE,
        name text NOT NULL,
        created_at bigint NOT NULL,
        last_active_at bigint NOT NULL,
        description text,
        metadata text NOT NULL,
        expires_after_days int,
        embedder text,
        dimensions int,
        changes bigint NOT NULL DEFAULT 0,         -- of files that can be found, and of their attributes
        windows bigint NOT NULL DEFAULT 0,         -- how many vectors it has
        dead bigint NOT NULL DEFAULT 0,            -- chunks that are gone, but still in its segments
        near boolean NOT NULL DEFAULT FALSE        -- whether its vectors have an index
    );
    CREATE INDEX stores_listed ON stores (created_at, number);
    CREATE TABLE batches (
        id text PRIMARY KEY,
        store bigint NOT NULL REFERENCES stores ON DELETE CASCADE,
        created_at bigint NOT NULL,
        cancelled boolean NOT NULL
    );
    CREATE INDEX batches_by_store ON batches (store);
    CREATE TABLE files (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- the revision
        store bigint NOT NULL REFERENCES stores ON DELETE CASCADE,
        file_id text NOT NULL,
        filename text NOT NULL,
        created_at bigint NOT NULL,
        status text NOT NULL,
        error_code text,
        error_message text,
        usage_bytes bigint NOT NULL DEFAULT 0,
        attributes text NOT NULL,                  -- JSON, as it was given
        compared jsonb NOT NULL,                   -- the same, in the form that filters compare
        max_tokens int NOT NULL,
        overlap_tokens int NOT NULL,
        auto_chunking boolean NOT NULL,
        batch_id text,
        content_hash text,
        chunks int NOT NULL DEFAULT 0,
        embedded int NOT NULL DEFAULT 0,
        windows int NOT NULL DEFAULT 0,            -- vectors of its chunks
        first_chunk bigint,                        -- the key of its first chunk, the others following it
        home text,                                 -- the home folder that has its bytes
        holder text,                               -- the lease under which somebody is at it
        UNIQUE (store, file_id)
    );
    CREATE INDEX files_listed ON files (store, created_at, number);
    CREATE INDEX files_by_status ON files (store, status);
    CREATE INDEX files_by_id ON files (file_id);
    CREATE INDEX files_by_batch ON files (batch_id, status) WHERE batch_id IS NOT NULL;
    CREATE INDEX files_waiting ON files (created_at, number) WHERE status = 'in_progress' AND content_hash IS NULL;
    CREATE INDEX files_held ON files (holder) WHERE holder IS NOT NULL;
    CREATE SEQUENCE generations;
    CREATE TABLE chunks (
        key bigint PRIMARY KEY,
        file bigint NOT NULL,
        position int NOT NULL,
        text text NOT NULL,
        tokens int NOT NULL,
        start bigint NOT NULL,
        "end" bigint NOT NULL,
        page int,
        last_page int,
        heading text NOT NULL
    );
    CREATE TABLE vectors (
        store bigint NOT NULL,
        file bigint NOT NULL,
        chunk bigint NOT NULL,
        position int NOT NULL,                     -- which of the chunk's windows
        vector vector NOT NULL
    );
    ALTER TABLE vectors ALTER COLUMN vector SET STORAGE EXTERNAL;
    CREATE INDEX vectors_by_file ON vectors (store, file);
    CREATE TABLE waiting (                         -- chunks without vectors
        file bigint NOT NULL,
        chunk bigint NOT NULL,
        holder text,
        PRIMARY KEY (file, chunk)
    );
    CREATE INDEX waiting_held ON waiting (holder) WHERE holder IS NOT NULL;
    CREATE TABLE words (                           -- of one file's chunks, until they are in a segment
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        store bigint NOT NULL REFERENCES stores ON DELETE CASCADE,
        file bigint NOT NULL UNIQUE,
        chunks int NOT NULL,
        data bytea NOT NULL
    );
    CREATE INDEX words_by_store ON words (store, number);
    CREATE TABLE segments (                        -- an index of the words of many files' chunks; never changed
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        store bigint NOT NULL REFERENCES stores ON DELETE CASCADE,
        chunks int NOT NULL,
        keys bytea NOT NULL,                       -- int64: the chunks, ascending
        lengths bytea NOT NULL                     -- uint32: how many words each has
    );
    CREATE INDEX segments_by_store ON segments (store, number);
    CREATE TABLE postings (
        segment bigint NOT NULL,
        term text COLLATE "C" NOT NULL,
        data bytea NOT NULL,                       -- uint32: which chunks of the segment; then uint16: how often
        PRIMARY KEY (segment, term)
    );
    ALTER TABLE postings ALTER COLUMN data SET STORAGE EXTERNAL;
    CREATE TABLE leases (
        holder text PRIMARY KEY,
        worker text NOT NULL,                      -- by agentkit._process
        until timestamptz NOT NULL
    );
"""

_STEPS = (_FIRST,)


def prepare(connection: psycopg.Connection[Any], server: str, *, writable: bool) -> None:
    """See to it that the database has pgvector and our tables, and that the connection finds both.

    Args:
        connection: In autocommit mode, with no transaction open.
        server: What to call the server in errors.
        writable: Whether the tables can be made over this connection.

    Raises:
        StorageError: They can't be made, or are another version's.
    """
    if _version(connection) != len(_STEPS):
        _migrate(connection, server, writable=writable)
    row = connection.execute(
        """SELECT n.nspname, e.extversion FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
        WHERE e.extname = 'vector'"""
    ).fetchone()
    if row is None:
        raise StorageError(_without_extension(server, connection, "is not in this database any more"))
    place, version = row
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_VECTOR:
        raise StorageError(
            f"{server} has pgvector {version}, and agentkit needs 0.8 or newer. Install a newer one there, and run in "
            "the database: ALTER EXTENSION vector UPDATE"
        )
    connection.execute("SELECT set_config('search_path', %s, false)", (f'{SCHEMA}, "{place}", pg_catalog',))
    connection.execute("SET jit = off")


def _version(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT to_regclass('agentkit.about') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return 0
    row = connection.execute("SELECT version FROM agentkit.about").fetchone()
    return 0 if row is None else int(row[0])


def _migrate(connection: psycopg.Connection[Any], server: str, *, writable: bool) -> None:
    version = _version(connection)
    if version > len(_STEPS):
        raise StorageError(
            f"The tables on {server} are of version {version}, made by a later agentkit; this one knows "
            f"{len(_STEPS)}. Update agentkit (pip install -U agentkit)."
        )
    if not writable:
        raise StorageError(
            f"{server} has no tables of agentkit's version {len(_STEPS)} yet (it has {version}), and is a replica, "
            "where none can be made. Start the primary, or promote a replica, and try again."
        )
    encoding = connection.execute("SELECT current_setting('server_encoding')").fetchone()
    if encoding is None or encoding[0] != "UTF8":
        raise StorageError(
            f"The database on {server} has the encoding {encoding and encoding[0]}, which can't hold all texts. "
            "Use one with UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))  # one does it, the others find it done
        version = _version(connection)
        if version >= len(_STEPS):
            return
        _make_extension(connection, server)
        _make_tables(connection, server, version)


def _make_extension(connection: psycopg.Connection[Any], server: str) -> None:
    import psycopg

    if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchone():
        return
    try:
        connection.execute("CREATE EXTENSION vector")
    except psycopg.errors.InsufficientPrivilege as error:
        raise StorageError(_without_extension(server, connection, "is not in this database")) from error
    except (psycopg.errors.UndefinedFile, psycopg.errors.FeatureNotSupported) as error:
        raise StorageError(
            f"{server} has no pgvector. Install it there (Debian: apt install postgresql-17-pgvector; containers: the "
            "image pgvector/pgvector), and try again."
        ) from error


def _without_extension(server: str, connection: psycopg.Connection[Any], what: str) -> str:
    return (
        f"pgvector {what} on {server}, and the user {connection.info.user!r} may not add it. Let an administrator run "
        "in it: CREATE EXTENSION vector"
    )


def _make_tables(connection: psycopg.Connection[Any], server: str, version: int) -> None:
    import psycopg

    found = connection.execute(
        """SELECT n.nspname FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
        WHERE e.extname = 'vector'"""
    ).fetchone()
    try:
        if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,)).fetchone():
            connection.execute(f"CREATE SCHEMA {SCHEMA}")  # IF NOT EXISTS asks for the right even where it is there
        place = "public" if found is None else found[0]
        connection.execute("SELECT set_config('search_path', %s, true)", (f'{SCHEMA}, "{place}"',))
        connection.execute("CREATE TABLE IF NOT EXISTS about (version int NOT NULL)")
        for step in _STEPS[version:]:
            connection.execute(step)
        connection.execute("DELETE FROM about")
        connection.execute("INSERT INTO about VALUES (%s)", (len(_STEPS),))
    except psycopg.errors.InsufficientPrivilege as error:
        raise StorageError(
            f"The user {connection.info.user!r} may not make agentkit's tables on {server}. Let an administrator run "
            f'in the database: CREATE SCHEMA IF NOT EXISTS {SCHEMA} AUTHORIZATION "{connection.info.user}"'
        ) from error
