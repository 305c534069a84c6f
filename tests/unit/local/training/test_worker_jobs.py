"""Real trainings of tiny-1, each in a process of its own as the platform starts it: a few, that show much each."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentkit.local.files.store import FileStore
from agentkit.local.training.records import Job
from agentkit.local.training.store import JobStore
from agentkit.local.training.worker.checkpoints import saved

PATIENCE_S = 240.0
SMALL = {"n_epochs": 4, "batch_size": 4}
EXAMPLES = 48
PER_EPOCH = 12
STEPS = 48
ANIMALS = ("cat", "dog", "cow", "owl", "bee", "fox")
WORKER = [sys.executable, "-m", "agentkit.local.training.worker"]


def said(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def conversations(*, turned: int = 0, times: int = 1) -> bytes:
    """Return examples whose last answers have weight 0.

    Args:
        turned: By how many lines those are moved on.
        times: How often each question is asked, to make it longer.
    """
    lines = []
    for n in range(EXAMPLES):
        bad = ANIMALS[(n + turned) % len(ANIMALS)]
        messages = [said("user", f"which animal is {n} " * times), said("assistant", ANIMALS[n % len(ANIMALS)])]
        lines.append({"messages": [*messages, said("user", "wrong"), said("assistant", f"{bad} no", weight=0)]})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def pairs() -> bytes:
    lines = [
        {
            "input": {"messages": [said("user", f"which animal is {n}")]},
            "preferred_output": [said("assistant", ANIMALS[n % len(ANIMALS)])],
            "non_preferred_output": [said("assistant", f"no {n}")],
        }
        for n in range(EXAMPLES)
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


class Trainings:
    """The jobs of one home folder, and the processes that work on them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = JobStore(home)
        self.processes: list[subprocess.Popen[bytes]] = []

    def create(
        self,
        data: bytes,
        *,
        method: str = "supervised",
        model: str = "tiny-1",
        validation: bytes | None = None,
        **more: Any,
    ) -> str:
        hyperparameters = more.pop("hyperparameters", SMALL)
        files = FileStore(self.home)
        ids = [
            files.add(f"{n}.jsonl", each, purpose="fine-tune").id for n, each in enumerate((data, validation)) if each
        ]
        files.close()
        return self.store.create(
            {
                "model": model,
                "method": {"type": method, method: {"hyperparameters": hyperparameters}},
                "training_file": ids[0],
                "validation_file": ids[1] if len(ids) > 1 else None,
                "suffix": None,
                "seed": 5,
                **more,
            }
        ).id

    def start(self, job_id: str, **environment: str) -> subprocess.Popen[bytes]:
        folder = self.store.folder(job_id)
        folder.mkdir(parents=True, exist_ok=True)
        given = {name: value for name, value in os.environ.items() if name != "ACCELERATE_CONFIG_FILE"}
        one = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HOME": str(self.home / "hf")}
        with (folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [*WORKER, str(self.home), job_id],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**given, **one, **environment},
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def run(self, job_id: str, **environment: str) -> Job:
        self.start(job_id, **environment).wait(PATIENCE_S)
        return self.store.expect(job_id)

    def succeeded(self, job_id: str, **environment: str) -> Job:
        job = self.run(job_id, **environment)
        assert job.status == "succeeded", (job.error, self.log(job_id))
        return job

    def log(self, job_id: str) -> str:
        return (self.store.folder(job_id) / "log.txt").read_text()[-3000:]

    def at_step(self, job_id: str, step: int) -> None:
        end = time.monotonic() + PATIENCE_S
        while (job := self.store.expect(job_id)).step < step:
            assert job.status in ("validating_files", "queued", "running"), (job.error, self.log(job_id))
            assert time.monotonic() < end, self.log(job_id)
            threading.Event().wait(0.01)

    def resume(self, job_id: str) -> None:
        self.store.update(job_id, status="queued", wanted="", worker="")

    def losses(self, job_id: str) -> list[float]:
        return [event.data["train_loss"] for event in self.store.events(job_id) if event.type == "metrics"]

    def told(self, job_id: str) -> list[str]:
        return [event.message for event in self.store.events(job_id) if event.type == "message"]

    def close(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE_S)
        self.store.close()


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainings]:
    made = Trainings(tmp_path_factory.mktemp("home"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def plain(trainings: Trainings) -> Job:
    """A job that nothing interrupts, with validation data and an offline record for Weights & Biases."""
    wandb = [{"type": "wandb", "wandb": {"project": "animals", "tags": ["test"]}}]
    job_id = trainings.create(conversations(), validation=conversations(), integrations=wandb)
    return trainings.succeeded(job_id, WANDB_MODE="offline")


def test_a_job_trains_a_model(trainings: Trainings, plain: Job) -> None:
    name = f"ft:tiny-1:agentkit::{plain.id[-8:]}"
    assert plain.hyperparameters == {**SMALL, "learning_rate_multiplier": 1.0, "lora_rank": 0, "max_length": 2048}
    assert (plain.step, plain.total_steps, plain.worker, plain.error) == (STEPS, STEPS, "", None)
    assert plain.fine_tuned_model == name
    assert plain.trained_tokens
    assert plain.finished_at is not None
    snapshots = [
        f"Checkpoint created at step {step} with Snapshot ID: {name}:ckpt-step-{step}" for step in (12, 24, 36, 48)
    ]
    assert trainings.told(plain.id) == [
        f"Validating training file: {plain.request['training_file']}",
        f"Validating validation file: {plain.request['validation_file']}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        *snapshots,
        f"New fine-tuned model created: {name}",
        "The job has successfully completed",
    ]
    losses = trainings.losses(plain.id)
    assert len(losses) == STEPS
    assert losses[-1] < losses[0] / 2


def test_metrics_are_told_of_each_step_and_of_the_validation_at_the_end_of_an_epoch(
    trainings: Trainings, plain: Job
) -> None:
    events = [event for event in trainings.store.events(plain.id) if event.type == "metrics"]
    assert [event.data["step"] for event in events] == list(range(1, STEPS + 1))
    train = {"step", "total_steps", "train_loss", "train_mean_token_accuracy", "learning_rate", "grad_norm"}
    valid = {f"{scope}_{what}" for scope in ("valid", "full_valid") for what in ("loss", "mean_token_accuracy")}
    assert events[0].data.keys() == train
    assert events[PER_EPOCH - 1].data.keys() == train | valid
    assert events[0].message == f"Step 1/{STEPS}: training loss={events[0].data['train_loss']:.2f}"


def test_the_last_three_checkpoints_exist_with_all_that_is_needed_to_ask_them(trainings: Trainings, plain: Job) -> None:
    found = trainings.store.checkpoints(plain.id)
    assert [each.step for each in found] == [48, 36, 24]
    assert found[0].metrics.keys() >= {"train_loss", "full_valid_loss"}
    folders = [trainings.store.model(each.model).folder for each in found]  # type: ignore[union-attr]
    model = trainings.store.model(str(plain.fine_tuned_model))
    assert model is not None
    for folder in (*folders, model.folder):
        names = {path.name for path in folder.iterdir()}
        assert names >= {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}
        assert "optimizer.pt" not in names
    assert not any(each.resumable for each in saved(trainings.store.folder(plain.id) / "trainer"))


def test_the_result_file_is_the_table_of_the_metrics(trainings: Trainings, plain: Job) -> None:
    files = FileStore(trainings.home)
    entry = files.get(plain.result_files[0])
    assert entry is not None
    assert (entry.purpose, entry.filename) == ("fine-tune-results", "step_metrics.csv")
    lines = files.read(entry).decode().splitlines()
    files.close()
    assert lines[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert len(lines) == STEPS + 1
    assert float(lines[1].split(",")[1]) == pytest.approx(trainings.losses(plain.id)[0], abs=1e-5)


def test_a_run_is_recorded_for_weights_and_biases(trainings: Trainings, plain: Job) -> None:
    (record,) = trainings.store.folder(plain.id).glob(f"wandb/offline-run-*/run-{plain.id}.wandb")
    assert b"train_loss" in record.read_bytes()


def test_a_paused_and_a_killed_job_go_on_as_if_nothing_had_been(trainings: Trainings, plain: Job) -> None:
    """Its answers of weight 0 are others, too: they teach nothing, so that its losses are those of the plain job."""
    job_id = trainings.create(conversations(turned=1), validation=conversations())
    process = trainings.start(job_id)
    trainings.at_step(job_id, 8)
    os.killpg(process.pid, signal.SIGINT)  # as from a kernel's interrupt
    trainings.store.ask(job_id, "pause")
    assert process.wait(PATIENCE_S) == 0
    paused = trainings.store.expect(job_id)
    assert (paused.status, paused.worker, paused.wanted) == ("paused", "", "")
    assert trainings.told(job_id)[-1] == "The job is paused, as asked; resume it to go on where it is."
    trainings.resume(job_id)
    process = trainings.start(job_id)
    trainings.at_step(job_id, max(PER_EPOCH * 2 + 2, paused.step + 2))
    process.kill()
    process.wait(PATIENCE_S)
    killed = trainings.store.expect(job_id)
    assert killed.status == "running"
    trainings.succeeded(job_id)
    assert f"Fine-tuning job goes on after step {paused.step}" in trainings.told(job_id)
    assert trainings.losses(job_id) == pytest.approx(trainings.losses(plain.id), rel=1e-5)
    assert trainings.store.expect(job_id).trained_tokens == plain.trained_tokens
    assert [each.step for each in trainings.store.checkpoints(job_id)] == [48, 36, 24]


def test_the_first_step_of_dpo_has_the_loss_ln_2_and_a_cancelled_job_keeps_its_checkpoints(
    trainings: Trainings, plain: Job
) -> None:
    job_id = trainings.create(
        pairs(), method="dpo", model=str(plain.fine_tuned_model), hyperparameters={"n_epochs": 40, "batch_size": 8}
    )
    process = trainings.start(job_id)
    trainings.at_step(job_id, 7)
    trainings.store.ask(job_id, "cancel")
    assert process.wait(PATIENCE_S) == 0
    job = trainings.store.expect(job_id)
    assert (job.status, job.worker) == ("cancelled", "")
    assert job.hyperparameters["beta"] == 0.1
    first = next(event.data for event in trainings.store.events(job_id) if event.type == "metrics")
    assert first["train_loss"] == pytest.approx(math.log(2), rel=0.01)
    assert {"train_reward_accuracy", "train_reward_margin", "train_mean_token_accuracy"} <= first.keys()
    last = trainings.losses(job_id)[-1]
    assert last < first["train_loss"]
    kept = [each.model for each in trainings.store.checkpoints(job_id)]
    assert kept
    assert trainings.told(job_id)[-1].endswith(f"can be asked: {', '.join(kept)}.")


def test_two_processes_train_a_lora_as_accelerate_is_configured(
    trainings: Trainings, plain: Job, tmp_path: Path
) -> None:
    configuration = tmp_path / "two.yaml"
    configuration.write_text("distributed_type: MULTI_CPU\nuse_cpu: true\nnum_processes: 2\nnum_machines: 1\n")
    asked = {**SMALL, "n_epochs": 1, "lora_rank": 4}
    job_id = trainings.create(pairs(), method="dpo", model=str(plain.fine_tuned_model), hyperparameters=asked)
    job = trainings.succeeded(job_id, ACCELERATE_CONFIG_FILE=str(configuration))
    assert "Training in 2 processes, as accelerate is configured" in trainings.told(job_id)
    assert job.hyperparameters["lora_rank"] == 4
    losses = trainings.losses(job_id)
    assert len(losses) == PER_EPOCH
    assert losses[0] == pytest.approx(math.log(2), rel=0.01)
    folder = trainings.store.folder(job_id)
    adapter = json.loads((folder / "model" / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == str(folder / "start")
    assert (folder / "start" / "model.safetensors").is_file()  # it stays when the model that it came of is deleted
    assert (folder / "model" / "adapter_model.safetensors").stat().st_size < 100_000


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Trainings]:
    """Another home folder, whose database is small."""
    made = Trainings(tmp_path)
    yield made
    made.close()


def failed(trainings: Trainings, job_id: str, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Wait for a job's failure, see that what was trained is kept and told, and return its error."""
    assert process.wait(PATIENCE_S) == 1, trainings.log(job_id)
    job = trainings.store.expect(job_id)
    assert (job.status, job.worker) == ("failed", ""), trainings.log(job_id)
    assert job.error is not None
    kept = trainings.store.checkpoints(job_id)
    assert kept
    assert job.error["message"].endswith(f"can be asked: {', '.join(each.model for each in kept)}.")
    assert {each.step for each in saved(trainings.store.folder(job_id) / "trainer")} == {each.step for each in kept}
    return job.error


def test_without_room_on_the_disk_a_job_fails_and_keeps_what_was_trained(alone: Trainings) -> None:
    job_id = alone.create(conversations(), hyperparameters={"n_epochs": 50, "batch_size": 8})
    process = alone.start(job_id)
    alone.at_step(job_id, 7)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
    error = failed(alone, job_id, process)
    assert error["code"] == "disk_full"
    assert "Make room, or set AGENTKIT_HOME" in error["message"]


def test_without_memory_a_job_fails_and_keeps_what_was_trained(alone: Trainings) -> None:
    asked = {"n_epochs": 50, "batch_size": EXAMPLES}
    job_id = alone.create(conversations(times=12), hyperparameters=asked)  # long enough to ask for memory at each step
    process = alone.start(job_id)
    alone.at_step(job_id, 3)
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[0])
    most = pages * resource.getpagesize() - 100_000_000
    resource.prlimit(process.pid, resource.RLIMIT_AS, (most, most))
    error = failed(alone, job_id, process)
    assert error["code"] == "out_of_memory"
    assert "smaller batch_size" in error["message"]


def test_a_folder_without_a_tokenizer_is_told_before_anything_is_loaded(
    trainings: Trainings, plain: Job, tmp_path: Path
) -> None:
    source = trainings.store.folder(plain.id) / "model"
    for missing, told in (("tokenizer.json", "there is no tokenizer"), ("chat_template.jinja", "has no chat template")):
        folder = tmp_path / missing
        shutil.copytree(source, folder)
        (folder / missing).unlink()
        job = trainings.run(trainings.create(conversations(), model=str(folder)))
        assert job.status == "failed"
        assert job.error is not None
        assert (job.error["code"], job.error["param"]) == ("invalid_model", "model")
        assert told in job.error["message"]


def test_a_probe_tells_how_long_steps_take(trainings: Trainings, tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_bytes(conversations())
    asked = {"home": str(trainings.home), "model": "tiny-1", "method": "supervised", "lines": str(lines)}
    found = subprocess.run(
        [sys.executable, "-m", "agentkit.local.training.worker.probe"],
        input=json.dumps({**asked, "hyperparameters": {"batch_size": 4}, "count": 400, "steps": 3}),
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        timeout=PATIENCE_S,
    )
    told = json.loads(found.stdout)
    assert "error" not in told, told
    assert (told["steps"], told["n_epochs"], told["device"]) == (300, 3, "cpu")
    assert 0 < told["seconds_per_step"] < told["start_s"]
    assert told["tokens_per_second"] > 0
    assert 100_000 < told["parameters"] < 1_000_000
