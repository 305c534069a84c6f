"""The life of a fine-tuning job through the client: as OpenAI's guide goes through it, stopped, and gone on with."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from api_calls import refusal
from openai import OpenAI
from tuning_clients import Tuning, until


def test_a_job_goes_the_way_of_the_guide(tuning: Tuning, tmp_path: Path) -> None:
    client: OpenAI = tuning.api
    path = tmp_path / "train.jsonl"
    path.write_bytes(client.files.content(tuning.file()).read())
    with path.open("rb") as opened:
        file = client.files.create(file=opened, purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        training_file=file.id, model="tiny-1", method={"type": "supervised", "supervised": {}}, suffix="guide"
    )
    assert job.status == "validating_files"
    assert [each.id for each in client.fine_tuning.jobs.list(limit=10)] == [job.id]
    job = tuning.wait(job.id, "succeeded")
    assert (job.error, job.trained_tokens, job.finished_at is not None) == (None, 123, True)
    messages = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=50)]
    assert messages[0] == "The job has successfully completed"
    assert messages[-1] == f"Created fine-tuning job: {job.id}"
    checkpoints = client.fine_tuning.jobs.checkpoints.list(job.id).data
    assert [each.step_number for each in checkpoints] == [8, 6, 4]
    assert client.models.retrieve(str(job.fine_tuned_model)).id == job.fine_tuned_model
    for call in (client.fine_tuning.jobs.cancel, client.fine_tuning.jobs.pause, client.fine_tuning.jobs.resume):
        error = refusal(lambda call=call: call(job.id))
        assert (error.status_code, error.code) == (400, "invalid_status")
        assert f"Job has already completed: {job.id} has status 'succeeded'" in error.message
    assert client.models.delete(str(job.fine_tuned_model)).deleted


async def test_the_async_client_does_the_same(tuning: Tuning) -> None:
    from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

    from agentkit.local import embedded_transports

    job = tuning.finished()
    transport, _ = embedded_transports(home=tuning.home, embedder=lambda: None)
    http_client = DefaultAsyncHttpx2Client(transport=transport)
    async with AsyncOpenAI(api_key="k", base_url="http://agentkit.local/v1", http_client=http_client) as client:
        assert [each.id async for each in client.fine_tuning.jobs.list()] == [job.id]
        assert len([each async for each in client.fine_tuning.jobs.list_events(job.id, limit=3)]) == 12


# -- cancelled --------------------------------------------------------------------------------------------------------


def test_a_running_job_is_cancelled_and_keeps_what_it_has(tuning: Tuning) -> None:
    job_id = tuning.create("wait")
    tuning.at_step(job_id, 3)
    job = tuning.jobs.cancel(job_id)
    assert (job.status, job.fine_tuned_model, job.finished_at is not None) == ("cancelled", None, True)
    assert [each.step_number for each in tuning.jobs.checkpoints.list(job_id)] == [2]
    assert "has status 'cancelled'" in refusal(lambda: tuning.jobs.cancel(job_id)).message


def test_a_worker_that_does_not_listen_does_not_keep_its_job_from_being_cancelled(tuning: Tuning) -> None:
    job_id = tuning.create("stuck")
    tuning.at_step(job_id, 3)
    assert tuning.jobs.cancel(job_id).status == "cancelled"
    tuning.store.update(job_id, status="succeeded", fine_tuned_model="ft:x")  # it was through after all: too late
    job = tuning.jobs.retrieve(job_id)
    assert (job.status, job.fine_tuned_model) == ("cancelled", None)


def test_a_job_that_pauses_while_it_is_being_cancelled_is_cancelled(tuning: Tuning) -> None:
    job_id = tuning.create("stuck")
    tuning.at_step(job_id, 3)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(tuning.jobs.cancel, job_id)
        until(lambda: tuning.store.wanted(job_id) == "cancel")
        tuning.store.update(job_id, status="paused", wanted="")
        assert answer.result().status == "cancelled"


def test_a_job_that_waits_for_another_is_cancelled(tuning: Tuning) -> None:
    first = tuning.create("wait")
    tuning.at_step(first, 3)
    second = tuning.create("wait")
    tuning.wait(second, "queued")
    assert tuning.jobs.cancel(second).status == "cancelled"
    assert tuning.jobs.retrieve(first).status == "running"


def test_a_job_is_cancelled_before_its_worker_is_there(tunings: Callable[..., Tuning]) -> None:
    tuning = tunings(trainer=("sleep", "60"))
    job_id = tuning.create()
    assert tuning.jobs.retrieve(job_id).status == "validating_files"
    tuning.store.update(job_id, worker="")  # as if it was just being started
    job = tuning.jobs.cancel(job_id)
    assert (job.status, tuning.messages(job_id)[-1]) == ("cancelled", "The job was cancelled.")
    assert not tuning.store.take(job_id, "late/1/1")


# -- paused -----------------------------------------------------------------------------------------------------------


def test_a_running_job_is_paused_and_goes_on_where_it_was(tuning: Tuning) -> None:
    job_id = tuning.create("wait")
    tuning.at_step(job_id, 3)
    assert tuning.jobs.pause(job_id).status == "paused"
    error = refusal(lambda: tuning.jobs.pause(job_id))
    assert (error.status_code, error.code) == (400, "invalid_status")
    assert tuning.jobs.resume(job_id).status == "queued"
    assert tuning.wait(job_id, "succeeded").fine_tuned_model is not None
    steps = [event.data["step"] for event in tuning.store.events(job_id) if event.type == "metrics"]
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8]
    assert tuning.store.expect(job_id).starts == 2


def test_a_paused_job_lets_others_run_and_can_be_cancelled(tuning: Tuning) -> None:
    job_id = tuning.create("wait")
    tuning.at_step(job_id, 3)
    tuning.jobs.pause(job_id)
    assert tuning.finished().status == "succeeded"
    assert tuning.jobs.retrieve(job_id).status == "paused"
    assert tuning.jobs.cancel(job_id).status == "cancelled"


def test_a_job_that_waits_for_another_is_paused(tuning: Tuning) -> None:
    first = tuning.create("wait")
    tuning.at_step(first, 3)
    second = tuning.create("finish")
    tuning.wait(second, "queued")
    assert tuning.jobs.pause(second).status == "paused"
    tuning.jobs.cancel(first)
    tuning.jobs.resume(second)
    assert tuning.wait(second, "succeeded").id == second


def test_a_job_is_paused_before_its_worker_is_there(tunings: Callable[..., Tuning]) -> None:
    tuning = tunings(trainer=("sleep", "60"))
    job_id = tuning.create()
    tuning.store.update(job_id, worker="")  # as if it was just being started
    assert tuning.jobs.pause(job_id).status == "paused"
    assert not tuning.store.take(job_id, "late/1/1")
    assert tuning.jobs.resume(job_id).status == "queued"


def test_a_job_whose_worker_takes_its_time_is_not_paused_yet(tuning: Tuning) -> None:
    job_id = tuning.create("stuck")
    tuning.at_step(job_id, 3)
    assert tuning.jobs.pause(job_id).status == "running"
    error = refusal(lambda: tuning.jobs.resume(job_id))
    assert (error.status_code, "is being paused" in error.message) == (400, True)
    tuning.kill(job_id)
    assert tuning.jobs.retrieve(job_id).status == "paused"
    tuning.jobs.resume(job_id)
    assert tuning.wait(job_id, "succeeded").id == job_id


@pytest.mark.parametrize("act", ["wait", "stuck"])
def test_a_running_job_can_not_be_resumed(tuning: Tuning, act: str) -> None:
    job_id = tuning.create(act)
    tuning.at_step(job_id, 3)
    error = refusal(lambda: tuning.jobs.resume(job_id))
    assert (error.status_code, error.code) == (400, "invalid_status")
    assert "has status 'running' and can't be resumed" in error.message


# -- one after the other ----------------------------------------------------------------------------------------------


def test_jobs_run_one_after_the_other_in_their_order(tuning: Tuning) -> None:
    first = tuning.create("wait")
    tuning.at_step(first, 3)
    waiting = [tuning.create("finish") for _ in range(2)]
    for job_id in waiting:
        tuning.wait(job_id, "queued")
    tuning.jobs.cancel(first)
    for job_id in waiting:
        tuning.wait(job_id, "succeeded")
    second, third = (tuning.store.events(job_id) for job_id in waiting)
    ended = next(event for event in second if event.message == "The job has successfully completed")
    began = next(event for event in third if event.message == "Fine-tuning job started")
    assert tuning.place(ended) < tuning.place(began)
