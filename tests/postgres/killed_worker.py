"""A program that indexes in PostgreSQL until it is killed: it prints what it was told is kept.

Usage: `killed_worker DSN ROUND`. It prints as `killed_indexer`, the same program for the embedded engine, does.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "unit" / "local" / "vector_stores"))

from killed_indexer import attach_and_index, say

from agentkit.local.vector_stores.postgres import PostgresStorage


def main() -> None:
    storage = PostgresStorage(sys.argv[1])
    say("ready")
    for n in range(100_000):
        attach_and_index(storage, f"{sys.argv[2]}-{n}", n)


if __name__ == "__main__":
    main()
