"""The parts of the worker that need no torch: what "auto" means, why jobs fail, which checkpoints are kept."""

from __future__ import annotations

import errno
import json
import math
import threading
from pathlib import Path
from typing import Any

import pytest

from agentkit._process import this_process
from agentkit.local.errors import ApiError
from agentkit.local.files.store import FileStore
from agentkit.local.training.bases import UnknownBaseError, base_of_adapter, resolve
from agentkit.local.training.records import Job
from agentkit.local.training.store import JobStore
from agentkit.local.training.worker.checkpoints import linked_copy, mark, newest, prune, saved
from agentkit.local.training.worker.failures import JobFailure, failure_of
from agentkit.local.training.worker.files import check_lines, file_path
from agentkit.local.training.worker.hyperparameters import Hyperparameters, length_of, method_of, settle
from agentkit.local.training.worker.ranks import asked_configuration, is_first
from agentkit.local.training.worker.results import table_of
from agentkit.local.training.worker.starting import find_folder
from agentkit.local.training.worker.working import Work

TINY = {"parameters": 500_000, "context": 2048, "fresh": True}
LARGE = {"parameters": 1_000_000_000, "context": 32_768, "fresh": False}


def line(question: str, answer: str) -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages})


# -- hyperparameters -----------------------------------------------------------------------------------------------


def test_a_new_tiny_1_is_given_about_300_steps() -> None:
    settings = settle("supervised", {}, examples=400, **TINY)
    assert settings.hyperparameters == Hyperparameters(12, 16, 1.0, 0, 2048)
    assert settings.learning_rate == pytest.approx(2.7e-3, rel=0.02)
    assert (settings.per_device, settings.accumulated) == (16, 1)


def test_large_models_are_trained_as_a_lora_for_three_epochs() -> None:
    settings = settle("supervised", {"n_epochs": "auto"}, examples=400, **LARGE)
    assert settings.hyperparameters == Hyperparameters(3, 16, 1.0, 16, 32_768)
    assert (settings.per_device, settings.accumulated) == (2, 8)


@pytest.mark.parametrize(("examples", "epochs"), [(10, 10), (33, 3), (400, 3), (8_334, 2), (60_000, 1)])
def test_epochs_follow_the_rule_of_thumb(examples: int, epochs: int) -> None:
    assert settle("supervised", {}, examples=examples, **LARGE).hyperparameters.n_epochs == epochs


def test_what_was_asked_for_is_taken() -> None:
    asked = {"n_epochs": 2, "batch_size": 30, "learning_rate_multiplier": 0.5, "lora_rank": 8, "max_length": 100}
    settings = settle("dpo", {**asked, "beta": 0.3}, examples=400, **LARGE)
    assert settings.hyperparameters.as_json() == {**asked, "beta": 0.3}
    assert settings.per_device * settings.accumulated == 30
    whole = settle("dpo", {**asked, "learning_rate_multiplier": 1}, examples=400, **LARGE)
    assert settings.learning_rate == pytest.approx(whole.learning_rate / 2)


def test_processes_share_a_batch() -> None:
    settings = settle("supervised", {"batch_size": 16}, examples=400, processes=3, **TINY)
    assert (settings.per_device, settings.accumulated) == (6, 1)
    assert settings.hyperparameters.batch_size == 18


def test_a_lora_keeps_its_rank_or_becomes_a_whole_model() -> None:
    assert settle("dpo", {}, examples=50, adapter_rank=8, **LARGE).hyperparameters.lora_rank == 8
    assert settle("dpo", {"lora_rank": 0}, examples=50, adapter_rank=8, **LARGE).hyperparameters.lora_rank == 0
    with pytest.raises(JobFailure, match="lora_rank is 4, but the model is a LoRA of rank 8 already") as caught:
        settle("dpo", {"lora_rank": 4}, examples=50, adapter_rank=8, **LARGE)
    assert caught.value.as_error()["code"] == "invalid_hyperparameters"


def test_no_more_is_read_than_the_model_can() -> None:
    assert length_of({"max_length": 512}, 2048) == 512
    with pytest.raises(JobFailure, match="max_length is 4,096, but the model reads 2,048 tokens at most"):
        length_of({"max_length": 4096}, 2048)


def test_a_request_says_its_method() -> None:
    assert method_of({"method": {"type": "supervised"}}) == ("supervised", {})
    dpo = {"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}}
    assert method_of(dpo) == ("dpo", {"beta": 0.2})


# -- failures ------------------------------------------------------------------------------------------------------


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


SafetensorError = type("SafetensorError", (Exception,), {})


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full", "Make room, or set AGENTKIT_HOME"),
        (OSError(errno.EFBIG, "File too large"), "disk_full", "File too large"),
        (SafetensorError("I/O error: No space left on device (os error 28)"), "disk_full", "os error 28"),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 1 vs 0"), "disk_full", "Make room"),
        (ApiError("x.sqlite can't be used: database or disk is full."), "disk_full", "database or disk is full"),
        (MemoryError(), "out_of_memory", "smaller batch_size"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), "out_of_memory", "lora_rank=16"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory", "CUDA out of memory"),
        (caused(ValueError("broken"), MemoryError()), "out_of_memory", "smaller"),
        (ModuleNotFoundError("No module named 'trl'", name="trl"), "training_unavailable", "pip install "),
        (UnknownBaseError("There is no folder."), "invalid_model", "There is no folder."),
        (JobFailure("wandb_error", "No key."), "wandb_error", "No key."),
        (ValueError("out of memory is a word"), "server_error", "ValueError: out of memory is a word. The whole"),
        (KeyError("x"), "server_error", "log.txt"),
    ],
)
def test_errors_are_told_with_a_code_and_what_to_do(error: Exception, code: str, told: str) -> None:
    failure = failure_of(error, folder=Path("/jobs/1"))
    assert failure.code == code
    assert told in failure.message


# -- files ---------------------------------------------------------------------------------------------------------


def test_lines_are_checked_by_the_rules_of_the_kit(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(line(f"{n}?", f"{n}!") for n in range(10)) + "\n")
    assert check_lines(path, "file-1", "training", "sft") == 10
    with path.open("a") as file:
        file.write('{"messages": []}\n{"messages"\n')
    with pytest.raises(JobFailure) as caught:
        check_lines(path, "file-1", "training", "sft")
    assert caught.value.as_error()["code"] == "invalid_training_file"
    assert caught.value.param == "training_file"
    assert "The training file file-1 has 2 problems. Line 11 messages: is " in caught.value.message
    assert "Line 12" in caught.value.message


def test_validation_files_may_be_short(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    path.write_text(line("a", "b") + "\n")
    assert check_lines(path, "file-2", "validation", "sft") == 1
    with pytest.raises(JobFailure, match="The training file file-2 has 1 problem. The file: 1 example"):
        check_lines(path, "file-2", "training", "sft")
    path.write_text("")
    with pytest.raises(JobFailure, match="no example"):
        check_lines(path, "file-2", "validation", "sft")


def test_files_that_are_gone_are_told(tmp_path: Path) -> None:
    with pytest.raises(JobFailure, match="The validation file file-9 is no longer there") as caught:
        file_path(tmp_path, "file-9", "validation")
    assert caught.value.code == "invalid_validation_file"


# -- checkpoints ---------------------------------------------------------------------------------------------------


def checkpoint(root: Path, step: int, *, of_epoch: bool = True, whole: bool = True) -> Path:
    folder = root / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    for name in ("model.safetensors", "optimizer.pt", "rng_state_0.pth", "trainer_state.json", "config.json"):
        (folder / name).write_text(name)
    if whole:
        mark(folder, step=step, of_epoch=of_epoch)
    return folder


def test_the_last_three_epochs_and_the_newest_checkpoint_are_kept(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.create({}).id
    root = tmp_path / "trainer"
    for step in (10, 20, 30, 40):
        store.add_checkpoint(job, step, f"m:{step}", checkpoint(root, step), {})
    checkpoint(root, 35, of_epoch=False)
    checkpoint(root, 45, of_epoch=False)
    checkpoint(root, 50, whole=False)
    prune(store, job, root)
    assert [(each.step, each.of_epoch, each.resumable) for each in saved(root)] == [
        (20, True, False),
        (30, True, False),
        (40, True, False),
        (45, False, True),
    ]
    assert sorted(path.name for path in root.iterdir()) == [f"checkpoint-{step}" for step in (20, 30, 40, 45)]
    assert [each.step for each in store.checkpoints(job)] == [40, 30, 20]
    assert [each.name for each in store.models()] == ["m:20", "m:30", "m:40"]
    assert sorted(path.name for path in (root / "checkpoint-20").iterdir()) == [
        "agentkit.json",
        "config.json",
        "model.safetensors",
    ]
    going_on = newest(root)
    assert going_on is not None
    assert going_on.step == 45
    store.close()


def test_a_model_is_copied_without_what_the_trainer_needs(tmp_path: Path) -> None:
    source = checkpoint(tmp_path, 1)
    linked_copy(source, tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["config.json", "model.safetensors"]


def test_a_lora_is_kept_with_its_base_by_the_job_that_trains_it_further(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    source = store.folder("ftjob-1") / "model"
    source.mkdir(parents=True)
    config = {"r": 4, "base_model_name_or_path": "/before/fine_tuning/jobs/ftjob-1/start"}  # the folder was moved
    (source / "adapter_config.json").write_text(json.dumps(config))
    checkpoint(source.parent, 1).rename(source.parent / "start")
    store.add_model("ft:m", source, "ftjob-1")
    store.close()
    job = store.folder("ftjob-2")
    base = resolve("ft:m", tmp_path)
    linked_copy(source, job / "start")  # as far as a worker came that was killed
    for _ in range(2):
        start = find_folder(base, job, tmp_path / "t.jsonl", 0)
        assert start == job / "start"
        assert base_of_adapter(start) == str(job / "base")
        assert (job / "base" / "model.safetensors").is_file()
    assert json.loads((source / "adapter_config.json").read_text()) == config


# -- results, configurations, the life of a job --------------------------------------------------------------------


def test_results_are_a_table_as_openais() -> None:
    first = {"step": 1, "total_steps": 2, "train_loss": 2.0, "train_mean_token_accuracy": 0.5}
    second = {**first, "step": 2, "train_loss": None, "valid_loss": 1 / 3, "valid_mean_token_accuracy": 0.75}
    assert table_of([first, second], "supervised") == (
        "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.0,0.5,,\n2,,0.5,0.33333,0.75\n"
    )
    pair = {"step": 1, "train_loss": math.log(2), "train_reward_accuracy": 0.0, "train_reward_margin": 0.0}
    assert table_of([pair], "dpo").splitlines()[1] == "1,0.69315,,0.0,0.0,,,,"


@pytest.mark.parametrize(
    ("text", "several"),
    [("num_processes: 2\n", True), ("num_machines: 2\nnum_processes: 8\n", True), ("num_processes: 1\n", False)],
)
def test_accelerates_configuration_says_how_many_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, several: bool
) -> None:
    path = tmp_path / "accelerate" / "default_config.yaml"
    path.parent.mkdir()
    path.write_text(text)
    monkeypatch.delenv("ACCELERATE_CONFIG_FILE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert asked_configuration() == (path if several else None)
    monkeypatch.setenv("ACCELERATE_CONFIG_FILE", str(path))
    monkeypatch.setenv("HF_HOME", "/nowhere")
    assert asked_configuration() == (path if several else None)


def test_a_configuration_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_CONFIG_FILE", "/nowhere.yaml")
    with pytest.raises(JobFailure, match="ACCELERATE_CONFIG_FILE is /nowhere.yaml, and there is no such file"):
        asked_configuration()


def test_a_worker_that_trains_alone_tells_the_store_whatever_the_platforms_own_rank_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RANK", "1")
    assert is_first()
    monkeypatch.setenv("AGENTKIT_TRAINING_RANK_OF", this_process())
    assert not is_first()
    monkeypatch.setenv("RANK", "0")
    assert is_first()


class Life:
    """A job, and the work on it in this process, up to where torch would be needed."""

    def __init__(self, home: Path, data: str) -> None:
        self.store = JobStore(home)
        files = FileStore(home)
        file_id = files.add("t.jsonl", data.encode(), purpose="fine-tune").id
        files.close()
        method: dict[str, Any] = {"type": "supervised", "supervised": {"hyperparameters": {}}}
        self.id = self.store.create({"model": "tiny-1", "method": method, "training_file": file_id}).id
        self.terminated = threading.Event()
        self.home = home

    def run(self) -> int:
        return Work(self.home, self.id, self.store, self.terminated).run()

    def told(self) -> list[str]:
        return [event.message for event in self.store.events(self.id)]


GOOD = "".join(line(f"{n}?", f"{n}!") + "\n" for n in range(10))


def test_a_bad_file_fails_the_job(tmp_path: Path) -> None:
    life = Life(tmp_path, '{"messages": 1}\n')
    assert life.run() == 1
    job = life.store.expect(life.id)
    assert (job.status, job.worker) == ("failed", "")
    assert job.error is not None
    assert job.error["code"] == "invalid_training_file"
    assert life.told()[-1] == job.error["message"]
    life.store.close()


@pytest.mark.parametrize(("wanted", "status"), [("cancel", "cancelled"), ("pause", "paused")])
def test_a_job_that_waits_for_its_turn_can_be_stopped(tmp_path: Path, wanted: Any, status: str) -> None:
    life = Life(tmp_path, GOOD)
    first = life.store.create({}).id  # runs before it
    life.store.update(first, status="running", worker=this_process())
    life.store.update(life.id, status="queued", wanted=wanted)
    assert life.run() == 0
    job = life.store.expect(life.id)
    assert (job.status, job.worker, job.wanted) == (status, "", "")
    life.store.close()


def test_a_worker_that_is_asked_to_end_pauses_its_job(tmp_path: Path) -> None:
    life = Life(tmp_path, GOOD)
    life.terminated.set()
    assert life.run() == 0
    assert life.store.expect(life.id).status == "paused"
    assert life.told()[-1] == "The job is paused, its process was asked to end; resume it to go on where it is."
    life.store.close()


def test_nobody_works_on_a_job_that_is_over_or_anothers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    life = Life(tmp_path, GOOD)
    life.store.update(life.id, status="cancelled")
    assert life.run() == 0
    assert "is over, gone, or another process works on it" in capsys.readouterr().out
    assert life.told() == []
    life.store.close()


class FullStore(JobStore):
    """A store on a disk that has no room for the end of a job."""

    def __init__(self, home: Path, *, times: int) -> None:
        super().__init__(home)
        self.times = times

    def update(self, job_id: str, **changes: Any) -> Job:
        if changes.get("status") in ("succeeded", "failed") and self.times:
            self.times -= 1
            raise ApiError("database or disk is full", status=500)
        return super().update(job_id, **changes)


def test_a_job_whose_end_was_not_written_down_can_go_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    life = Life(tmp_path, GOOD)
    life.store.close()
    store = FullStore(tmp_path, times=1)
    work = Work(tmp_path, life.id, store, life.terminated)
    checkpoint(work.root, 9)
    with pytest.raises(ApiError):
        work.succeeded()
    assert newest(work.root) is not None
    work.succeeded()
    assert newest(work.root) is None
    assert store.expect(life.id).status == "succeeded"
    store.close()


def test_a_failure_without_room_to_write_it_down_makes_room(tmp_path: Path) -> None:
    life = Life(tmp_path, "{}\n")
    life.store.close()
    life.store = store = FullStore(tmp_path, times=1)
    folder = checkpoint(store.folder(life.id) / "trainer", 9)
    assert life.run() == 1
    assert store.expect(life.id).status == "failed"
    assert not (folder / "optimizer.pt").exists()
    store.close()


def test_no_key_is_told_with_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "0123456789abcdef0123456789abcdef01234567"
    monkeypatch.setenv("WANDB_API_KEY", key)
    monkeypatch.setenv("ACCELERATE_CONFIG_FILE", f"/{key}.yaml")
    life = Life(tmp_path, GOOD)
    assert life.run() == 1
    error = life.store.expect(life.id).error
    assert error is not None
    assert error["code"] == "invalid_configuration"
    assert key not in error["message"] + life.told()[-1]
    life.store.close()


class DeletedStore(JobStore):
    """A store out of which a job is deleted while its worker writes."""

    def begin(self, job_id: str, worker: str) -> bool:
        self.delete(job_id)
        (self.folder(job_id) / "trainer").mkdir(parents=True)
        raise KeyError(job_id)


def test_nothing_is_left_of_a_job_that_is_deleted_while_its_worker_writes(tmp_path: Path) -> None:
    life = Life(tmp_path, GOOD)
    life.store.close()
    life.store = DeletedStore(tmp_path)
    assert life.run() == 0
    assert not life.store.folder(life.id).exists()
    life.store.close()
