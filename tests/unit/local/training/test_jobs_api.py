"""`/v1/fine_tuning/jobs` through the client: what is asked for, shown and listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest
from api_calls import refusal, wire
from openai.types import ModelDeleted
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from tuning_clients import Tuning


def strict_job(strictly: Any, body: dict[str, Any]) -> None:
    """Check a job as strictly as can be: what is on the wire and not in the types is known here."""
    known = dict(body)
    assert "user_provided_suffix" in known
    known.pop("user_provided_suffix")
    kind = known["method"]["type"]
    hyperparameters = dict(known["method"][kind]["hyperparameters"])
    for ours in ("lora_rank", "max_length"):
        hyperparameters.pop(ours, None)
    known["method"] = {"type": kind, kind: {"hyperparameters": hyperparameters}}
    if known["status"] == "paused":  # the API has it, its types don't
        known["status"] = "running"
    strictly(FineTuningJob, known)


def test_a_platform_that_never_trained_has_no_jobs_and_makes_no_files(tuning: Tuning, tmp_path: Path) -> None:
    assert wire(tuning.api, "/fine_tuning/jobs") == {"object": "list", "data": [], "has_more": False}
    error = refusal(lambda: tuning.jobs.retrieve("ftjob-x"))
    assert (error.status_code, error.code, error.param) == (404, "fine_tune_not_found", "fine_tune_id")
    assert [model.id for model in tuning.api.models.list()] == ["rehearsal-1", "tiny-1"]
    assert refusal(lambda: tuning.api.models.delete("ft:x")).status_code == 404
    assert list(tmp_path.iterdir()) == []


def test_a_new_job_has_every_documented_field(tuning: Tuning, strictly: Any) -> None:
    train, valid = tuning.file(), tuning.file(name="valid.jsonl")
    raw = tuning.jobs.with_raw_response.create(
        model="tiny-1",
        training_file=train,
        validation_file=valid,
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 3, "learning_rate_multiplier": 0.5}},
        },
        suffix="support",
        seed=7,
        metadata={"act": "wait"},
    )
    body = raw.http_response.json()
    strict_job(strictly, body)
    assert body == {
        "id": body["id"],
        "object": "fine_tuning.job",
        "created_at": body["created_at"],
        "model": "tiny-1",
        "organization_id": "org-agentkit",
        "status": "validating_files",
        "fine_tuned_model": None,
        "finished_at": None,
        "estimated_finish": None,
        "training_file": train,
        "validation_file": valid,
        "result_files": [],
        "trained_tokens": None,
        "error": None,
        "hyperparameters": {"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 0.5},
        "method": {
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 0.5}},
        },
        "seed": 7,
        "user_provided_suffix": "support",
        "integrations": [],
        "metadata": {"act": "wait"},
    }
    assert body["id"].startswith("ftjob-")


def test_little_has_to_be_given(tuning: Tuning, strictly: Any) -> None:
    file = tuning.file()
    body = wire(tuning.api, "/fine_tuning/jobs", {"model": "tiny-1", "training_file": file})
    strict_job(strictly, body)
    auto = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
    assert body["method"] == {"type": "supervised", "supervised": {"hyperparameters": auto}}
    assert (body["hyperparameters"], body["metadata"], body["user_provided_suffix"]) == (auto, None, None)
    assert 0 <= body["seed"] <= 2_147_483_647
    again = wire(tuning.api, "/fine_tuning/jobs", {"model": "tiny-1", "training_file": file})
    assert again["seed"] != body["seed"]


def test_preferences_are_trained_with_their_own_hyperparameters(tuning: Tuning, strictly: Any) -> None:
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1, "batch_size": 4, "lora_rank": 8}}}
    job_id = tuning.create("wait", method=method)
    body = wire(tuning.api, f"/fine_tuning/jobs/{job_id}")
    strict_job(strictly, body)
    asked = body["method"]["dpo"]["hyperparameters"]
    assert asked["beta"] == 0.1
    assert (asked["batch_size"], asked["lora_rank"]) == (4, 8)
    assert tuning.store.expect(job_id).request["method"]["dpo"]["hyperparameters"] == {
        "n_epochs": "auto",
        "batch_size": 4,
        "learning_rate_multiplier": "auto",
        "lora_rank": 8,
        "max_length": "auto",
        "beta": 0.1,
    }


def test_any_suffix_makes_a_name(tuning: Tuning) -> None:
    job_id = tuning.create("die", suffix="Größe: a/b")
    assert tuning.store.expect(job_id).request["suffix"] == "Gr-e-a-b"
    assert wire(tuning.api, f"/fine_tuning/jobs/{job_id}")["user_provided_suffix"] == "Größe: a/b"


def test_hyperparameters_may_stand_where_they_used_to(tuning: Tuning) -> None:
    job_id = tuning.create("finish", hyperparameters={"n_epochs": 2, "batch_size": "auto"})
    method = tuning.store.expect(job_id).request["method"]
    assert method["type"] == "supervised"
    assert method["supervised"]["hyperparameters"]["n_epochs"] == 2


def test_hyperparameters_are_numbers_once_they_are_settled(tuning: Tuning, strictly: Any) -> None:
    job = tuning.finished()
    body = wire(tuning.api, f"/fine_tuning/jobs/{job.id}")
    strict_job(strictly, body)
    settled = {"n_epochs": 4, "batch_size": 2, "learning_rate_multiplier": 1}
    assert body["hyperparameters"] == settled
    assert body["method"]["supervised"]["hyperparameters"] == settled


def test_a_run_of_weights_and_biases_is_shown(tuning: Tuning, strictly: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    integration = {"type": "wandb", "wandb": {"project": "routing", "tags": ["a"]}}
    body = wire(tuning.api, f"/fine_tuning/jobs/{tuning.create('wait', integrations=[integration])}")
    strict_job(strictly, body)
    shown = {"project": "routing", "name": None, "entity": None, "tags": ["a"]}
    assert body["integrations"] == [{"type": "wandb", "wandb": shown}]


def test_a_folder_is_kept_so_that_it_is_found_from_elsewhere(
    tuning: Tuning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert tuning.jobs.retrieve(tuning.create("wait", model="./models/mine")).model == str(folder)


# -- lists ------------------------------------------------------------------------------------------------------------


def test_jobs_come_newest_first_a_page_at_a_time(tuning: Tuning, strictly: Any) -> None:
    file = tuning.file()
    made = [tuning.create("die", file=file) for _ in range(5)]
    body = wire(tuning.api, "/fine_tuning/jobs?limit=2")
    assert sorted(body) == ["data", "has_more", "object"]
    assert ([job["id"] for job in body["data"]], body["has_more"]) == (made[:2:-1], True)
    for job in body["data"]:
        strict_job(strictly, job)
    assert [job.id for job in tuning.jobs.list(limit=2)] == made[::-1]
    assert [job.id for job in tuning.jobs.list(after=made[1])] == made[:1]
    error = refusal(lambda: tuning.jobs.list(after="ftjob-x"))
    assert (error.status_code, error.param) == (400, "after")
    assert refusal(lambda: tuning.jobs.list(limit=0)).param == "limit"


def test_jobs_are_found_by_their_metadata(tuning: Tuning) -> None:
    file = tuning.file()
    red = tuning.create(file=file, metadata={"act": "die", "colour": "red", "size": ""})
    blue = tuning.create(file=file, metadata={"act": "die", "colour": "blue"})
    plain = tuning.create(file=file)
    found = {
        "red": [job.id for job in tuning.jobs.list(metadata={"colour": "red"})],
        "both": [job.id for job in tuning.jobs.list(metadata={"colour": "red", "act": "die"})],
        "empty": [job.id for job in tuning.jobs.list(metadata={"size": ""})],
        "none": [job["id"] for job in wire(tuning.api, "/fine_tuning/jobs?metadata=null")["data"]],
        "all": [job.id for job in tuning.jobs.list(metadata={})],
        "page 2": [job.id for job in tuning.jobs.list(metadata={"act": "die"}, limit=1)],
        "nobody": [job.id for job in tuning.jobs.list(metadata={"colour": "green"})],
    }
    assert found == {
        "red": [red],
        "both": [red],
        "empty": [red],
        "none": [plain],
        "all": [plain, blue, red],
        "page 2": [blue, red],
        "nobody": [],
    }
    for query in ("metadata=null&metadata[a]=b", "metadata=red"):
        assert refusal(lambda query=query: wire(tuning.api, f"/fine_tuning/jobs?{query}")).param == "metadata"


def test_events_come_newest_first_a_page_at_a_time(tuning: Tuning, strictly: Any) -> None:
    job = tuning.finished()
    for each in range(30):
        tuning.store.tell(job.id, f"more {each}")
    kept = [event.id for event in tuning.store.events(job.id)]
    body = wire(tuning.api, f"/fine_tuning/jobs/{job.id}/events")
    assert [event["id"] for event in body["data"]] == kept[:-21:-1]
    assert (body["object"], body["has_more"], sorted(body)) == ("list", True, ["data", "has_more", "object"])
    for event in body["data"]:
        strictly(FineTuningJobEvent, event)
    assert [event.id for event in tuning.jobs.list_events(job.id)] == kept[::-1]
    assert [event.id for event in tuning.jobs.list_events(job.id, limit=1_000, after=kept[3])] == kept[2::-1]
    metrics = next(event for event in tuning.jobs.list_events(job.id) if event.type == "metrics")
    assert metrics.data == {"step": 8, "total_steps": 8, "train_loss": 0.125}
    other = tuning.create("die")
    error = refusal(lambda: tuning.jobs.list_events(other, after=kept[0]))
    assert (error.status_code, error.param) == (400, "after")


def test_the_last_three_checkpoints_are_listed_newest_first(tuning: Tuning, strictly: Any) -> None:
    job = tuning.finished()
    body = wire(tuning.api, f"/fine_tuning/jobs/{job.id}/checkpoints?limit=2")
    assert [each["step_number"] for each in body["data"]] == [8, 6]
    assert (body["first_id"], body["last_id"], body["has_more"]) == (body["data"][0]["id"], body["data"][1]["id"], True)
    for each in body["data"]:
        strictly(FineTuningJobCheckpoint, each)
    assert body["data"][0] == {
        "id": body["first_id"],
        "object": "fine_tuning.job.checkpoint",
        "created_at": body["data"][0]["created_at"],
        "fine_tuned_model_checkpoint": f"{job.fine_tuned_model}:ckpt-step-8",
        "fine_tuning_job_id": job.id,
        "step_number": 8,
        "metrics": {"step": 8, "train_loss": 0.125, "train_mean_token_accuracy": 0.5},
    }
    assert [each.step_number for each in tuning.jobs.checkpoints.list(job.id, limit=1)] == [8, 6, 4]
    assert refusal(lambda: tuning.jobs.checkpoints.list(job.id, after="ftckpt_x")).param == "after"


def test_every_path_of_a_job_that_is_not_there_says_so(tuning: Tuning) -> None:
    tuning.create("die")
    for call in (
        tuning.jobs.retrieve,
        tuning.jobs.cancel,
        tuning.jobs.pause,
        tuning.jobs.resume,
        tuning.jobs.list_events,
        tuning.jobs.checkpoints.list,
        lambda job_id: tuning.api.delete(f"/fine_tuning/jobs/{job_id}", cast_to=object),
    ):
        error = refusal(lambda call=call: call("ftjob-x"))
        assert isinstance(error, openai.NotFoundError)
        assert "Could not find fine tune: ftjob-x" in error.message


# -- models -----------------------------------------------------------------------------------------------------------


def test_trained_models_are_listed_and_their_checkpoints_are_found(tuning: Tuning) -> None:
    job = tuning.finished()
    assert [model.id for model in tuning.api.models.list()] == ["rehearsal-1", "tiny-1", job.fine_tuned_model]
    checkpoint = f"{job.fine_tuned_model}:ckpt-step-6"
    found = [tuning.api.models.retrieve(name).id for name in ("tiny-1", job.fine_tuned_model, checkpoint)]
    assert found == ["tiny-1", job.fine_tuned_model, checkpoint]
    assert refusal(lambda: tuning.api.models.retrieve(f"{job.fine_tuned_model}:ckpt-step-2")).status_code == 404


def test_a_deleted_model_is_gone_with_its_files(tuning: Tuning, strictly: Any) -> None:
    job = tuning.finished()
    folder = tuning.store.model(job.fine_tuned_model).folder
    body = tuning.api.models.with_raw_response.delete(job.fine_tuned_model).http_response.json()
    strictly(ModelDeleted, body)
    assert body == {"id": job.fine_tuned_model, "object": "model", "deleted": True}
    assert not folder.exists()
    assert tuning.jobs.retrieve(job.id).fine_tuned_model is None
    assert refusal(lambda: tuning.api.models.delete(job.fine_tuned_model)).code == "model_not_found"
    checkpoint = tuning.jobs.checkpoints.list(job.id).data[0].fine_tuned_model_checkpoint
    tuning.api.models.delete(checkpoint)
    assert [each.step_number for each in tuning.jobs.checkpoints.list(job.id)] == [6, 4]


@pytest.mark.parametrize("name", ["tiny-1", "rehearsal-1"])
def test_models_of_the_platform_stay(tuning: Tuning, name: str) -> None:
    error = refusal(lambda: tuning.api.models.delete(name))
    assert (error.status_code, error.code) == (400, "model_not_deletable")


def test_a_model_whose_folder_is_gone_is_not_listed_and_can_be_deleted(tuning: Tuning) -> None:
    job = tuning.finished()
    model = tuning.store.model(job.fine_tuned_model)
    model.folder.rename(model.folder.with_name("elsewhere"))
    assert [each.id for each in tuning.api.models.list()] == ["rehearsal-1", "tiny-1"]
    assert refusal(lambda: tuning.api.models.retrieve(model.name)).status_code == 404
    assert tuning.api.models.delete(model.name).deleted


def test_models_of_a_job_that_is_not_over_stay(tuning: Tuning) -> None:
    job_id = tuning.create("wait")
    tuning.at_step(job_id, 3)
    checkpoint = tuning.jobs.checkpoints.list(job_id).data[0].fine_tuned_model_checkpoint
    error = refusal(lambda: tuning.api.models.delete(checkpoint))
    assert (error.code, job_id in error.message) == ("model_in_use", True)
    tuning.jobs.cancel(job_id)
    assert tuning.api.models.delete(checkpoint).deleted


def test_a_model_that_an_adapter_needs_stays(tuning: Tuning) -> None:
    base = tuning.finished()
    folder = str(tuning.store.model(base.fine_tuned_model).folder)
    adapter = tuning.finished(model=base.fine_tuned_model, metadata={"adapter_of": folder})
    error = refusal(lambda: tuning.api.models.delete(base.fine_tuned_model))
    assert (error.code, adapter.fine_tuned_model in error.message) == ("model_in_use", True)
    assert refusal(lambda: tuning.api.delete(f"/fine_tuning/jobs/{base.id}", cast_to=object)).code == "model_in_use"
    tuning.api.delete(f"/fine_tuning/jobs/{adapter.id}", cast_to=object)
    assert tuning.api.models.delete(base.fine_tuned_model).deleted


def test_a_model_that_is_being_trained_further_stays(tuning: Tuning) -> None:
    base = tuning.finished()
    further = tuning.create("wait", model=base.fine_tuned_model)
    error = refusal(lambda: tuning.api.models.delete(base.fine_tuned_model))
    assert (error.code, further in error.message) == ("model_in_use", True)
    tuning.jobs.cancel(further)
    assert tuning.api.models.delete(base.fine_tuned_model).deleted
    error = refusal(lambda: tuning.create(model=base.fine_tuned_model))
    assert (error.status_code, error.code) == (400, "model_not_available")


def test_a_deleted_job_takes_all_that_is_its_along(tuning: Tuning) -> None:
    running = tuning.create("wait")
    tuning.at_step(running, 3)
    error = refusal(lambda: tuning.api.delete(f"/fine_tuning/jobs/{running}", cast_to=object))
    assert (error.status_code, error.code) == (400, "invalid_status")
    tuning.jobs.cancel(running)
    done = tuning.finished()
    body = tuning.api.delete(f"/fine_tuning/jobs/{done.id}", cast_to=object)
    assert body == {"id": done.id, "object": "fine_tuning.job.deleted", "deleted": True}
    assert not tuning.store.folder(done.id).exists()
    assert [job.id for job in tuning.jobs.list()] == [running]
    assert [model.name for model in tuning.store.models() if model.job_id == done.id] == []
    assert tuning.api.files.retrieve(done.training_file).id == done.training_file
