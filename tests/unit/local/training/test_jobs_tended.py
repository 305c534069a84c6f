"""Fine-tuning jobs whose workers are killed, die at once, or belong to another platform; and what is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tuning_clients import Tuning

from agentkit._process import child_environment, is_elsewhere, is_gone, process_with
from agentkit.local.training.launching import WORKER, log_tail

HEAVY = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "wandb")


def test_a_killed_worker_is_followed_by_another_that_goes_on(tuning: Tuning) -> None:
    job_id = tuning.create("die once at 3")
    job = tuning.wait(job_id, "succeeded")
    assert job.fine_tuned_model is not None
    warned = "The trainer was killed by SIGKILL after step 3 of 8. Another one goes on from where it was saved last."
    assert tuning.messages(job_id, "warn") == [warned]
    steps = [event.data["step"] for event in tuning.store.events(job_id) if event.type == "metrics"]
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_worker_that_is_killed_at_the_same_place_again_is_the_last(tuning: Tuning, strictly: Any) -> None:
    job_id = tuning.create("die at 3")
    job = tuning.wait(job_id, "failed")
    assert (job.error.code, job.error.param) == ("trainer_killed", None)
    for said in (
        "killed by SIGKILL after step 3 of 8",
        "out of memory",
        "batch_size",
        "can be used, and trained further",
    ):
        assert said in job.error.message
    assert tuning.messages(job_id, "error") == [job.error.message]
    assert [each.step_number for each in tuning.jobs.checkpoints.list(job_id)] == [2]
    assert (job.finished_at is not None, tuning.store.expect(job_id).starts) == (True, 2)


def test_a_worker_that_dies_at_once_is_told_with_what_it_said(tuning: Tuning) -> None:
    job = tuning.wait(tuning.create("die"), "failed")
    assert job.error.code == "trainer_killed"
    assert "has ended with exit status 1 before the first step" in job.error.message
    assert job.error.message.endswith("log.txt:\nI don't feel well.\nI don't feel well.")


def test_no_key_is_told_of_what_a_worker_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "0123456789abcdef0123456789abcdef01234567"
    monkeypatch.setenv("WANDB_API_KEY", key)
    (tmp_path / "log.txt").write_text(f"starting\nlogin with {key} failed\n")
    told = log_tail(tmp_path)
    assert told.startswith("starting\nlogin with ")
    assert key not in told


def test_a_python_that_is_started_finds_this_agentkit_and_nothing_of_its_working_folder(tmp_path: Path) -> None:
    import agentkit

    (tmp_path / "json.py").write_text("raise SystemExit('not this one')")
    code = "import agentkit, json, os; print(agentkit.__file__, os.environ['ANIMAL'])"
    command = [sys.executable, "-P", "-c", code]
    environment = child_environment(ANIMAL="owl")
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == ([agentkit.__file__, "owl"], "")
    assert WORKER[1] == "-P"


def test_a_worker_that_gets_further_each_time_is_started_as_often(tunings: Callable[..., Tuning]) -> None:
    tuning = tunings(trainer=("sleep", "60"))
    job_id = tuning.create()
    for starts, step in ((2, 3), (3, 5), (4, 6)):
        tuning.store.update(job_id, status="running", step=step, total_steps=9)
        tuning.kill(job_id)
        assert tuning.jobs.retrieve(job_id).status == "queued"
        assert tuning.store.expect(job_id).starts == starts
    tuning.kill(job_id)
    assert tuning.jobs.retrieve(job_id).status == "failed"


def test_a_program_that_can_not_be_started_fails_the_job(tunings: Callable[..., Tuning]) -> None:
    tuning = tunings(trainer=("/no/such/program",))
    job = tuning.jobs.retrieve(tuning.create())
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "/no/such/program" in job.error.message


def test_two_platforms_on_one_home_start_one_worker(tunings: Callable[..., Tuning]) -> None:
    one, other = tunings(), tunings()
    job_id = one.create("wait")
    one.at_step(job_id, 3)
    assert other.jobs.retrieve(job_id).status == "running"
    assert [each.id for each in other.jobs.list()] == [job_id]
    assert one.store.expect(job_id).starts == 1
    assert other.jobs.pause(job_id).status == "paused"
    seen = one.store.expect(job_id)
    assert one.jobs.resume(job_id).status == "queued"
    assert not other.store.update_if(seen, starts=9)  # what the other would do had it seen the same
    assert one.wait(job_id, "succeeded").id == job_id
    assert other.store.expect(job_id).starts == 2


def test_a_job_is_found_again_by_a_platform_that_has_not_started_it(
    tunings: Callable[..., Tuning], tmp_path: Path
) -> None:
    one = tunings()
    file = one.file()
    program = f"""
import sys
sys.path[:0] = [{str(Path(__file__).parent)!r}]
from pathlib import Path
from tuning_clients import Tuning
print(Tuning(Path({str(tmp_path)!r})).create("wait", file={file!r}))
print([name for name in {HEAVY} if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    job_id, imported = told.stdout.splitlines()
    assert imported == "[]"
    one.at_step(job_id, 3)
    assert not is_gone(one.store.expect(job_id).worker)
    assert one.jobs.cancel(job_id).status == "cancelled"


def test_a_job_that_nobody_came_to_start_is_started(tuning: Tuning) -> None:
    tuning.finished()
    request = tuning.store.jobs()[0].request
    job = tuning.store.create(request)
    assert tuning.wait(job.id, "succeeded").id == job.id


def test_a_worker_that_is_just_being_started_is_left_alone(tunings: Callable[..., Tuning], clock: Any) -> None:
    tuning = tunings(trainer=("sleep", "60"), clock=clock)
    job_id = tuning.create()
    tuning.store.update(job_id, worker="")
    clock.go_on(29)
    tuning.jobs.retrieve(job_id)
    assert tuning.store.expect(job_id).starts == 1
    clock.go_on(2)
    tuning.jobs.retrieve(job_id)
    assert tuning.store.expect(job_id).starts == 2


def test_a_worker_of_another_machine_is_given_half_an_hour(tunings: Callable[..., Tuning], clock: Any) -> None:
    tuning = tunings(trainer=("sleep", "60"), clock=clock)
    job_id = tuning.create()
    tuning.store.update(job_id, worker="elsewhere/12/34", heartbeat=clock())
    clock.go_on(1799)
    tuning.jobs.retrieve(job_id)
    assert tuning.store.expect(job_id).worker == "elsewhere/12/34"
    clock.go_on(2)
    tuning.jobs.retrieve(job_id)
    job = tuning.store.expect(job_id)
    assert (job.starts, is_elsewhere(job.worker)) == (2, False)
    assert tuning.messages(job_id, "warn") == ["The trainer is gone before the first step. Another one was started."]


def test_a_job_whose_folder_has_vanished_begins_anew_and_says_so(tuning: Tuning) -> None:
    job_id = tuning.create("wait")
    tuning.at_step(job_id, 3)
    tuning.jobs.pause(job_id)
    shutil.rmtree(tuning.store.folder(job_id))
    tuning.jobs.resume(job_id)
    assert tuning.wait(job_id, "succeeded").id == job_id
    assert "begins anew" in tuning.messages(job_id, "warn")[0]


def test_a_home_that_has_vanished_has_no_jobs(tuning: Tuning) -> None:
    job = tuning.finished()
    shutil.rmtree(tuning.home / "fine_tuning")
    assert tuning.jobs.list().data == []
    with pytest.raises(Exception, match="Could not find fine tune"):
        tuning.jobs.retrieve(job.id)
    assert not (tuning.home / "fine_tuning").exists()


def test_what_a_worker_is_given(tunings: Callable[..., Tuning], tmp_path: Path) -> None:
    code = (
        "import json, os, sys\n"
        "at_home = os.getsid(0) == os.getpid()\n"
        "print(json.dumps([sys.argv[1:], os.getcwd(), at_home, sys.stdin.read()]))\n"
        "print('and an error', file=sys.stderr)"
    )
    tuning = tunings(trainer=(sys.executable, "-c", code))
    job = tuning.wait(tuning.create(), "failed")
    folder = tuning.store.folder(job.id)
    log = (folder / "log.txt").read_text().splitlines()
    assert [json.loads(log[0]), log[1]] == [[[str(tmp_path), job.id], str(folder), True, ""], "and an error"]
    assert (folder.stat().st_mode & 0o077, (folder / "log.txt").stat().st_mode & 0o077) == (0, 0)


def test_a_process_that_has_ended_is_gone_before_its_parent_asks() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    described = process_with(child.pid)
    assert not is_gone(described)
    assert child.stdin is not None
    child.stdin.close()
    while not is_gone(described):
        pass
    assert child.wait(10) == 1
    assert is_gone(described)
