"""`%finetune` in a real kernel, with real trainings of a tiny model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentkit.testing.kernel import CellResult, Kernel

pytest.importorskip("trl")

SETUP = """%load_ext agentkit
import agentkit
agentkit.connect("embedded");
from agentkit import FineTuningDataset
train = FineTuningDataset.from_examples(
    [(f"Where is order {n}?", f"Order {n} is on its way.") for n in range(60)], system="You answer.", name="train"
)
"""
END_ALL = """
for job_id in agentkit.finetuning_jobs()["id"]:
    if not (job := agentkit.finetuning_job(job_id)).is_over:
        job.cancel().wait()
"""
QUICK = "%finetune start train --epochs 2 --suffix support --seed 7 --validation 0.1"
LONG = "%finetune start train --epochs 50 --batch-size 1 --seed 7"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with a home of its own, in which no job is left at work."""
    env = {"PYTEST_VERSION": None, "AGENTKIT_RENDER": None, "OMP_NUM_THREADS": "1"}
    with Kernel(home=tmp_path_factory.mktemp("home"), env=env, timeout_s=120) as kernel:
        kernel.run(SETUP).check()
        yield kernel
        kernel.run(END_ALL)


@pytest.fixture(scope="module")
def trained(kernel: Kernel) -> CellResult:
    """A job that has succeeded, as `job`, with what its cell showed where nobody looked on."""
    return kernel.run(f"{QUICK} --name job").check()


def kinds(result: CellResult) -> list[str]:
    return [m["msg_type"] for m in result.messages if m["msg_type"] not in ("status", "execute_input")]


def sent_to_widgets(result: CellResult) -> list[dict[str, Any]]:
    contents = [m["content"]["data"] for m in result.messages if m["msg_type"] == "comm_msg"]
    return [data["content"] for data in contents if data.get("method") == "custom"]


def test_where_nobody_looks_on_there_is_one_output_at_the_end(trained: CellResult) -> None:
    assert kinds(trained) == ["display_data"]
    lines = trained.text.splitlines()
    assert re.fullmatch(r"support · SFT of tiny-1 · ✓ succeeded · ftjob-\w+", lines[0])
    assert lines[2].strip().startswith("54 examples · 2 epochs · ")
    assert lines[2].endswith(" · seed 7")
    assert re.search(r"loss +training +[\d.]+ +→ +[\d.]+  [▁-█]+", trained.text)
    assert re.search(r"loss +validation +[\d.]+ +→ +[\d.]+", trained.text)
    assert trained.html.count("<polyline") >= 3
    assert "<script" not in trained.html
    assert "agk-kept" not in trained.html


def test_a_job_shows_itself_as_the_cell_that_waited_for_it_did(kernel: Kernel, trained: CellResult) -> None:
    shown = kernel.run("job").check()
    assert shown.outputs[0]["data"] == trained.outputs[0]["data"]
    watched = kernel.run("%finetune watch job", allow_stdin=True).check()
    assert watched.outputs[0]["data"] == trained.outputs[0]["data"]


def test_a_model_that_came_of_it_is_used_by_its_name(kernel: Kernel, trained: CellResult) -> None:
    used = kernel.run("%finetune use job").check()
    assert used.stdout == "It is in the variable model.\n"
    assert kernel.run("model == job.fine_tuned_model").text == "True"
    kernel.run("%finetune use job --checkpoint last --name tuned").check()
    assert re.fullmatch(r"'ft:tiny-1:agentkit:support:\w+:ckpt-step-\d+'", kernel.run("tuned").text)
    listed = kernel.run("%finetune list").check().text
    assert re.search(r"ftjob-\w+ +job +succeeded +SFT of tiny-1 +support +ft:tiny-1:agentkit:support:\w+", listed)
    assert list(kernel.run("%finetune checkpoints job").check().html) != []


def test_live_it_is_shown_while_it_goes_on_and_kept_in_the_end(kernel: Kernel, trained: CellResult) -> None:
    live = kernel.run(f"{QUICK} --name second", allow_stdin=True).check()
    pieces = [message["pieces"] for message in sent_to_widgets(live) if "pieces" in message]
    assert any("running" in each.get("state", "") for each in pieces)
    assert any("<polyline" in each.get("plots", "") for each in pieces)
    assert len(sent_to_widgets(live)) < 80
    kept, widget = live.outputs
    assert kept["data"]["text/plain"].splitlines()[0].startswith("support · SFT of tiny-1 · ✓ succeeded")
    assert widget["data"] == {"text/html": "", "text/plain": ""}
    same = kernel.run("job.metrics['train_loss'].equals(second.metrics['train_loss'])")
    assert same.text == "True"  # by the seed


def test_an_interrupted_cell_leaves_the_job_running_and_says_how_it_is_found(kernel: Kernel) -> None:
    cell = kernel.start(f"{LONG} --name long", allow_stdin=True)
    cell.wait_for_text("Fine-tuning job started")
    kernel.interrupt()
    stopped = cell.result()
    assert stopped.error is not None
    assert stopped.error["ename"] == "Interrupted"
    job_id = kernel.run("long.id").check().text.strip("'")
    assert stopped.error["evalue"] == (
        f"The cell was interrupted; the job was not. %finetune watch {job_id} waits for it again."
    )
    assert "The cell was interrupted; the job was not." in stopped.text
    assert f"It goes on without this notebook: %finetune watch {job_id} shows it as it is by then." in stopped.text
    assert kernel.run("long.refresh().status in ('validating_files', 'queued', 'running')").text == "True"
    assert "will be paused" in kernel.run("%finetune pause long").check().stdout
    kernel.run("long.wait()").check()
    assert kernel.run(f"%finetune watch {job_id}").check().text.splitlines()[0].endswith(f" · paused · {job_id}")
    assert kernel.run("%finetune resume long").check().stdout.startswith(f"{job_id} goes on")
    refused = kernel.run("%finetune delete long --yes")
    assert "%finetune cancel long ends it first." in refused.text
    kernel.run("%finetune cancel long").check()
    assert "cancelled" in kernel.run("long.wait()").check().text
    assert kernel.run("%finetune delete long --yes").check().stdout.startswith("Deleted ")
    assert f"{job_id}. %finetune list lists those there are" in kernel.run("%finetune watch long").text


def test_in_the_background_the_cell_ends_at_once_and_the_view_takes_clicks(kernel: Kernel) -> None:
    begun = kernel.run(f"{LONG} --background --name back", allow_stdin=True).check()
    assert begun.outputs[0]["data"]["text/plain"].startswith("SFT of tiny-1 · ")
    opened = [m["content"] for m in begun.messages if m["msg_type"] == "comm_open"]
    panel = next(each["comm_id"] for each in opened if "_esm" in each["data"]["state"])
    for kind in ("ready", "cancel"):
        content = {"comm_id": panel, "data": {"method": "custom", "content": {"kind": kind}}}
        kernel.client.shell_channel.send(kernel.client.session.msg("comm_msg", content))
    assert kernel.run("back.wait().status").check().text.endswith("'cancelled'")


def test_a_training_that_fails_is_shown_and_told_in_a_line(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "empty-model").mkdir()
    failed = kernel.run(f'%finetune start train --model "{tmp_path}/empty-model" --name failing')
    assert failed.status == "error"
    assert failed.error is None or len(failed.error["traceback"]) <= 3
    assert "empty-model" in failed.text


def test_jobs_are_compared_by_their_curves_and_numbers(kernel: Kernel, trained: CellResult) -> None:
    compared = kernel.run("%finetune compare job job").check()
    assert kinds(compared) == ["display_data"]
    assert compared.text.startswith("2 fine-tuning jobs compared\n")
    assert compared.html.count("<svg") == 4
    assert kernel.run("list(_['status'])").text == "['succeeded', 'succeeded']"


def test_examples_are_checked_shown_and_estimated(kernel: Kernel) -> None:
    assert kernel.run("%finetune check train --validation train").check().text.startswith("train: 60 examples for SFT")
    card = kernel.run("train").check()
    assert card.text.startswith("train · 60 examples for SFT\n  tokens          median ")
    assert "the first example" in card.html
    estimate = kernel.run("%finetune estimate train --model gpt-4.1-mini --epochs 2").check().text
    assert estimate.startswith("SFT of gpt-4.1-mini, estimated\n  examples  60\n  epochs    2\n")


def test_tab_knows_parts_options_data_jobs_and_models(kernel: Kernel, trained: CellResult) -> None:
    assert kernel.complete("%finetune ch") == ["check", "checkpoints"]
    assert "--lora-rank" in kernel.complete("%finetune start train --")
    assert "train" in kernel.complete("%finetune start ")
    assert kernel.complete("%finetune watch jo") == ["job"]
    assert {"best", "last"} == set(kernel.complete("%finetune use job --checkpoint "))
    models = kernel.complete("%finetune start train --model ")
    assert models[0] == "tiny-1"
    assert any(name.startswith("ft:tiny-1:agentkit:support:") for name in models)
    assert kernel.complete("%finetune start train --method d") == ["dpo"]
