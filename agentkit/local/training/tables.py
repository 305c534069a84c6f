"""The tables in which jobs are kept, and what their rows say."""

from __future__ import annotations

import json
import sqlite3

from agentkit.local.training.records import Checkpoint, Job, JobEvent

__all__ = ["STEPS", "checkpoint_of", "event_of", "job_of"]

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
