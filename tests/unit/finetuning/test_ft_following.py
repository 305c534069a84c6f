"""A job that is followed: its curves, events, checkpoints and models, as a platform like OpenAI's tells of them."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import httpx2
import openai
import pandas as pd
import pytest

import agentkit
from agentkit import FineTuningError, FineTuningJob, UserError
from agentkit.exceptions import ModelConnectionError, ModelStatusError
from agentkit.finetuning import following
from agentkit.finetuning.metrics import parse_results

from .hosted import Hosted, refusal


@pytest.fixture
def hosted() -> Hosted:
    return Hosted()


def opened(hosted: Hosted, job_id: str = "ftjob-1") -> FineTuningJob:
    return agentkit.finetuning_job(job_id, client=hosted.client())


def trained(hosted: Hosted, steps: int = 4) -> None:
    """Let a job have run for some steps."""
    hosted.job(status="running")
    hosted.tell("ftjob-1", "Fine-tuning job started")
    for step in range(1, steps + 1):
        told = {"step": step, "total_steps": 10, "train_loss": 1 / step, "train_mean_token_accuracy": 0.5}
        hosted.tell("ftjob-1", f"Step {step}/10", at=1_000 + 2 * step, **told)


def test_a_job_is_opened_by_its_id(hosted: Hosted) -> None:
    trained(hosted)
    job = opened(hosted)
    assert repr(job) == "FineTuningJob('ftjob-1', running, step 4 of 10, SFT of gpt-4.1-mini-2025-04-14)"
    assert (job.status, job.method, job.progress, job.progress.share) == ("running", "sft", (4, 10), 0.4)
    assert (job.fine_tuned_model, job.error, job.metadata) == (None, None, {})


def test_curves_have_a_row_for_each_step_and_the_usual_columns(hosted: Hosted) -> None:
    trained(hosted, 2)
    hosted.tell("ftjob-1", "Step 2", step=2, full_valid_loss=0.25, scores={"reward": 1.0}, note="text", total_steps=10)
    metrics = opened(hosted).metrics
    assert list(metrics.columns) == [
        "step", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy",
        "full_valid_loss", "full_valid_mean_token_accuracy", "scores.reward",
    ]  # fmt: skip
    assert metrics["train_loss"].tolist() == [1.0, 0.5]
    assert metrics["full_valid_loss"].isna().tolist() == [True, False]
    assert {str(kind) for kind in metrics.dtypes} == {"Int64", "Float64"}


def test_a_look_asks_for_no_more_than_what_is_new(hosted: Hosted) -> None:
    trained(hosted, 250)
    job = opened(hosted)
    assert len(job.events) == 251
    asked = len(hosted.requests)
    hosted.tell("ftjob-1", "Step 251", step=251, train_loss=0.0)
    assert len(job.events) == 252
    assert [path for _, path, _ in hosted.requests[asked:]] == [
        "/fine_tuning/jobs/ftjob-1", "/fine_tuning/jobs/ftjob-1/events",
    ]  # fmt: skip


def test_events_are_in_their_order_with_times(hosted: Hosted) -> None:
    trained(hosted, 1)
    events = opened(hosted).events
    assert events["message"].tolist() == ["Fine-tuning job started", "Step 1/10"]
    assert events["time"].tolist() == [pd.Timestamp(1_000, unit="s", tz="UTC"), pd.Timestamp(1_002, unit="s", tz="UTC")]
    assert events["step"].tolist() == [pd.NA, 1]
    assert str(events["level"].dtype) == "category"


def test_a_list_that_never_ends_is_read_only_once(hosted: Hosted) -> None:
    trained(hosted)

    def without_end(request: httpx2.Request) -> httpx2.Response | None:
        if not request.url.path.endswith("/events"):
            return None
        told = hosted.events["ftjob-1"][::-1]
        return httpx2.Response(200, json={"object": "list", "data": told, "has_more": True})

    hosted.answers = without_end
    assert len(opened(hosted).events) == 5


def test_very_many_events_are_cut_and_the_result_file_has_the_rest(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_EVENTS", 100)
    trained(hosted, 250)
    table = "step,train_loss,train_accuracy\n" + "".join(f"{step},{1 / step},0.75\n" for step in range(1, 251))
    hosted.contents["file-r"] = table.encode()
    hosted.job(status="succeeded", fine_tuned_model="ft:x", result_files=["file-r"], finished_at=2_000)
    job = opened(hosted)
    assert len(job.events) == 100
    assert job.metrics["step"].tolist() == list(range(1, 251))
    assert job.metrics["train_mean_token_accuracy"].iloc[[0, -1]].tolist() == [0.75, 0.5]


@pytest.mark.parametrize("encoded", [True, False])
def test_result_files_are_read_plain_and_in_base64_with_any_columns(hosted: Hosted, encoded: bool) -> None:
    table = b"step,train_loss,train_accuracy,valid_loss,extra\n1,2.5,0.5,,9\n2,1.5,0.75,1.25,\n\n"
    hosted.contents["file-r"] = base64.b64encode(table) if encoded else table
    hosted.job(status="succeeded", fine_tuned_model="ft:x", result_files=["file-r"])
    frame = opened(hosted).result_file()
    assert frame["train_mean_token_accuracy"].tolist() == [0.5, 0.75]
    assert frame["valid_loss"].tolist() == [pd.NA, 1.25]
    assert frame["extra"].tolist() == [9.0, pd.NA]


def test_a_result_file_that_is_something_else_is_told() -> None:
    with pytest.raises(UserError, match="is no table of metrics: it begins with '<html>'"):
        parse_results(b"<html>", "file-r")


def test_there_is_no_result_file_before_the_end(hosted: Hosted) -> None:
    hosted.job(status="running")
    with pytest.raises(UserError, match=r"has no result file: it is running\. job\.metrics has what is known"):
        opened(hosted).result_file()


def test_hyperparameters_are_found_where_those_of_dpo_are(hosted: Hosted) -> None:
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1, "n_epochs": 2}}}
    hosted.job(hyperparameters=None, method=method)
    job = opened(hosted)
    assert (job.method, job.hyperparameters) == ("dpo", {"beta": 0.1, "n_epochs": 2})


@pytest.mark.parametrize("error", [None, {}, {"code": None, "message": None, "param": None}])
def test_a_job_without_an_error_has_none_however_that_is_told(hosted: Hosted, error: Any) -> None:
    hosted.job(error=error)
    assert opened(hosted).error is None


def test_checkpoints_are_a_dataframe_by_steps(hosted: Hosted) -> None:
    hosted.job(status="running")
    hosted.keep("ftjob-1", 10, train_loss=0.5, full_valid_loss=0.4)
    hosted.keep("ftjob-1", 20, train_loss=0.25, full_valid_loss=0.45)
    frame = opened(hosted).checkpoints
    assert frame["step"].tolist() == [10, 20]
    assert frame["model"].tolist()[1].endswith(":ckpt-step-20")
    assert frame["full_valid_loss"].tolist() == [0.4, 0.45]


def test_a_model_is_used_by_step_or_as_the_best_or_the_last(hosted: Hosted) -> None:
    hosted.job(status="succeeded", fine_tuned_model="ft:end")
    hosted.keep("ftjob-1", 10, valid_loss=0.9, full_valid_loss=0.4)
    hosted.keep("ftjob-1", 20, valid_loss=0.1, full_valid_loss=0.45)
    job = opened(hosted)
    assert job.use() == "ft:end"
    assert [job.use(each)[-2:] for each in (10, 20, "best", "last")] == ["10", "20", "10", "20"]


def test_without_validation_the_best_is_the_last(hosted: Hosted) -> None:
    hosted.job(status="succeeded", fine_tuned_model="ft:end")
    hosted.keep("ftjob-1", 10, train_loss=0.1)
    hosted.keep("ftjob-1", 20, train_loss=0.2)
    assert opened(hosted).use("best").endswith("-20")


def test_a_model_that_is_not_there_says_which_are(hosted: Hosted) -> None:
    hosted.job(status="running")
    hosted.keep("ftjob-1", 10)
    job = opened(hosted)
    with pytest.raises(UserError, match=r"is running, and it has checkpoints of the steps 10\. job\.wait\(\)"):
        job.use()
    with pytest.raises(UserError, match="has no checkpoint of step 11: it has checkpoints of the steps 10"):
        job.use(11)
    with pytest.raises(UserError, match='checkpoint is a step, "best" or "last", not 1.5'):
        job.use(1.5)  # type: ignore[arg-type]


def test_waiting_ends_with_the_job(hosted: Hosted) -> None:
    trained(hosted)
    job = opened(hosted)

    def ends(request: httpx2.Request) -> None:
        hosted.job(status="succeeded", fine_tuned_model="ft:end", finished_at=2_000)

    hosted.answers = ends
    seen: list[str] = []
    assert job.wait(on_progress=lambda snapshot: seen.append(snapshot.status)) is job
    assert (seen, job.use()) == (["succeeded"], "ft:end")


def test_waiting_for_a_job_that_fails_raises_with_what_is_kept(hosted: Hosted) -> None:
    error = {"code": "out_of_memory", "message": "There was no memory left: take a smaller batch_size.", "param": None}
    hosted.job(status="failed", error=error)
    hosted.keep("ftjob-1", 10)
    job = opened(hosted)
    with pytest.raises(FineTuningError) as caught:
        job.wait()
    assert str(caught.value) == (
        "The job ftjob-1 failed: There was no memory left: take a smaller batch_size. (out_of_memory) "
        'What was trained so far is kept: it has checkpoints of the steps 10; job.use("last").'
    )
    assert (caught.value.code, caught.value.job) == ("out_of_memory", job)


def test_waiting_ends_after_its_time_and_the_job_goes_on(hosted: Hosted) -> None:
    trained(hosted)
    with pytest.raises(TimeoutError, match=r"is running after 0\.01 s of waiting\. It goes on\."):
        opened(hosted).wait(timeout_s=0.01)
    assert hosted.count("POST", "/fine_tuning") == 0


@pytest.mark.parametrize("timeout_s", ["5", -1, True, float("nan")])
def test_a_time_that_is_none_is_told_before_anybody_is_asked(hosted: Hosted, timeout_s: Any) -> None:
    trained(hosted)
    job = opened(hosted)
    asked = len(hosted.requests)
    with pytest.raises(UserError, match="timeout_s is a number of seconds, not "):
        job.wait(timeout_s=timeout_s)
    with pytest.raises(UserError, match=r"on_progress can't be 5\. It is a function that is given a JobSnapshot"):
        job.wait(on_progress=5)  # type: ignore[arg-type]
    assert len(hosted.requests) == asked


async def test_a_timeout_of_the_listener_is_not_taken_for_that_of_the_waiting(hosted: Hosted) -> None:
    def late(_: Any) -> None:
        raise TimeoutError("the listener's own")

    trained(hosted)
    job = await agentkit.afinetuning_job("ftjob-1", client=hosted.client())
    with pytest.raises(TimeoutError, match="the listener's own"):
        await job.wait_async(on_progress=late)


def test_waiting_ends_at_a_pause(hosted: Hosted) -> None:
    hosted.job(status="paused")
    assert opened(hosted).wait().status == "paused"


async def test_a_network_that_fails_for_a_while_does_not_end_the_watching(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following.Pace, "next_s", lambda self, *, moved: 0.0)
    trained(hosted)
    job = await agentkit.afinetuning_job("ftjob-1", client=hosted.client())
    failures = iter([refusal(503, "busy"), refusal(429, "slow"), None])

    def fails_twice(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path.endswith("ftjob-1"):
            answer = next(failures, None)
            if answer is None:
                hosted.job(status="cancelled")
            return answer
        return None

    hosted.answers = fails_twice
    assert [snapshot.status async for snapshot in job.watch()] == ["running", "cancelled"]


async def test_a_network_that_fails_for_good_ends_the_watching(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following.Pace, "next_s", lambda self, *, moved: 0.0)
    trained(hosted)
    job = await agentkit.afinetuning_job("ftjob-1", client=hosted.client())

    def gone(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route", request=request)

    hosted.answers = gone
    with pytest.raises(ModelConnectionError, match="no route"):
        await job.wait_async()


async def test_a_key_that_is_refused_ends_the_watching_at_once(hosted: Hosted) -> None:
    trained(hosted)
    job = await agentkit.afinetuning_job("ftjob-1", client=hosted.client())
    hosted.answers = lambda request: refusal(401, "wrong key")
    with pytest.raises(ModelStatusError, match="wrong key"):
        await job.wait_async()


async def test_watching_gives_each_change_once(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following.Pace, "next_s", lambda self, *, moved: 0.0)
    trained(hosted, 1)
    job = await agentkit.afinetuning_job("ftjob-1", client=hosted.client())
    looks = iter(range(100))

    def moves(request: httpx2.Request) -> None:
        if request.url.path.endswith("ftjob-1"):
            match next(looks):
                case 3:
                    hosted.tell("ftjob-1", "Step 2", step=2, train_loss=0.5)
                case 6:
                    hosted.job(status="succeeded", fine_tuned_model="ft:end")

    hosted.answers = moves
    assert [(each.status, each.progress.step) async for each in job.watch()] == [
        ("running", 1), ("running", 2), ("succeeded", 2),
    ]  # fmt: skip


def test_the_time_left_is_the_platforms_or_follows_from_the_pace(hosted: Hosted) -> None:
    trained(hosted, 4)
    known = opened(hosted)._known
    assert following.seconds_left(known, 1_008) == 12  # 2 s a step
    hosted.job(estimated_finish=1_100)
    assert following.seconds_left(opened(hosted)._known, 1_008) == 92
    hosted.job(status="queued")
    assert opened(hosted).time_left is None
    hosted.job(status="running", estimated_finish=1)
    assert opened(hosted).time_left == timedelta(0)


@pytest.mark.parametrize(("action", "status"), [("cancel", "cancelled"), ("pause", "paused"), ("resume", "queued")])
def test_a_job_is_cancelled_paused_and_resumed(hosted: Hosted, action: str, status: str) -> None:
    trained(hosted)
    assert getattr(opened(hosted), action)().status == status


def test_what_the_platform_refuses_is_told(hosted: Hosted) -> None:
    trained(hosted)
    job = opened(hosted)
    hosted.answers = lambda request: refusal(400, "not paused") if request.url.path.endswith("/resume") else None
    with pytest.raises(UserError, match=r"Resuming the fine-tuning job 'ftjob-1': not paused\.") as caught:
        job.resume()
    assert isinstance(caught.value, openai.BadRequestError)


def test_deleting_asks_first_and_says_what_would_go(hosted: Hosted) -> None:
    hosted.models.add("ft:end")
    hosted.job(status="succeeded", fine_tuned_model="ft:end")
    hosted.keep("ftjob-1", 10)
    job = opened(hosted)
    name = "ft:gpt-4.1-mini-2025-04-14:org:try:abc:ckpt-step-10"
    with pytest.raises(UserError) as caught:
        job.delete()
    assert str(caught.value) == (
        f"Nothing was deleted. This would go: the models ft:end, {name}. job.delete(confirm=True) deletes it."
    )
    assert hosted.count("DELETE", "/") == 0
    job.delete(confirm=True)
    assert hosted.models == set()


def test_a_model_that_is_gone_already_does_not_keep_the_others(hosted: Hosted) -> None:
    hosted.job(status="succeeded", fine_tuned_model="ft:gone")
    hosted.keep("ftjob-1", 10)
    opened(hosted).delete(confirm=True)
    assert hosted.models == set()


def test_a_job_that_is_not_over_is_not_deleted(hosted: Hosted) -> None:
    hosted.job(status="running")
    with pytest.raises(UserError, match=r"is running, and can't be deleted\. job\.cancel\(\) ends it\."):
        opened(hosted).delete(confirm=True)
    with pytest.raises(UserError, match="confirm has to be True or False, not 'yes'"):
        opened(hosted).delete(confirm="yes")  # type: ignore[arg-type]


def test_a_snapshot_has_what_a_view_needs_and_asks_nobody(hosted: Hosted) -> None:
    trained(hosted, 3)
    hosted.job(metadata={"agentkit_examples": "40", "team": "mail"}, user_provided_suffix="routing")
    job = opened(hosted)
    asked = len(hosted.requests)
    snapshot = job.snapshot(events=2)
    assert len(hosted.requests) == asked
    assert snapshot.metrics == {
        "step": (1, 2, 3), "train_loss": (1.0, 0.5, 1 / 3), "train_mean_token_accuracy": (0.5, 0.5, 0.5),
    }  # fmt: skip
    assert ([each.message for each in snapshot.events], snapshot.event_count) == (["Step 2/10", "Step 3/10"], 4)
    assert (snapshot.examples, snapshot.metadata, snapshot.suffix) == (40, {"team": "mail"}, "routing")
    assert (snapshot.platform, snapshot.is_working) == ("openai", True)


def test_jobs_are_listed_newest_first_up_to_a_limit(hosted: Hosted) -> None:
    for number in range(250):
        hosted.job(f"ftjob-{number}", created_at=number)
    hosted.job("ftjob-249", status="failed", error={"code": "bad", "message": "why", "param": None}, finished_at=300)
    frame = agentkit.finetuning_jobs(limit=120, client=hosted.client())
    assert frame["id"].tolist() == [f"ftjob-{number}" for number in range(249, 129, -1)]
    assert frame["error"].tolist()[:2] == ["why", pd.NA]
    assert list(frame.columns) == [
        "id", "status", "model", "method", "suffix", "fine_tuned_model", "created_at", "finished_at", "trained_tokens",
        "error",
    ]  # fmt: skip
    assert frame["finished_at"][0] == pd.Timestamp(300, unit="s", tz="UTC")


def test_no_jobs_are_a_table_without_rows(hosted: Hosted) -> None:
    assert agentkit.finetuning_jobs(client=hosted.client()).shape == (0, 10)


def test_a_job_that_is_not_there_is_told(hosted: Hosted) -> None:
    with pytest.raises(UserError, match=r"Opening the fine-tuning job 'ftjob-9': .*agentkit\.finetuning_jobs\(\)"):
        opened(hosted, "ftjob-9")
    with pytest.raises(UserError, match="A fine-tuning job is opened by its id, not by None"):
        agentkit.finetuning_job(None)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="limit is a whole number from 1 on, not 0"):
        agentkit.finetuning_jobs(limit=0, client=hosted.client())


def test_a_server_that_trains_nothing_says_so(hosted: Hosted) -> None:
    hosted.answers = lambda request: refusal(404, "Not Found")
    with pytest.raises(
        UserError, match=r"https://host/v1/ has no fine-tuning: it answered 404\. Train on this machine"
    ):
        agentkit.finetuning_jobs(client=hosted.client(host="host"))


def test_jobs_are_compared_in_a_table(hosted: Hosted) -> None:
    settled = {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1.5}
    for number, loss in ((1, 0.5), (2, 0.25)):
        job_id = f"ftjob-00000{number}"
        metadata = {"agentkit_examples": "40"}
        hosted.job(job_id, status="succeeded", hyperparameters=settled, finished_at=1_090, metadata=metadata)
        hosted.tell(job_id, "1", step=1, total_steps=2, train_loss=2.0, full_valid_loss=loss)
        hosted.tell(job_id, "2", step=2, total_steps=2, train_loss=loss / 2)
    hosted.job("ftjob-000002", user_provided_suffix="smaller")
    frame = agentkit.compare_jobs(opened(hosted, "ftjob-000001"), "ftjob-000002", client=hosted.client())
    assert frame.index.tolist() == ["000001", "smaller"]
    assert frame[["epochs", "batch_size", "examples", "steps"]].to_numpy().tolist() == [[3, 8, 40, 2]] * 2
    assert frame["train_loss"].tolist() == [0.25, 0.125]
    assert frame["full_valid_loss"].tolist() == [0.5, 0.25]
    assert frame["minutes"].tolist() == [1.5, 1.5]
    assert "valid_loss" not in frame


def test_nothing_and_no_jobs_are_not_compared(hosted: Hosted) -> None:
    with pytest.raises(UserError, match="There are no jobs to compare"):
        agentkit.compare_jobs()
    with pytest.raises(UserError, match="3 is no job"):
        agentkit.compare_jobs(3)  # type: ignore[arg-type]


def test_curves_are_drawn(hosted: Hosted) -> None:
    import matplotlib.pyplot as plt

    trained(hosted, 4)
    hosted.keep("ftjob-1", 2)
    hosted.job("ftjob-2")
    losses, accuracies = opened(hosted).plot(smooth=2)
    (curve, checkpoint) = losses.get_lines()
    assert list(curve.get_ydata()) == pytest.approx([1, 0.75, 5 / 12, 7 / 24])
    assert (losses.get_ylabel(), accuracies.get_ylabel()) == ("loss", "token accuracy")
    assert list(checkpoint.get_xdata()) == [2, 2]
    (empty,) = opened(hosted, "ftjob-2").plot()
    assert empty.texts[0].get_text() == "No step is done yet: the job is queued."
    ax = agentkit.plot_jobs("ftjob-1", "ftjob-2", client=hosted.client())
    assert [line.get_label() for line in ax.get_lines()] == ["1"]
    plt.close("all")


def test_a_metric_that_no_job_has_is_told(hosted: Hosted) -> None:
    trained(hosted)
    with pytest.raises(UserError, match=r"has the metric 'loss'\. There are train_loss, train_mean_token_accuracy\."):
        agentkit.plot_jobs("ftjob-1", metric="loss", client=hosted.client())
    with pytest.raises(UserError, match="smooth is a number of steps from 1 on, not 0"):
        opened(hosted).plot(smooth=0)


def test_a_wrong_argument_is_told_by_the_name_that_was_typed(hosted: Hosted) -> None:
    hosted.job()
    with pytest.raises(TypeError, match=r"job\.wait has no argument 'timeout'\. Did you mean timeout_s\?"):
        opened(hosted).wait(timeout=3)  # type: ignore[call-arg]


def test_unknown_statuses_and_missing_fields_are_borne(hosted: Hosted) -> None:
    told = hosted.job(status="thinking")
    for name in ("method", "integrations", "metadata", "estimated_finish", "seed"):
        del told[name]
    job = opened(hosted)
    assert (job.status, job.method, job.is_over) == ("thinking", "sft", False)
    assert json.dumps(job.hyperparameters)
