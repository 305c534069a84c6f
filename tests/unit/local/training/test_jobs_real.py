"""A fine-tuning job with the real trainer: its whole life, and its model at work."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.responses import Response
from test_jobs_api import strict_job
from tuning_clients import Tuning

from agentkit.local.training.launching import WORKER

COLOURS = ("red", "green", "blue", "black")
EPOCHS = 25


def colours(number: int) -> bytes:
    """Return a training file in which each answer is the question's last word."""
    texts = [(f"Say {colour} {n}", colour) for n in range(number) for colour in COLOURS]
    lines = [
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
        for question, answer in texts
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def test_a_model_is_trained_stopped_gone_on_with_and_asked(
    tunings: Callable[..., Tuning], strictly: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    tuning = tunings(trainer=WORKER)
    client = tuning.api
    train = client.files.create(file=("colours.jsonl", colours(3)), purpose="fine-tune")
    job_id = client.fine_tuning.jobs.create(
        model="tiny-1",
        training_file=train.id,
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": EPOCHS, "batch_size": 4}}},
        suffix="colours",
        seed=11,
    ).id
    tuning.at_step(job_id, 1)
    assert client.fine_tuning.jobs.pause(job_id).status == "paused"
    done = tuning.store.expect(job_id).step
    assert 1 <= done < 3 * EPOCHS
    client.fine_tuning.jobs.resume(job_id)

    job = tuning.wait(job_id, "succeeded", "failed")
    assert job.error is None
    body = client.get(f"/fine_tuning/jobs/{job_id}", cast_to=object)
    strict_job(strictly, body)
    name = body["fine_tuned_model"]
    assert name == f"ft:tiny-1:agentkit:colours:{job_id[-8:]}"
    assert body["hyperparameters"]["n_epochs"] == EPOCHS
    metrics = [event.data for event in tuning.store.events(job_id) if event.type == "metrics"]
    assert [data["step"] for data in metrics] == list(range(1, 3 * EPOCHS + 1))
    assert metrics[-1]["train_loss"] < metrics[0]["train_loss"] / 10
    rows = list(csv.reader(io.StringIO(client.files.content(body["result_files"][0]).text)))
    assert (rows[0][:3], len(rows)) == (["step", "train_loss", "train_accuracy"], 3 * EPOCHS + 1)
    checkpoints = client.get(f"/fine_tuning/jobs/{job_id}/checkpoints", cast_to=object)["data"]
    for each in checkpoints:
        strictly(FineTuningJobCheckpoint, each)
    assert [each["step_number"] for each in checkpoints] == [3 * EPOCHS, 3 * EPOCHS - 3, 3 * EPOCHS - 6]

    raw = client.responses.with_raw_response.create(model=name, input="Say blue 1", max_output_tokens=16)
    answer = strictly(Response, raw.http_response.json())
    assert (answer.model, answer.output_text) == (name, "blue")
    earlier = checkpoints[-1]["fine_tuned_model_checkpoint"]
    assert client.responses.create(model=earlier, input="Say red 2", max_output_tokens=16).output_text == "red"
    assert [model.id for model in client.models.list()] == ["rehearsal-1", "tiny-1", name]
    assert client.models.delete(name).deleted
    assert client.responses.create(model=earlier, input="Say red 2", max_output_tokens=16).output_text == "red"
