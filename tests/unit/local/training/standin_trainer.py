"""A program that stands in for the trainer: it does all that a worker does but train.

Usage: `standin_trainer HOME JOB`. How it behaves stands in the metadata of the job, as `act`: "finish"; "wait" goes on
to step 3 and waits there until it is stopped; "stuck" does so too and doesn't care what is wanted; "die" ends at once;
"die at 3" is killed there each time, "die once at 3" the first time only. It ends by itself after a minute.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

from agentkit._process import this_process
from agentkit.local.training.records import Job
from agentkit.local.training.store import JobStore

STEPS_PER_EPOCH = 2
EPOCHS = 4
LOOK_S = 0.005


class StoppedError(Exception):
    """The job goes no further."""


class StandIn:
    """Works on one job."""

    def __init__(self, home: Path, job_id: str) -> None:
        self.store = JobStore(home)
        self.id = job_id
        self.name = f"ft:tiny-1:agentkit::{job_id[-8:]}"
        if not self.store.take(job_id, this_process()):
            raise StoppedError
        self.job: Job = self.store.expect(job_id)
        self.act = (self.job.request["metadata"] or {}).get("act", "finish")

    def work(self) -> None:
        """Go through the job's life."""
        if self.act == "die":
            sys.exit("I don't feel well.")
        self.store.update(self.id, status="validating_files")
        self.store.tell(self.id, f"Validating training file: {self.job.request['training_file']}")
        self.store.update(self.id, status="queued")
        while not self.store.begin(self.id, this_process()):
            self.look()
            time.sleep(LOOK_S)
        self.store.update(self.id, hyperparameters={"n_epochs": EPOCHS, "batch_size": 2, "learning_rate_multiplier": 1})
        self.store.tell(self.id, "Fine-tuning job started")
        start = max((each.step for each in self.store.checkpoints(self.id)), default=0)
        self.store.forget_metrics_after(self.id, start)
        for step in range(start + 1, STEPS_PER_EPOCH * EPOCHS + 1):
            self.step(step)
        self.finish()

    def step(self, step: int) -> None:
        """Do one step."""
        data = {"step": step, "total_steps": STEPS_PER_EPOCH * EPOCHS, "train_loss": 1 / step}
        self.store.tell_step(self.id, f"Step {step}: training loss={1 / step:.2f}", data, step=step, total_steps=8)
        if step % STEPS_PER_EPOCH == 0:
            self.checkpoint(step)
        if at := re.fullmatch(r"die( once)? at (\d+)", self.act):
            if step == int(at[2]) and (not at[1] or self.job.starts == 1):
                os.kill(os.getpid(), signal.SIGKILL)
        elif step == 3 and self.act in ("wait", "stuck") and self.job.starts == 1:
            while True:
                self.look()
                time.sleep(LOOK_S)
        self.look()

    def checkpoint(self, step: int) -> None:
        """Keep a checkpoint."""
        folder = self.store.folder(self.id) / "trainer" / f"checkpoint-{step}"
        self.save(folder)
        metrics = {"train_loss": 1 / step, "train_mean_token_accuracy": 0.5}
        self.store.add_checkpoint(self.id, step, f"{self.name}:ckpt-step-{step}", folder, metrics)
        self.store.drop_checkpoints(self.id, [each.step for each in self.store.checkpoints(self.id)[3:]])

    def save(self, folder: Path) -> None:
        """Save a model: an adapter, where one is trained."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text("{}")
        if base := (self.job.request["metadata"] or {}).get("adapter_of"):
            (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))

    def look(self) -> None:
        """Stop where that is wanted."""
        if self.act == "stuck" or not (wanted := self.store.wanted(self.id)):
            return
        self.store.update(self.id, status="paused" if wanted == "pause" else "cancelled", wanted="")
        raise StoppedError

    def finish(self) -> None:
        """Keep the model."""
        self.save(self.store.folder(self.id) / "model")
        self.store.add_model(self.name, self.store.folder(self.id) / "model", self.id)
        self.store.tell(self.id, "The job has successfully completed")
        self.store.update(self.id, status="succeeded", fine_tuned_model=self.name, trained_tokens=123)


if __name__ == "__main__":
    signal.alarm(60)
    with contextlib.suppress(StoppedError):
        StandIn(Path(sys.argv[1]), sys.argv[2]).work()
