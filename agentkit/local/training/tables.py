"""The tables in which jobs are kept, and what their rows say."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields
from typing import Any

from agentkit.local.training.records import OVER, Checkpoint, Job, JobEvent

__all__ = ["STEPS", "change_job", "checkpoint_of", "event_of", "job_of"]

STEPS = (
    (
        """
        CREATE TABLE jobs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            created_at INTEGER NOT NULL,
            status TEXT NOT NULL,
            wanted TEXT NOT NULL DEFAULT '',
            worker TEXT NOT NULL DEFAULT '',
            heartbeat REAL NOT NULL DEFAULT 0,
            starts INTEGER NOT NULL DEFAULT 0,
            request TEXT NOT NULL,
            told TEXT NOT NULL DEFAULT '{}'
        )
        """,
        """
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            job_id TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            level TEXT NOT NULL,
            type TEXT NOT NULL,
            message TEXT NOT NULL,
            data TEXT NOT NULL
        )
        """,
        "CREATE INDEX events_of_job ON events (job_id, seq)",
        """
        CREATE TABLE checkpoints (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            job_id TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            step INTEGER NOT NULL,
            model TEXT NOT NULL,
            metrics TEXT NOT NULL,
            UNIQUE (job_id, step)
        )
        """,
        """
        CREATE TABLE models (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            folder TEXT NOT NULL,
            job_id TEXT NOT NULL,
            created_at INTEGER NOT NULL
        )
        """,
    ),
)
"""The statements that lead from each version of the tables to the next."""

_COLUMNS = frozenset({"status", "wanted", "worker", "heartbeat", "starts"})
_TOLD = frozenset(each.name for each in fields(Job)) - _COLUMNS - {"id", "created_at", "request"}
"""What is kept together, in the column of that name."""


def change_job(db: sqlite3.Connection, job_id: str, changes: dict[str, Any], *, now: int) -> None:
    """Change what is known of a job. One that is over keeps its status.

    Args:
        db: Within a transaction that writes.
        job_id: The job.
        changes: Any attributes of `Job` but `id`, `created_at` and `request`.
        now: Unix time in seconds, for `finished_at`.

    Raises:
        KeyError: There is no such job.
        ValueError: A job has nothing of that name that could change.
    """
    if unknown := changes.keys() - _COLUMNS - _TOLD:
        raise ValueError(f"A job has no {', '.join(sorted(unknown))} that could change.")
    row = db.execute("SELECT status, told FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise KeyError(job_id)
    columns = {name: value for name, value in changes.items() if name in _COLUMNS}
    if row["status"] in OVER:
        columns.pop("status", None)
    elif columns.get("status") in OVER:
        changes = {"finished_at": now, "estimated_finish": None, **changes}
    told = json.loads(row["told"]) | {name: value for name, value in changes.items() if name in _TOLD}
    columns["told"] = json.dumps(told)
    sets = ", ".join(f"{name} = ?" for name in columns)
    db.execute(f"UPDATE jobs SET {sets} WHERE id = ?", (*columns.values(), job_id))


def job_of(row: sqlite3.Row) -> Job:
    """Return the job of a row."""
    return Job(
        id=row["id"],
        created_at=row["created_at"],
        status=row["status"],
        wanted=row["wanted"],
        worker=row["worker"],
        heartbeat=row["heartbeat"],
        starts=row["starts"],
        request=json.loads(row["request"]),
        **json.loads(row["told"]),
    )


def event_of(row: sqlite3.Row) -> JobEvent:
    """Return the event of a row."""
    return JobEvent(
        row["id"],
        row["job_id"],
        row["created_at"],
        row["level"],
        row["type"],
        row["message"],
        json.loads(row["data"]),
    )


def checkpoint_of(row: sqlite3.Row) -> Checkpoint:
    """Return the checkpoint of a row."""
    return Checkpoint(
        row["id"], row["job_id"], row["created_at"], row["step"], row["model"], json.loads(row["metrics"])
    )
