"""What the libraries read of the environment when they are imported."""

from __future__ import annotations

import os

from agentkit.local.training.worker.ranks import worker_of_rank

__all__ = ["prepare_environment"]


def prepare_environment(*, offline: bool) -> None:
    """Set what the libraries read when they are imported: no reports to anybody, no bars, no chance.

    Args:
        offline: Whether the model is on this machine, so that nothing has to be fetched.
    """
    settings = {
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_DATASETS_OFFLINE": "1",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        **({"HF_HUB_OFFLINE": "1"} if offline else {}),
    }
    os.environ.update(settings)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait for each other take no core from anybody
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if worker_of_rank() is None and visible != "":  # several would need accelerate
        os.environ["CUDA_VISIBLE_DEVICES"] = (visible or "0").split(",")[0]
