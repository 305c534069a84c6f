"""Starting a training: arguments are checked, the examples are sent once, and what fails leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import openai
import pytest

import agentkit
from agentkit import FineTuningDataset, FineTuningProgress, UserError, backend
from agentkit.backend import Backend
from agentkit.finetuning import sending
from agentkit.finetuning.progress import watch_with
from agentkit.finetuning.requested import chosen_model

from .hosted import Hosted, refusal

GPT = "gpt-4.1-mini-2025-04-14"


@pytest.fixture
def hosted() -> Hosted:
    return Hosted()


@pytest.fixture(autouse=True)
def _nobody_watches() -> Iterator[None]:
    yield
    watch_with(None)
    backend.disconnect()


def examples(count: int = 60, *, name: str = "mails") -> FineTuningDataset:
    rows = [
        (f"Where is parcel number {number}, sent in week {number * 7}?", f"post {number}") for number in range(count)
    ]
    return FineTuningDataset.from_examples(rows, system="Sort it.", name=name)


def pairs(count: int = 60) -> FineTuningDataset:
    rows = [(f"Question {number} of {number * 7}?", f"Good {number}", f"Bad {number}") for number in range(count)]
    return FineTuningDataset.from_examples(rows, kind="dpo", system="Answer.", name="pairs")


def start(hosted: Hosted, dataset: Any = None, **options: Any) -> agentkit.FineTuningJob:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return agentkit.finetune(
            examples() if dataset is None else dataset, **{"model": GPT, "client": hosted.client(), **options}
        )


def sent_body(hosted: Hosted) -> dict[str, Any]:
    (body,) = [told for verb, path, told in hosted.requests if (verb, path) == ("POST", "/fine_tuning/jobs")]
    return dict(body)


def test_examples_become_a_file_and_a_job(hosted: Hosted) -> None:
    dataset = examples()
    job = start(hosted, dataset)
    ((file_id, file),) = hosted.files.items()
    assert hosted.contents[file_id] == b"".join(line + b"\n" for line in dataset.lines)
    assert file["filename"].startswith("mails-")
    assert sent_body(hosted) == {
        "model": GPT, "training_file": file_id, "method": {"type": "supervised"},
        "metadata": {"agentkit_examples": "60"},
    }  # fmt: skip
    assert (job.id, job.status, job.metadata) == ("ftjob-1", "queued", {})


def test_all_options_reach_the_platform(hosted: Hosted) -> None:
    start(
        hosted, pairs(), hyperparameters={"n_epochs": 2, "beta": 0.5}, suffix="polite", seed=3,
        wandb={"project": "mails", "tags": ("a",)}, metadata={"team": "mail"}, validation=0.2,
    )  # fmt: skip
    body = sent_body(hosted)
    train, measured = (hosted.contents[body[name]].count(b"\n") for name in ("training_file", "validation_file"))
    assert (train, measured) == (48, 12)
    del body["training_file"], body["validation_file"]
    assert body == {
        "model": GPT, "method": {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 2, "beta": 0.5}}},
        "suffix": "polite", "seed": 3,
        "integrations": [{"type": "wandb", "wandb": {"project": "mails", "tags": ["a"]}}],
        "metadata": {"team": "mail", "agentkit_examples": "48", "agentkit_validation_examples": "12"},
    }  # fmt: skip


def test_notes_give_way_to_the_users_metadata(hosted: Hosted) -> None:
    mine = {f"key {number}": "x" for number in range(16)}
    start(hosted, metadata=mine)
    assert sent_body(hosted)["metadata"] == mine


def test_a_fraction_is_taken_by_the_seed(hosted: Hosted) -> None:
    for seed in (1, 1, 2):
        start(hosted, validation=0.2, seed=seed)
    assert hosted.count("POST", "/files") == 4  # the second start finds the files of the first
    start(hosted, validation=0.2, seed=np.int64(2))
    assert hosted.count("POST", "/files") == 4  # and so does a seed of numpy's


def test_the_same_bytes_are_sent_once_whatever_they_are_called(hosted: Hosted) -> None:
    start(hosted)
    seen: list[FineTuningProgress] = []
    start(hosted, examples(name="others"), on_progress=seen.append)
    assert hosted.count("POST", "/files") == 1
    assert {event.bytes_total for event in seen} == {0}
    assert hosted.jobs["ftjob-1"]["training_file"] == hosted.jobs["ftjob-2"]["training_file"]


def test_a_path_is_enough(hosted: Hosted, tmp_path: Path) -> None:
    path = examples().to_jsonl(tmp_path / "train set.jsonl")
    start(hosted, path, validation=str(examples(12).map(_other).to_jsonl(tmp_path / "valid.jsonl")))
    names = sorted(file["filename"].rpartition("-")[0] for file in hosted.files.values())
    assert names == ["train-set", "valid"]


def _other(line: dict[str, Any]) -> dict[str, Any]:
    line["messages"][1]["content"] += " Please!"
    return line


def test_each_step_is_told_in_the_calling_thread(hosted: Hosted) -> None:
    seen: list[FineTuningProgress] = []
    start(hosted, on_progress=seen.append)
    stages = list(dict.fromkeys(event.stage for event in seen))
    assert stages == ["checking", "uploading", "creating", "done"]
    assert [event.share for event in seen if event.stage == "uploading"] == [0.0, 1.0]
    assert seen[2].text.startswith("'mails' · uploading ")


def test_a_large_file_goes_in_parts_and_is_told_part_by_part(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_PART_BYTES", 4_096)
    parts: list[bytes] = []

    def uploads(request: httpx2.Request) -> httpx2.Response | None:
        path = request.url.path.removeprefix("/v1")
        upload = {"id": "upload_1", "object": "upload", "status": "pending", "purpose": "fine-tune", "bytes": 1}
        if path == "/uploads":
            assert json.loads(request.content)["purpose"] == "fine-tune"
            return httpx2.Response(200, json=upload)
        if path.endswith("/parts"):
            parts.append(request.content)
            return httpx2.Response(200, json={"id": f"part_{len(parts)}", "object": "upload.part"})
        if path.endswith("/complete"):
            return httpx2.Response(200, json=upload | {"status": "completed", "file": {"id": "file-p"}})
        return None

    hosted.answers = uploads
    seen: list[float] = []
    start(hosted, on_progress=lambda event: seen.append(event.share) if event.stage == "uploading" else None)
    assert len(parts) == len(seen) - 1 > 2
    assert seen == sorted(seen)
    assert sent_body(hosted)["training_file"] == "file-p"


def test_a_server_that_takes_no_parts_gets_the_whole(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_PART_BYTES", 4_096)
    start(hosted)
    assert (hosted.count("POST", "/uploads"), hosted.count("POST", "/files")) == (1, 1)


def test_a_cancelled_upload_leaves_nothing_behind(hosted: Hosted) -> None:
    """An interrupt in the cell: it comes while the listener is told in the calling thread."""

    def interrupted(event: FineTuningProgress) -> None:
        if event.stage == "uploading" and event.bytes_sent:
            raise KeyboardInterrupt

    hosted.held = lambda request: request.url.path == "/v1/files" and bool(hosted.files) and request.method == "POST"
    with pytest.raises(KeyboardInterrupt):
        start(hosted, validation=examples(30).map(_other), on_progress=interrupted)
    assert (hosted.count("POST", "/files"), hosted.files) == (2, {})


async def test_a_file_that_arrived_while_its_sending_was_cancelled_is_found_and_taken_back(hosted: Hosted) -> None:
    hosted.late = lambda request: (request.method, request.url.path) == ("POST", "/v1/files")
    task = asyncio.ensure_future(agentkit.afinetune(examples(), model=GPT, client=hosted.client()))
    await hosted.has_come.wait()
    assert len(hosted.files) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (hosted.files, hosted.jobs) == ({}, {})


async def test_a_job_that_was_made_while_it_was_cancelled_is_cancelled_too(hosted: Hosted) -> None:
    hosted.late = lambda request: (request.method, request.url.path) == ("POST", "/v1/fine_tuning/jobs")
    task = asyncio.ensure_future(agentkit.afinetune(examples(), model=GPT, client=hosted.client()))
    await hosted.has_come.wait()
    task.cancel()
    await asyncio.sleep(0)
    hosted.may_go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (hosted.jobs["ftjob-1"]["status"], hosted.files) == ("cancelled", {})


async def test_a_start_that_is_cancelled_at_the_first_look_cancels_the_job_too(hosted: Hosted) -> None:
    hosted.late = lambda request: request.url.path.endswith("/events")
    task = asyncio.ensure_future(agentkit.afinetune(examples(), model=GPT, client=hosted.client()))
    await hosted.has_come.wait()
    task.cancel()
    await asyncio.sleep(0)
    hosted.may_go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (hosted.jobs["ftjob-1"]["status"], hosted.files) == ("cancelled", {})


def test_a_job_is_not_lost_where_the_first_look_at_it_fails(hosted: Hosted) -> None:
    hosted.answers = lambda request: refusal(500, "oops") if request.url.path.endswith("/events") else None
    job = start(hosted)
    assert (job.id, job.status, hosted.count("POST", "/fine_tuning/jobs")) == ("ftjob-1", "queued", 1)
    hosted.answers = lambda request: None
    hosted.tell("ftjob-1", "Fine-tuning job started")
    assert job.events["message"].tolist() == ["Fine-tuning job started"]


def test_an_organisation_that_may_no_longer_train_is_told_what_to_do_instead(hosted: Hosted) -> None:
    def refuses(request: httpx2.Request) -> httpx2.Response | None:
        if (request.method, request.url.path) == ("POST", "/v1/fine_tuning/jobs"):
            return refusal(403, "Training is not available for this organization.", "training_not_available")
        return None

    hosted.answers = refuses
    with pytest.raises(UserError) as caught:
        start(hosted)
    assert str(caught.value) == (
        "https://api.openai.com/v1/ lets this organisation start no fine-tuning jobs (training_not_available). "
        'Train on this machine: agentkit.connect("embedded"), and agentkit.finetune(dataset, model="…") with the '
        "folder of a model. Or do without training: examples in the instructions, or files to search in."
    )
    assert isinstance(caught.value, openai.PermissionDeniedError)
    assert hosted.files == {}


def test_a_refused_job_takes_its_files_back_but_not_those_that_were_there(hosted: Hosted) -> None:
    start(hosted)
    hosted.answers = lambda request: (
        refusal(400, "no such model")
        if (request.method, request.url.path) == ("POST", "/v1/fine_tuning/jobs")
        else None
    )
    with pytest.raises(UserError, match=r"Starting the fine-tuning: no such model\."):
        start(hosted, validation=examples(30).map(_other))
    assert len(hosted.files) == 1


def test_when_nobody_knows_whether_a_job_was_made_its_files_stay(hosted: Hosted) -> None:
    hosted.answers = lambda request: (
        refusal(500, "oops") if (request.method, request.url.path) == ("POST", "/v1/fine_tuning/jobs") else None
    )
    with pytest.raises(agentkit.ModelStatusError, match="oops"):
        start(hosted)
    assert len(hosted.files) == 1


def test_a_server_without_fine_tuning_is_not_sent_anything(hosted: Hosted) -> None:
    hosted.answers = lambda request: refusal(404, "Not Found") if "fine_tuning" in request.url.path else None
    with pytest.raises(UserError, match="has no fine-tuning: it answered 404"):
        start(hosted, client=hosted.client(host="host"))
    assert hosted.files == {}


def test_wrong_examples_stop_it_before_anything_is_sent(hosted: Hosted, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    good = list(examples(20).lines)
    path.write_bytes(b"\n".join([*good, b'{"messages": [{"role": "assistent", "content": "x"}]}', b"{"]))
    with pytest.raises(UserError) as caught:
        start(hosted, path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "bad.jsonl: 22 examples for SFT, 4 errors, 3 warnings: no training begins with these."
    assert any(line.startswith("  line 21: messages[0].role ") for line in lines)
    assert any(line.startswith("  line 22: ") for line in lines)
    assert lines[-1] == " dataset.check() lists all of it. Nothing was sent."
    assert hosted.requests == []


def test_few_examples_are_enough_to_measure_on(hosted: Hosted) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        agentkit.finetune(examples(), validation=examples(3).map(_other), model=GPT, client=hosted.client())
    assert "for SFT, 1 warning (few)" not in " ".join(str(each.message) for each in told)


def test_what_is_not_good_is_one_warning_at_the_line_of_the_call(hosted: Hosted) -> None:
    few = examples(12)
    with pytest.warns(UserWarning, match="mails: 12 examples for SFT") as told:
        agentkit.finetune(few, model=GPT, client=hosted.client())
    (warning,) = told
    assert "few" in str(warning.message)
    assert warning.filename == __file__


async def test_async_code_starts_one_without_blocking(hosted: Hosted) -> None:
    seen: list[str] = []
    with pytest.warns(UserWarning, match="mails: 12 examples for SFT") as told:
        job = await agentkit.afinetune(
            examples(12), model=GPT, client=hosted.client(), on_progress=lambda event: seen.append(event.stage)
        )
    assert told[0].filename == __file__
    assert (job.id, seen[0], seen[-1]) == ("ftjob-1", "checking", "done")


def test_it_can_be_waited_for(hosted: Hosted) -> None:
    def ends(request: httpx2.Request) -> None:
        if request.url.path.endswith("/events"):
            hosted.job("ftjob-1", status="succeeded", fine_tuned_model="ft:end")

    hosted.answers = ends
    seen: list[FineTuningProgress] = []
    job = start(hosted, wait=True, on_progress=seen.append)
    assert (job.use(), seen[-2].stage, seen[-2].text) == ("ft:end", "training", "'mails' · succeeded")


def test_who_watches_is_told_where_nobody_is_named(hosted: Hosted) -> None:
    seen: list[tuple[str, str]] = []

    def watcher(name: str) -> Any:
        return lambda event: seen.append((name, event.stage))

    watch_with(watcher)
    start(hosted)
    assert seen[0] == ("mails", "checking")
    assert seen[-1] == ("mails", "done")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "dpo"}, r"The examples are for SFT, and method is 'dpo'\. They train with method=\"sft\""),
        ({"method": "rft"}, "Nobody offers reinforcement any more"),
        ({"method": 3}, 'method is "sft" or "dpo", not 3'),
        ({"model": None}, f"needs the model to start from, and none is named. OpenAI trains .*{GPT}.*until 2027-01-06"),
        ({"model": 3}, "model is a name or a folder, not 3"),
        ({"hyperparameters": {"epochs": 3}}, r"no hyperparameter 'epochs'\. Did you mean n_epochs\? There are "),
        ({"hyperparameters": {"n_epochs": 0}}, 'n_epochs is a whole number from 1 to 50, or "auto", not 0'),
        ({"hyperparameters": {"n_epochs": True}}, "n_epochs is a whole number from 1 to 50"),
        ({"hyperparameters": {"batch_size": 1.5}}, "batch_size is a whole number from 1 to 256"),
        ({"hyperparameters": {"learning_rate_multiplier": 0}}, 'is a number above 0, or "auto", not 0'),
        ({"hyperparameters": {"learning_rate_multiplier": float("nan")}}, "is a number above 0"),
        ({"hyperparameters": {"beta": 0.1}}, "beta belongs to DPO, and the method is SFT"),
        ({"hyperparameters": {"lora_rank": 8}}, "OpenAI has no hyperparameter 'lora_rank': it belongs to the embedded"),
        ({"hyperparameters": 3}, "hyperparameters is a dictionary, not 3"),
        ({"suffix": "a:b"}, "suffix is a text of 1 to 64 characters without a colon, not 'a:b'"),
        ({"suffix": ""}, "suffix is a text of 1 to 64 characters"),
        ({"suffix": "x" * 65}, "suffix is a text of 1 to 64 characters"),
        ({"seed": -1}, "seed is a whole number from 0 to 2,147,483,647, not -1"),
        ({"seed": 1.5}, "seed is a whole number"),
        ({"wandb": 3}, "wandb names the project that metrics are sent to, and 3 names none"),
        ({"wandb": {"project": "p", "run": "x"}}, "wandb has no 'run'. There are project, name, entity, tags"),
        ({"wandb": {"project": "p", "tags": "x"}}, "wandb's tags are a list of texts, not 'x'"),
        ({"wandb": {"project": "p", "tags": 5}}, "wandb's tags are a list of texts, not 5"),
        ({"wandb": {"project": "p", "name": 5}}, "wandb's name is a text, not 5"),
        ({"metadata": {"a": 1}}, "metadata can't hold 'a': 1"),
        ({"validation": 1.5}, "validation is a fraction between 0 and 1, a data set or a path, not 1.5"),
        ({"validation": [1]}, r"validation is a FineTuningDataset or the path of a file, not list \[1\]"),
        ({"wait": "yes"}, "wait has to be True or False, not 'yes'"),
        ({"on_progress": 3}, "on_progress can't be 3. It is a function that is given a FineTuningProgress"),
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense_are_told_before_anything_is_sent(
    hosted: Hosted, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        start(hosted, **options)
    assert hosted.requests == []


def test_hyperparameters_may_be_numbers_of_numpy(hosted: Hosted) -> None:
    given = {"n_epochs": np.int64(2), "learning_rate_multiplier": np.float32(0.5), "batch_size": "auto"}
    start(hosted, hyperparameters=given)
    told = sent_body(hosted)["method"]["supervised"]["hyperparameters"]
    assert told == {"n_epochs": 2, "learning_rate_multiplier": 0.5, "batch_size": "auto"}


def test_examples_of_two_kinds_do_not_go_together(hosted: Hosted) -> None:
    with pytest.raises(UserError, match=r"'mails' is for SFT, and 'pairs', for validation, is for DPO"):
        start(hosted, validation=pairs())


def test_a_list_or_a_dataframe_is_told_how_to_become_a_data_set(hosted: Hosted) -> None:
    import pandas as pd

    with pytest.raises(UserError, match=r"agentkit\.FineTuningDataset\.from_dataframe\(…\) makes one"):
        start(hosted, pd.DataFrame({"a": [1]}))
    with pytest.raises(UserError, match=r"agentkit\.FineTuningDataset\.from_examples\(…\) makes one"):
        start(hosted, [("a", "b")])


def test_an_argument_that_there_is_not_says_which_is_meant(hosted: Hosted) -> None:
    with pytest.raises(
        TypeError, match=r"agentkit\.finetune has no argument 'epochs'\. Did you mean hyperparameters\?"
    ):
        agentkit.finetune(examples(), epochs=3)  # type: ignore[call-arg]


def test_the_embedded_platform_starts_from_tiny_1_and_from_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosted: Hosted
) -> None:
    monkeypatch.chdir(tmp_path)
    embedded = Backend.for_client(hosted.client(host="agentkit.local"))
    assert chosen_model(embedded, None) == "tiny-1"
    assert chosen_model(embedded, "./my model") == str(tmp_path / "my model")
    assert chosen_model(embedded, Path("base")) == str(tmp_path / "base")
    assert chosen_model(embedded, "org/name") == "org/name"
    hosted.job(status="succeeded", fine_tuned_model="ft:end")
    assert chosen_model(embedded, agentkit.finetuning_job("ftjob-1", client=hosted.client())) == "ft:end"
