"""From examples to a model that answers, on the embedded platform with its real trainer: all in one training."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import agentkit
from agentkit import FineTuningDataset, FineTuningProgress, UserError, backend
from agentkit.local import embedded_transports

pytest.importorskip("torch")

WORDS = {"billing": ("invoice", "refund", "charge"), "access": ("password", "login", "account")}


@pytest.fixture
def _embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The embedded platform with a home of its own; one thread for each of its processes."""
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    agentkit.connect("embedded")
    yield
    backend.disconnect()
    for transport in embedded_transports()[1:]:
        transport.close()


def examples() -> FineTuningDataset:
    kinds = [(word, name) for name, words in WORDS.items() for word in words]
    rows = [
        (f"{start} my {word}{end}", json.dumps({"category": name}))
        for start in ("Help with", "Question about", "I lost", "Please check")
        for word, name in kinds
        for end in (".", "!", " today.")
    ]
    return FineTuningDataset.from_examples(rows, system="Answer with JSON.", name="routing")


FOUND_AGAIN = """
import sys, agentkit
agentkit.connect("embedded")
job = agentkit.finetuning_job(sys.argv[1])
print(job.status, job.use(), len(job.metrics), job.checkpoints["step"].tolist(), job.metadata)
"""


@pytest.mark.usefixtures("_embedded")
@pytest.mark.filterwarnings("ignore:routing")
def test_a_model_is_trained_watched_found_again_used_compared_and_deleted() -> None:
    seen: list[FineTuningProgress] = []
    job = agentkit.finetune(
        examples(), validation=0.2, seed=1, suffix="routing", hyperparameters={"n_epochs": 4, "batch_size": 8},
        metadata={"team": "mail"}, wait=True, on_progress=seen.append,
    )  # fmt: skip
    stages = list(dict.fromkeys(event.stage for event in seen))
    assert stages == ["checking", "uploading", "creating", "training", "done"]
    assert (job.status, job.model, job.method) == ("succeeded", "tiny-1", "sft")
    steps = 4 * 8  # 57 or 58 examples in batches of 8
    assert job.progress == (steps, steps)
    metrics = job.metrics
    assert metrics["step"].tolist() == list(range(1, steps + 1))
    assert metrics["train_loss"].notna().all()
    assert metrics["train_loss"].iloc[-1] < metrics["train_loss"].iloc[0] / 2
    assert metrics["full_valid_loss"].dropna().index.tolist() == [7, 15, 23, 31]
    assert job.checkpoints["step"].tolist() == [16, 24, 32]
    best = job.checkpoints.set_index("step")["full_valid_loss"].astype(float).idxmin()
    assert job.use("best") == job.use(int(best))
    assert job.use().startswith("ft:tiny-1:agentkit:routing:")
    assert job.result_file()["train_loss"].tolist() == pytest.approx(metrics["train_loss"].tolist(), abs=1e-4)
    assert job.events["message"].iloc[-1] == "The job has successfully completed"

    done = subprocess.run(
        [sys.executable, "-c", FOUND_AGAIN, job.id], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == f"succeeded {job.use()} {steps} [16, 24, 32] {{'team': 'mail'}}"

    compared = agentkit.compare_jobs(job)
    assert compared.index.tolist() == ["routing"]
    row = compared.iloc[0]
    assert (row["epochs"], row["batch_size"], row["steps"], row["status"]) == (4, 8, steps, "succeeded")
    assert agentkit.finetuning_jobs()["id"].tolist() == [job.id]

    with pytest.raises(UserError, match=f"This would go: the job {job.id} with its events and metrics, and the models"):
        job.delete()
    job.delete(confirm=True)
    assert len(agentkit.finetuning_jobs()) == 0
    with pytest.raises(UserError, match=job.id):
        job.refresh()
