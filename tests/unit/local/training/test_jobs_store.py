"""What platforms and workers keep of jobs for each other."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentkit._process import this_process
from agentkit.local.training.records import Job
from agentkit.local.training.store import JobStore

REQUEST = {"model": "tiny-1", "metadata": None}


@pytest.fixture
def store(tmp_path: Path, clock: Any) -> Any:
    made = JobStore(tmp_path, clock=clock)
    yield made
    made.close()


@pytest.fixture(scope="module")
def ended() -> str:
    """A process that has ended."""
    code = "from agentkit._process import this_process; print(this_process())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def at_work(store: JobStore, worker: str) -> Job:
    """Return a new job that is queued, with a worker."""
    job = store.create(REQUEST)
    assert store.take(job.id, worker)
    return store.update(job.id, status="queued")


def test_asking_makes_no_file(store: JobStore, tmp_path: Path) -> None:
    assert (store.exists, store.model("ft:x"), store.models()) == (False, None, [])
    assert not store.delete_model("ft:x")
    assert list(tmp_path.iterdir()) == []


def test_a_job_is_as_it_was_kept(store: JobStore, tmp_path: Path, clock: Any) -> None:
    job = store.create(REQUEST)
    assert job == Job(job.id, 1_800_000_000, "validating_files", "", "", 0.0, 0, REQUEST)
    changed = store.update(job.id, status="running", hyperparameters={"n_epochs": 3}, step=2, total_steps=9)
    assert changed == replace(job, status="running", hyperparameters={"n_epochs": 3}, step=2, total_steps=9)
    other = JobStore(tmp_path)
    assert other.get(job.id) == changed
    other.close()
    assert (store.jobs(), store.unfinished()) == ([changed], [changed])


def test_what_a_job_has_not_can_not_change(store: JobStore) -> None:
    job = store.create(REQUEST)
    with pytest.raises(ValueError, match="no created_at, speed that could change"):
        store.update(job.id, speed=3, created_at=4)
    with pytest.raises(KeyError):
        store.update("ftjob-x", step=1)


def test_a_job_that_is_over_stays_so_and_knows_when(store: JobStore, clock: Any) -> None:
    job = store.create(REQUEST)
    store.update(job.id, status="running", estimated_finish=1_800_000_100)
    clock.go_on(5)
    over = store.update(job.id, status="cancelled")
    assert (over.finished_at, over.estimated_finish) == (1_800_000_005, None)
    clock.go_on(5)
    assert store.update(job.id, status="running", step=4) == replace(over, step=4)
    assert store.unfinished() == []
    given = store.update(store.create(REQUEST).id, status="failed", finished_at=7, error={"code": "x"})
    assert (given.finished_at, given.error) == (7, {"code": "x"})


def test_one_of_two_that_have_seen_the_same_changes_it(store: JobStore, tmp_path: Path) -> None:
    seen = store.create(REQUEST)
    other = JobStore(tmp_path)
    assert other.update_if(seen, starts=1, step=3)
    assert not store.update_if(seen, starts=1, step=9)
    assert store.expect(seen.id).step == 3
    other.ask(seen.id, "pause")
    assert not store.update_if(replace(seen, starts=1), step=9)
    assert not store.update_if(replace(seen, id="ftjob-x"), step=9)
    other.close()


def test_one_process_works_on_a_job(store: JobStore, ended: str) -> None:
    job = store.create(REQUEST)
    assert not store.take("ftjob-x", this_process())
    assert store.take(job.id, ended)
    assert store.take(job.id, this_process())  # the other is gone
    assert store.take(job.id, this_process())
    assert not store.take(job.id, ended)
    store.update(job.id, status="paused", worker="")
    assert not store.take(job.id, this_process())
    store.update(job.id, status="failed")
    assert not store.take(job.id, this_process())


def test_the_oldest_runs_and_the_others_wait(store: JobStore, ended: str) -> None:
    me = this_process()
    first, second = at_work(store, me), at_work(store, me)
    assert not store.begin(second.id, me)
    assert store.begin(first.id, me)
    assert store.expect(first.id).status == "running"
    assert not store.begin(second.id, me)
    store.update(first.id, status="succeeded", worker="")
    assert store.begin(second.id, me)
    assert not store.begin(first.id, me)


def test_jobs_without_a_worker_hold_nobody_up(store: JobStore, ended: str) -> None:
    me = this_process()
    abandoned, killed, mine = store.create(REQUEST), at_work(store, ended), at_work(store, me)
    store.update(abandoned.id, status="queued")
    store.update(killed.id, status="running")
    assert store.begin(mine.id, me)


def test_an_older_job_does_not_run_beside_a_younger_one(store: JobStore) -> None:
    me = this_process()
    older, younger = at_work(store, me), at_work(store, me)
    store.update(older.id, status="paused")
    assert store.begin(younger.id, me)
    store.update(older.id, status="queued")
    assert not store.begin(older.id, me)


def test_a_cancelled_job_holds_others_up_while_its_worker_ends(store: JobStore, clock: Any) -> None:
    me = this_process()
    cancelled = at_work(store, me)
    assert store.begin(cancelled.id, me)
    mine = at_work(store, me)
    store.update(cancelled.id, status="cancelled", heartbeat=clock())
    assert not store.begin(mine.id, me)
    assert not store.begin(cancelled.id, me)
    clock.go_on(300)  # it hangs
    assert store.begin(mine.id, me)
    store.update(mine.id, status="queued")
    store.update(cancelled.id, worker="", heartbeat=clock())
    assert store.begin(mine.id, me)


def test_what_is_wanted_is_told_and_of_what_is_over_it_is_to_stop(store: JobStore) -> None:
    job = store.create(REQUEST)
    assert store.wanted(job.id) == ""
    store.ask(job.id, "pause")
    assert store.wanted(job.id) == "pause"
    store.update(job.id, status="cancelled")
    assert store.wanted(job.id) == "cancel"
    store.delete(job.id)
    assert store.wanted(job.id) == "cancel"


def test_events_are_read_from_either_end(store: JobStore) -> None:
    job, other = store.create(REQUEST), store.create(REQUEST)
    store.tell(job.id, "begun")
    store.tell(other.id, "another")
    for step in (1, 2, 3):
        store.tell_step(job.id, f"Step {step}", {"step": step, "train_loss": 0.5}, step=step)
    store.tell(job.id, "odd", level="warn", data={"a": [1]})
    oldest_first = store.events(job.id)
    assert [event.message for event in oldest_first] == ["begun", "Step 1", "Step 2", "Step 3", "odd"]
    assert [(event.level, event.type, event.data) for event in oldest_first[-2:]] == [
        ("info", "metrics", {"step": 3, "train_loss": 0.5}),
        ("warn", "message", {"a": [1]}),
    ]
    assert store.latest_events(job.id, limit=2) == oldest_first[:1:-1]
    assert store.latest_events(job.id, limit=9, after=oldest_first[2].id) == oldest_first[1::-1]
    with pytest.raises(KeyError):
        store.latest_events(job.id, limit=2, after=store.events(other.id)[0].id)
    assert (store.expect(job.id).step, store.expect(job.id).heartbeat) == (3, 1_800_000_000.0)
    store.forget_metrics_after(job.id, 1)
    assert [event.message for event in store.events(job.id)] == ["begun", "Step 1", "odd"]


def test_checkpoints_are_models_until_they_are_dropped(store: JobStore, tmp_path: Path) -> None:
    job = store.create(REQUEST)
    for step in (10, 20, 20):
        store.add_checkpoint(
            job.id, step, f"ft:x:ckpt-step-{step}", store.folder(job.id) / str(step), {"train_loss": 1}
        )
    assert [(each.step, each.metrics) for each in store.checkpoints(job.id)] == [
        (20, {"train_loss": 1}),
        (10, {"train_loss": 1}),
    ]
    model = store.model("ft:x:ckpt-step-10")
    assert model is not None
    assert (model.folder, model.job_id) == (tmp_path / "fine_tuning" / "jobs" / job.id / "10", job.id)
    store.drop_checkpoints(job.id, [10, 30])
    assert [each.step for each in store.checkpoints(job.id)] == [20]
    assert [each.name for each in store.models()] == ["ft:x:ckpt-step-20"]


def test_models_move_with_their_home(store: JobStore, tmp_path: Path) -> None:
    home = tmp_path / "old"
    old = JobStore(home)
    job = old.create(REQUEST)
    old.add_model("ft:x", old.folder(job.id) / "model", job.id)
    old.add_model("ft:y", tmp_path / "elsewhere", job.id)
    old.close()
    home.rename(tmp_path / "new")
    new = JobStore(tmp_path / "new")
    folders = [model.folder for model in new.models()]
    assert folders == [tmp_path / "new" / "fine_tuning" / "jobs" / job.id / "model", tmp_path / "elsewhere"]
    new.close()


def test_a_deleted_model_takes_its_folder_along_unless_it_is_anothers(store: JobStore, tmp_path: Path) -> None:
    job = store.create(REQUEST)
    shared, foreign = store.folder(job.id) / "model", tmp_path / "foreign"
    for folder in (shared, foreign):
        folder.mkdir(parents=True)
    store.add_model("ft:x", shared, job.id)
    store.add_checkpoint(job.id, 5, "ft:x:ckpt-step-5", shared, {})
    store.add_model("ft:z", foreign, job.id)
    store.update(job.id, fine_tuned_model="ft:x", status="succeeded")
    assert store.delete_model("ft:x:ckpt-step-5")
    assert (shared.is_dir(), store.checkpoints(job.id)) == (True, [])
    assert store.delete_model("ft:x")
    assert (shared.is_dir(), store.expect(job.id).fine_tuned_model) == (False, None)
    assert store.delete_model("ft:z")
    assert foreign.is_dir()
    assert not store.delete_model("ft:z")


def test_a_deleted_job_leaves_nothing(store: JobStore) -> None:
    job = store.create(REQUEST)
    store.tell(job.id, "hello")
    store.add_checkpoint(job.id, 5, "ft:x:ckpt-step-5", store.folder(job.id) / "5", {})
    store.folder(job.id).mkdir(parents=True)
    store.delete(job.id)
    assert (store.get(job.id), store.events(job.id), store.checkpoints(job.id), store.models()) == (None, [], [], [])
    assert not store.folder(job.id).exists()
