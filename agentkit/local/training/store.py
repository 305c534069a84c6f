"""Where jobs are kept: one SQLite file that platforms and workers share, and a folder for each job.

A worker is another process, which outlives the one that started it. All that they tell each other stands here: what is
wanted of a job, how far it is, and who works on it.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from agentkit._process import is_elsewhere, is_gone
from agentkit.local.database import Database
from agentkit.local.training.records import (
    OVER,
    Checkpoint,
    EventLevel,
    EventType,
    Job,
    JobEvent,
    TrainedModel,
    Wanted,
)
from agentkit.local.training.tables import STEPS, change_job, checkpoint_of, event_of, job_of

__all__ = ["JobStore"]

_LOST_AFTER_S = 1800
"""Seconds without a word after which a worker of another machine, which can't be looked for, counts as gone."""

_ENDING_S = 300
"""Seconds that the worker of a job that was cancelled may still have the machine, until the step that it is in ends."""


class JobStore:
    """The jobs in a home folder. Threads and processes may use it at once.

    Args:
        home: The platform's folder; jobs are in `fine_tuning` there. Folders of models are kept relative to it, so
            that it may be moved.
        clock: Tells the Unix time in seconds.
    """

    def __init__(self, home: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.home = home
        self._root = home / "fine_tuning"
        self._clock = clock
        self._database = Database(self._root / "jobs.sqlite", STEPS)

    def close(self) -> None:
        """Let go of the file. It is opened again when it is needed again."""
        self._database.close()

    def folder(self, job_id: str) -> Path:
        """Return the folder of a job: its log, its checkpoints and its model. It may not exist yet."""
        return self._root / "jobs" / job_id

    @property
    def exists(self) -> bool:
        """Whether there has ever been a job here; asking makes no file."""
        return self._database.path.exists()

    # -- jobs ------------------------------------------------------------------------------------------------------

    def create(self, request: dict[str, Any]) -> Job:
        """Keep a new job, with status "validating_files"."""
        job_id = f"ftjob-{secrets.token_hex(12)}"
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO jobs (id, created_at, status, request) VALUES (?, ?, 'validating_files', ?)",
                (job_id, int(self._clock()), json.dumps(request)),
            )
        return self.expect(job_id)

    def get(self, job_id: str) -> Job | None:
        """Return a job, or None."""
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else job_of(row)

    def expect(self, job_id: str) -> Job:
        """Return a job that is known to be there.

        Raises:
            KeyError: It isn't.
        """
        if (job := self.get(job_id)) is None:
            raise KeyError(job_id)
        return job

    def jobs(self, *, newest_first: bool = True) -> list[Job]:
        """Return all jobs."""
        with self._database.reading() as db:
            rows = db.execute(f"SELECT * FROM jobs ORDER BY seq {'DESC' if newest_first else 'ASC'}").fetchall()
        return [job_of(row) for row in rows]

    def unfinished(self) -> list[Job]:
        """Return the jobs that are not over, oldest first."""
        marks = ",".join("?" * len(OVER))
        with self._database.reading() as db:
            rows = db.execute(f"SELECT * FROM jobs WHERE status NOT IN ({marks}) ORDER BY seq", tuple(OVER)).fetchall()
        return [job_of(row) for row in rows]

    def update(self, job_id: str, **changes: Any) -> Job:
        """Change what is known of a job: any attribute of `Job` but `id`, `created_at` and `request`.

        A job that is over keeps its status. When it gets there, `finished_at` is now, unless it is given.
        """
        with self._database.writing() as db:
            self._change(db, job_id, changes)
        return self.expect(job_id)

    def update_if(self, seen: Job, **changes: Any) -> bool:
        """Change a job as `update` does, and return whether it was: only while it is as it was seen.

        Args:
            seen: The job; compared by its status, worker and starts, and by what is wanted of it.
            changes: What to change.
        """
        with self._database.writing() as db:
            row = db.execute("SELECT * FROM jobs WHERE id = ?", (seen.id,)).fetchone()
            if row is None or any(
                row[name] != getattr(seen, name) for name in ("status", "worker", "starts", "wanted")
            ):
                return False
            self._change(db, seen.id, changes)
            return True

    def is_lost(self, job: Job) -> bool:
        """Return whether the worker of a job has ended, or hasn't been heard of for long on another machine."""
        return self._is_lost(job.worker, job.heartbeat)

    def _is_lost(self, worker: str, heartbeat: float) -> bool:
        return is_gone(worker) or (is_elsewhere(worker) and self._clock() - heartbeat > _LOST_AFTER_S)

    def _is_at_work(self, row: sqlite3.Row) -> bool:
        if not row["worker"] or self._is_lost(row["worker"], row["heartbeat"]):
            return False
        return row["status"] not in OVER or self._clock() - row["heartbeat"] < _ENDING_S

    def _change(self, db: sqlite3.Connection, job_id: str, changes: dict[str, Any]) -> None:
        change_job(db, job_id, changes, now=int(self._clock()))

    def ask(self, job_id: str, wanted: Wanted) -> None:
        """Ask the worker of a job to stop; it looks at each step."""
        self.update(job_id, wanted=wanted)

    def wanted(self, job_id: str) -> Wanted:
        """Return what is wanted of a job; "cancel" where it is over, or no longer there."""
        job = self.get(job_id)
        return "cancel" if job is None or job.status in OVER else job.wanted

    def take(self, job_id: str, worker: str) -> bool:
        """Make a process the worker of a job, and return whether it is: not where another one works on it.

        Nor where nobody should: it is paused, or over.

        Args:
            job_id: The job.
            worker: `agentkit._process.this_process()` of the worker.
        """
        with self._database.writing() as db:
            row = db.execute("SELECT worker, status, heartbeat FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None or row["status"] in OVER or row["status"] == "paused":
                return False
            if row["worker"] != worker and self._is_at_work(row):
                return False
            self._change(db, job_id, {"worker": worker, "heartbeat": self._clock()})
            return True

    def begin(self, job_id: str, worker: str) -> bool:
        """Let a queued job run, and return whether it does: one runs at a time, the oldest first.

        Jobs whose workers are gone don't hold others up.
        """
        with self._database.writing() as db:
            rows = db.execute(
                "SELECT id, status, worker, heartbeat FROM jobs "
                "WHERE status IN ('queued', 'running') OR (status = 'cancelled' AND worker != '') ORDER BY seq"
            ).fetchall()
            for row in rows:
                if row["id"] == job_id:
                    others = (other for other in rows if other["status"] != "queued" and other["id"] != job_id)
                    if row["status"] in OVER or any(self._is_at_work(other) for other in others):
                        return False
                    self._change(db, job_id, {"status": "running", "worker": worker, "heartbeat": self._clock()})
                    return True
                if self._is_at_work(row):
                    return False
            return False

    def delete(self, job_id: str) -> None:
        """Forget a job with all that is its: events, checkpoints, models and folder."""
        with self._database.writing() as db:
            for table in ("events", "checkpoints", "models"):
                db.execute(f"DELETE FROM {table} WHERE job_id = ?", (job_id,))
            db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        shutil.rmtree(self.folder(job_id), ignore_errors=True)

    # -- events ----------------------------------------------------------------------------------------------------

    def tell(
        self,
        job_id: str,
        message: str,
        *,
        level: EventLevel = "info",
        kind: EventType = "message",
        data: dict[str, Any] | None = None,
    ) -> None:
        """Add an event."""
        with self._database.writing() as db:
            self._tell(db, job_id, message, level, kind, data or {})

    def tell_step(self, job_id: str, message: str, data: dict[str, Any], **changes: Any) -> None:
        """Add an event with metrics, and change what is known of the job, at once: one write for a step."""
        with self._database.writing() as db:
            self._tell(db, job_id, message, "info", "metrics", data)
            self._change(db, job_id, {"heartbeat": self._clock(), **changes})

    def _tell(
        self, db: sqlite3.Connection, job_id: str, message: str, level: str, kind: str, data: dict[str, Any]
    ) -> None:
        db.execute(
            "INSERT INTO events (id, job_id, created_at, level, type, message, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (f"ftevent-{secrets.token_hex(12)}", job_id, int(self._clock()), level, kind, message, json.dumps(data)),
        )

    def events(self, job_id: str) -> list[JobEvent]:
        """Return the events of a job, oldest first."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM events WHERE job_id = ? ORDER BY seq", (job_id,)).fetchall()
        return [event_of(row) for row in rows]

    def latest_events(self, job_id: str, *, limit: int, after: str | None = None) -> list[JobEvent]:
        """Return events of a job, newest first, and one more than `limit` where there are more.

        Args:
            job_id: The job.
            limit: Events wanted.
            after: Id of the event that those wanted are older than; None: the newest are wanted.

        Raises:
            KeyError: The job has no event with the id `after`.
        """
        before = None
        with self._database.reading() as db:
            if after is not None:
                cursor = db.execute("SELECT seq FROM events WHERE id = ? AND job_id = ?", (after, job_id)).fetchone()
                if cursor is None:
                    raise KeyError(after)
                before = cursor["seq"]
            rows = db.execute(
                "SELECT * FROM events WHERE job_id = ? AND (? IS NULL OR seq < ?) ORDER BY seq DESC LIMIT ?",
                (job_id, before, before, limit + 1),
            ).fetchall()
        return [event_of(row) for row in rows]

    def forget_metrics_after(self, job_id: str, step: int) -> None:
        """Drop the metrics of steps after `step`: a worker that goes on from there tells them again."""
        with self._database.writing() as db:
            db.execute(
                "DELETE FROM events WHERE job_id = ? AND type = 'metrics' AND json_extract(data, '$.step') > ?",
                (job_id, step),
            )

    # -- checkpoints and models ------------------------------------------------------------------------------------

    def add_checkpoint(self, job_id: str, step: int, model: str, folder: Path, metrics: dict[str, float]) -> None:
        """Keep a checkpoint, and its model under its name. One of the same step is replaced."""
        now = int(self._clock())
        with self._database.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO checkpoints (id, job_id, created_at, step, model, metrics) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (f"ftckpt_{secrets.token_hex(12)}", job_id, now, step, model, json.dumps(metrics)),
            )
            self._add_model(db, model, folder, job_id, now)

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """Return the checkpoints of a job, newest first."""
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM checkpoints WHERE job_id = ? ORDER BY step DESC", (job_id,)).fetchall()
        return [checkpoint_of(row) for row in rows]

    def drop_checkpoints(self, job_id: str, steps: Iterable[int]) -> None:
        """Forget the checkpoints of some steps, and their models. Their folders are the caller's to remove."""
        with self._database.writing() as db:
            for step in steps:
                row = db.execute(
                    "DELETE FROM checkpoints WHERE job_id = ? AND step = ? RETURNING model", (job_id, step)
                ).fetchone()
                if row is not None:
                    db.execute("DELETE FROM models WHERE name = ?", (row["model"],))

    def add_model(self, name: str, folder: Path, job_id: str) -> None:
        """Keep a trained model under a name."""
        with self._database.writing() as db:
            self._add_model(db, name, folder, job_id, int(self._clock()))

    def _add_model(self, db: sqlite3.Connection, name: str, folder: Path, job_id: str, now: int) -> None:
        kept = folder.relative_to(self.home) if folder.is_relative_to(self.home) else folder.absolute()
        db.execute(
            "INSERT OR REPLACE INTO models (name, folder, job_id, created_at) VALUES (?, ?, ?, ?)",
            (name, str(kept), job_id, now),
        )

    def model(self, name: str) -> TrainedModel | None:
        """Return a trained model or a checkpoint by its name, or None."""
        if not self.exists:
            return None
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM models WHERE name = ?", (name,)).fetchone()
        return None if row is None else self._model(row)

    def models(self) -> list[TrainedModel]:
        """Return all trained models and checkpoints, oldest first."""
        if not self.exists:
            return []
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM models ORDER BY seq").fetchall()
        return [self._model(row) for row in rows]

    def delete_model(self, name: str) -> bool:
        """Forget a model and remove its folder; return whether there was one.

        A checkpoint's entry goes with its model. What another model still needs stays on the disk.
        """
        if (found := self.model(name)) is None:
            return False
        with self._database.writing() as db:
            db.execute("DELETE FROM models WHERE name = ?", (name,))
            db.execute("DELETE FROM checkpoints WHERE model = ?", (name,))
            row = db.execute("SELECT told FROM jobs WHERE id = ?", (found.job_id,)).fetchone()
            if row is not None and json.loads(row["told"]).get("fine_tuned_model") == name:
                self._change(db, found.job_id, {"fine_tuned_model": None})
        is_ours = found.folder.is_relative_to(self._root)  # never a folder that somebody only pointed us to
        if is_ours and all(other.folder != found.folder for other in self.models()):
            shutil.rmtree(found.folder, ignore_errors=True)
        return True

    def _model(self, row: sqlite3.Row) -> TrainedModel:
        return TrainedModel(row["name"], self.home / row["folder"], row["job_id"], row["created_at"])
