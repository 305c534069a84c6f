"""A client of a platform whose fine-tuning jobs are worked on by a program that stands in for the trainer."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openai

from agentkit.local.app import create_app
from agentkit.local.training.records import JobEvent
from agentkit.local.training.store import JobStore
from agentkit.local.transport import EmbeddedTransport

STAND_IN = (sys.executable, str(Path(__file__).with_name("standin_trainer.py")))
PATIENCE_S = 180.0


def until(holds: Callable[[], Any]) -> Any:
    """Wait for what another process does, and return it."""
    end = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < end, "it never came"
        threading.Event().wait(0.01)
    return found


class Tuning:
    """A client of a platform, and what is asked of it in tests of fine-tuning."""

    def __init__(
        self, home: Path, *, trainer: Sequence[str] = STAND_IN, clock: Callable[[], float] = time.time
    ) -> None:
        self.home = home
        app = create_app(home=home, embedder=lambda: None, clock=clock, trainer=trainer)
        http_client = openai.DefaultHttpx2Client(transport=EmbeddedTransport(app))
        self.api = openai.OpenAI(
            api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0
        )
        self.jobs = self.api.fine_tuning.jobs
        self.store = JobStore(home)

    def file(self, *, name: str = "train.jsonl", purpose: Any = "fine-tune", examples: int = 10) -> str:
        """Upload training data, and return the file's id."""
        lines = [
            {"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"{n}!"}]}
            for n in range(examples)
        ]
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        return self.api.files.create(file=(name, data), purpose=purpose).id

    def create(self, act: str | None = None, **params: Any) -> str:
        """Make a job, and return its id."""
        if act is not None:
            params["metadata"] = {"act": act, **params.get("metadata", {})}
        return self.jobs.create(
            **{"model": "tiny-1", "training_file": params.pop("file", None) or self.file(), **params}
        ).id

    def wait(self, job_id: str, *statuses: str) -> Any:
        """Wait for a job to get to a status, and return it."""
        return until(lambda: (seen := self.jobs.retrieve(job_id)).status in statuses and seen)

    def at_step(self, job_id: str, step: int) -> None:
        """Wait for a job's worker to have done a step."""
        until(lambda: self.store.expect(job_id).step >= step)

    def finished(self, **params: Any) -> Any:
        """Make a job, and return it when it has succeeded."""
        return self.wait(self.create("finish", **params), "succeeded")

    def messages(self, job_id: str, level: str | None = None) -> list[str]:
        """Return what was told of a job, oldest first, without metrics."""
        found = [event for event in self.store.events(job_id) if event.type == "message"]
        return [event.message for event in found if level in (None, event.level)]

    def place(self, event: JobEvent) -> int:
        """Return an event's place among all events of all jobs."""
        with contextlib.closing(sqlite3.connect(self.home / "fine_tuning" / "jobs.sqlite")) as db:
            found: int = db.execute("SELECT seq FROM events WHERE id = ?", (event.id,)).fetchone()[0]
        return found

    def kill(self, job_id: str) -> None:
        """Kill the worker of a job, and wait for its end."""
        worker = until(lambda: self.store.expect(job_id).worker)
        os.kill(int(worker.split("/")[-2]), signal.SIGKILL)
        until(lambda: self.store.is_lost(self.store.expect(job_id)))

    def close(self) -> None:
        """Let go of the files."""
        self.api.close()
        self.store.close()
