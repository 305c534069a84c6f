"""The tables of the embedded engine: the truth, from which its indexes are made."""

from __future__ import annotations

__all__ = ["MIGRATIONS", "PAGE_BYTES"]

PAGE_BYTES = 8192
"""Five vectors of 384 numbers, or seven chunks of 1,000 letters, fill such a page well. Of 4,096, a quarter is lost."""

_FIRST = (
    """
    CREATE TABLE stores (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_active_at INTEGER NOT NULL,
        description TEXT,
        metadata TEXT NOT NULL,
        expires_after_days INTEGER,
        embedder TEXT,
        dimensions INTEGER,
        changes INTEGER NOT NULL DEFAULT 0,        -- of files that can be found, and of their attributes
        chunks INTEGER NOT NULL DEFAULT 0,         -- that can be found by words
        last_chunk INTEGER NOT NULL DEFAULT 0,     -- the highest key of a chunk so far
        last_removal INTEGER NOT NULL DEFAULT 0,   -- the highest number of a removal
        last_vector INTEGER NOT NULL DEFAULT 0     -- the highest number of a vector
    )
    """,
    "CREATE INDEX stores_listed ON stores (created_at, number)",
    """
    CREATE TABLE files (
        number INTEGER PRIMARY KEY AUTOINCREMENT,  -- the revision: a file that is attached anew gets a new one
        store INTEGER NOT NULL,
        file_id TEXT NOT NULL,
        filename TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        status TEXT NOT NULL,
        error_code TEXT,
        error_message TEXT,
        usage_bytes INTEGER NOT NULL DEFAULT 0,
        attributes TEXT NOT NULL,
        max_tokens INTEGER NOT NULL,
        overlap_tokens INTEGER NOT NULL,
        auto_chunking INTEGER NOT NULL,
        batch_id TEXT,
        content_hash TEXT,
        chunks INTEGER NOT NULL DEFAULT 0,
        embedded INTEGER NOT NULL DEFAULT 0,
        first_chunk INTEGER,                       -- the key of its first chunk, the others following it
        last_vector INTEGER NOT NULL DEFAULT 0,
        worker TEXT,                               -- who is at it
        storage TEXT,                              -- through which storage object
        UNIQUE (store, file_id)
    )
    """,
    "CREATE INDEX files_listed ON files (store, created_at, number)",
    "CREATE INDEX files_by_status ON files (store, status, usage_bytes)",
    "CREATE INDEX files_by_id ON files (file_id)",
    "CREATE INDEX files_by_batch ON files (batch_id, status) WHERE batch_id IS NOT NULL",
    "CREATE INDEX files_by_chunk ON files (store, first_chunk) WHERE first_chunk IS NOT NULL",
    "CREATE INDEX files_by_vector ON files (store, last_vector)",
    """
    CREATE INDEX files_waiting ON files (created_at, number)
    WHERE status = 'in_progress' AND content_hash IS NULL
    """,
    "CREATE INDEX files_claimed ON files (worker) WHERE worker IS NOT NULL",
    "CREATE TABLE batches (id TEXT PRIMARY KEY, store INTEGER NOT NULL, created_at INTEGER, cancelled INTEGER)",
    """
    CREATE TABLE chunks (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        file INTEGER NOT NULL,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        page INTEGER,
        last_page INTEGER,
        heading TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE vectors (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        chunk INTEGER NOT NULL,
        file INTEGER NOT NULL,
        data BLOB NOT NULL                         -- float32, little-endian, of shape (windows, dimensions)
    )
    """,
    "CREATE INDEX vectors_by_file ON vectors (file)",
    """
    CREATE TABLE waiting (                         -- chunks without vectors
        file INTEGER NOT NULL,
        chunk INTEGER NOT NULL,
        worker TEXT,
        storage TEXT,
        PRIMARY KEY (file, chunk)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX waiting_claimed ON waiting (worker) WHERE worker IS NOT NULL",
    """
    CREATE TABLE litter (                          -- of stores that were deleted: what is still to be swept up
        file INTEGER PRIMARY KEY,
        first_chunk INTEGER NOT NULL,
        chunks INTEGER NOT NULL
    )
    """,
    "CREATE TABLE removals (number INTEGER PRIMARY KEY AUTOINCREMENT, store INTEGER NOT NULL, file INTEGER NOT NULL)",
    "CREATE INDEX removals_by_store ON removals (store, number)",
)

MIGRATIONS = (_FIRST,)
