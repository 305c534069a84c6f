"""How fine-tuning jobs, their curves, data sets and comparisons are shown."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from agentkit.finetuning.asking import JobCheckpoint, JobError, JobEvent
from agentkit.finetuning.dataset import FineTuningDataset
from agentkit.finetuning.following import Progress
from agentkit.finetuning.snapshot import JobSnapshot
from agentkit.notebook.display.curves import Curve, Plot, number_text, plot_svg, spark
from agentkit.notebook.display.dataset_view import dataset_bundle, preview_bundle
from agentkit.notebook.display.job_lists import compared_bundle
from agentkit.notebook.display.job_view import job_bundle, job_pieces, job_text
from tests.hostile.corpus import HOSTILE
from tests.hostile.harmless import assert_harmless, assert_plain


def job(status: str = "running", steps: int = 4, **changes: Any) -> JobSnapshot:
    """Return a job with some steps, a validation at every second one, and a checkpoint there."""
    every = range(1, steps + 1)
    known: dict[str, Any] = {
        "id": "ftjob-0123456789abcdef01234567",
        "status": status,
        "is_over": status in ("succeeded", "failed", "cancelled"),
        "platform": "embedded",
        "model": "tiny-1",
        "method": "sft",
        "fine_tuned_model": "ft:tiny-1:agentkit:support:abc12345" if status == "succeeded" else None,
        "suffix": "support",
        "hyperparameters": {"n_epochs": 2, "batch_size": "auto", "lora_rank": 0},
        "seed": 7,
        "examples": 60,
        "progress": Progress(steps, 8),
        "seconds_left": 12.4 if status == "running" else None,
        "created_at": 1_700_000_000,
        "finished_at": None,
        "trained_tokens": None,
        "metrics": {
            "step": tuple(every),
            "train_loss": tuple(2.0 / step for step in every),
            "train_mean_token_accuracy": tuple(1 - 1 / (1 + step) for step in every),
            "full_valid_loss": tuple(3.0 / step if step % 2 == 0 else None for step in every),
        },
        "events": (
            JobEvent("1", 1_700_000_000, "info", "Fine-tuning job started", "message"),
            JobEvent("2", 1_700_000_001, "info", "Step 1/8: training loss=2.00", "metrics", {"step": 1}),
            JobEvent("3", 1_700_000_002, "warn", "The trainer was started anew.", "message"),
        ),
        "event_count": 3,
        "checkpoints": tuple(
            JobCheckpoint(
                step, f"ft:tiny-1:agentkit:support:abc12345:ckpt-step-{step}", 0, {"full_valid_loss": 3 / step}
            )
            for step in every
            if step % 2 == 0
        ),
        "error": None,
        "metadata": {},
        "wandb": None,
    }
    return JobSnapshot(**(known | changes))


def test_a_running_job_in_a_terminal() -> None:
    assert job_text(job()).splitlines() == [
        "support · SFT of tiny-1 · running · ftjob-0123456789abcdef01234567",
        "  step 4 of 8 · epoch 1.0 of 2 · 12 s left",
        "  60 examples · 2 epochs · all weights · seed 7",
        "  loss            training    2.00    →  0.5000  █▃▁▁",
        "  loss            validation  1.50    →  0.7500  █▁",
        "  token accuracy  training    50.0 %  →  80.0 %  ▁▅▇█",
        "  checkpoint  validation loss  model",
        "  4           0.7500           ft:tiny-1:agentkit:support:abc12345:ckpt-step-4",
        "  2           1.50             ft:tiny-1:agentkit:support:abc12345:ckpt-step-2",
        "It goes on without this notebook: %finetune watch ftjob-0123456789abcdef01234567 shows it as it is by then.",
    ]


def test_a_job_that_is_over_tells_its_model_or_its_error_and_nothing_of_going_on() -> None:
    done = job_text(job("succeeded"))
    assert "  model ft:tiny-1:agentkit:support:abc12345" in done.splitlines()
    assert "goes on" not in done
    failed = job("failed", error=JobError("out_of_memory", "There was no room. Take batch_size 2."))
    assert "  ✗ There was no room. Take batch_size 2. (out_of_memory)" in job_text(failed).splitlines()
    assert "There was no room." in job_pieces(failed)["error"]
    assert job_pieces(job())["error"] == ""


def test_a_job_that_has_not_begun_has_no_numbers() -> None:
    waiting = job("queued", 0, progress=Progress(0, None), events=(), metrics={"step": ()}, examples=None, seed=None)
    pieces = job_pieces(waiting)
    assert [name for name, html in pieces.items() if html] == ["state", "bar"]
    assert "<progress" in pieces["bar"]
    assert " value=" not in pieces["bar"]
    assert "<progress" not in job_pieces(dataclasses.replace(waiting, status="paused"))["bar"]


def test_events_are_those_that_are_not_in_the_curves() -> None:
    events = job_pieces(job())["events"]
    assert "Step 1/8" not in events
    assert events.index("The trainer was started anew.") < events.index("Fine-tuning job started")


def test_no_time_and_no_place_are_kept() -> None:
    kept = job_bundle(job("succeeded"))
    assert "1700000" not in kept["text/html"]
    assert kept == job_bundle(job("succeeded", created_at=5, events=job().events))


def test_what_is_kept_beneath_a_live_view_hides_dead_controls() -> None:
    html = job_bundle(job(), beneath=True)["text/html"]
    assert html.startswith('<div class="agk agk-tune agk-kept agk-k')
    assert html.count("<style>") == 3
    assert job_bundle(job())["text/html"].count("<style>") == 2


def test_dpo_shows_rewards_in_the_place_of_token_accuracy() -> None:
    metrics = {
        "step": (1, 2),
        "train_loss": (0.69, 0.5),
        "train_mean_token_accuracy": (0.5, 0.6),
        "train_reward_accuracy": (0.5, 1.0),
        "train_reward_margin": (0.0, 1.2),
    }
    told = job_text(job(method="dpo", metrics=metrics, checkpoints=()))
    assert "reward accuracy  training  50.0 %  →  100.0 %" in told
    assert "reward margin" in told
    assert "token accuracy" not in told


def test_a_plot_draws_its_curves_on_round_axes() -> None:
    plot = Plot("loss", [Curve("training", range(1, 101), [5 / step for step in range(1, 101)])], steps=200, marks=[50])
    svg = plot_svg(plot)
    assert_harmless(svg)
    assert 'aria-label="loss: training from 5.00 to 0.0500 at step 100"' in svg
    assert svg.count("<polyline") == 2  # as it is, and smoothed
    assert svg.count('class="agk-pm"') == 1
    for tick in ("0", "2", "4", "6", "50", "100", "150", "200"):
        assert f">{tick}</text>" in svg


@pytest.mark.parametrize(
    "values",
    [[0.5], [0.5, 0.5], [0.0, 0.0], [math.nan, 1.0, math.inf], [1e-9, 2e-9], [-3.0, 2.0], [1e12, 5.0], [1.0] * 5_000],
    ids=["one", "level", "zero", "not-numbers", "tiny", "negative", "huge", "many"],
)
def test_any_numbers_can_be_drawn(values: list[float]) -> None:
    svg = plot_svg(Plot("loss", [Curve("training", range(len(values)), values)]))
    assert_harmless(svg)
    assert "nan" not in svg
    assert "inf" not in svg
    assert len(svg) < 12_000


def test_nothing_to_draw_is_no_drawing() -> None:
    assert plot_svg(Plot("loss", [Curve("training", [1.0], [math.nan])])) == ""
    assert spark([]) == ""


def test_one_step_that_went_wrong_leaves_room_for_the_others() -> None:
    values = [1.0] * 99 + [500.0]
    assert ">500</text>" not in plot_svg(Plot("loss", [Curve("training", range(100), values)]))


def test_numbers_are_as_long_as_they_tell() -> None:
    told = [number_text(value) for value in (1234.5, 1.234, 0.04312, 0.0, 1e-7, -2.5, math.inf, None)]
    assert told == ["1234", "1.23", "0.0431", "0.0000", "1.00e-07", "-2.50", "∞", ""]
    assert number_text(0.9621, "%") == "96.2 %"


def test_jobs_are_compared_in_a_colour_for_each() -> None:
    bundle = compared_bundle([("first", job("succeeded")), ("second", job("failed", 2))])
    assert_harmless(bundle["text/html"])
    assert bundle["text/html"].count("<svg") == 3
    assert 'class="agk-p1"' in bundle["text/html"]
    assert 'class="agk-p2"' in bundle["text/html"]
    assert bundle["text/plain"].splitlines()[:2] == [
        "2 fine-tuning jobs compared",
        "  job     status     epochs  steps  loss, training  loss, validation  token accuracy, training  model",
    ]


def test_a_data_set_tells_its_kind_length_answers_and_first_example() -> None:
    data = [(f"Message {n} {'please ' * n}", ("billing", "delivery")[n % 2]) for n in range(10)]
    bundle = dataset_bundle(FineTuningDataset.from_examples(data, system="Route it.", name="train"))
    lines = bundle["text/plain"].splitlines()
    assert lines[0] == "train · 10 examples for SFT"
    assert lines[3:5] == ["  billing   5", "  delivery  5"]
    assert lines[-1] == "    assistant  billing"
    assert bundle["text/html"].count("<rect") > 2
    assert_harmless(bundle["text/html"])


def test_an_empty_data_set_and_broken_lines_can_be_looked_at(tmp_path: Any) -> None:
    assert dataset_bundle(FineTuningDataset.from_examples([]))["text/plain"].startswith("examples · 0 examples for SFT")
    (tmp_path / "bad.jsonl").write_text('{"messages": [\n[]\n', encoding="utf-8")
    bundle = dataset_bundle(FineTuningDataset.from_jsonl(tmp_path / "bad.jsonl"))
    assert bundle["text/plain"].startswith("bad.jsonl · 2 examples for SFT")
    assert_harmless(bundle["text/html"])


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.id)
def test_hostile_texts_do_no_harm_in_any_of_them(hostile: Any) -> None:
    text = hostile.text
    seen = job(
        "failed",
        id=text,
        model=text,
        method=text,
        suffix=text,
        fine_tuned_model=text,
        hyperparameters={text: text, "n_epochs": text},
        error=JobError(text, text),
        events=(JobEvent("1", 0, text, text, text),),
        checkpoints=(JobCheckpoint(1, text, 0, {text: 1.0, "full_valid_loss": 2.0}),),
    )
    data = FineTuningDataset.from_examples([(text or "a", text or "a")] * 4, system=text or "a", name=text)
    bundles = [job_bundle(seen, text), job_bundle(dataclasses.replace(seen, status=text, is_over=False))]
    bundles += [compared_bundle([(text, seen)]), dataset_bundle(data), preview_bundle(data.preview(2))]
    for bundle in bundles:
        assert_harmless(bundle["text/html"])
        assert_plain(bundle["text/plain"])
