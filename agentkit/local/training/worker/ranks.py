"""Training in several processes, on several GPUs or machines, as accelerate's own configuration says.

The worker then starts `accelerate launch` on itself (or, for several processes on the processors of this machine,
torch's own launcher) and waits. Each process that comes of it is a rank; the first of
them tells the store. Ranks end when their worker has.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agentkit._process import is_gone
from agentkit.local.training.worker.failures import JobFailure

__all__ = ["asked_configuration", "end_with", "is_first", "launch", "worker_of_rank"]

_RANK_OF: Final = "AGENTKIT_TRAINING_RANK_OF"


def worker_of_rank() -> str | None:
    """Return the worker that this process is a rank of, or None where it is the worker itself."""
    return os.environ.get(_RANK_OF) or None


def is_first() -> bool:
    """Return whether this process tells the store: the first rank, or a worker that trains alone."""
    return worker_of_rank() is None or os.environ.get("RANK", "0") == "0"  # the platform's own may be in a cluster


def asked_configuration() -> Path | None:
    """Return accelerate's configuration where it asks for several processes or machines, else None.

    It is the file that `ACCELERATE_CONFIG_FILE` names, or the one that `accelerate config` has written.

    Raises:
        JobFailure: The file that was named can't be read.
    """
    named = os.environ.get("ACCELERATE_CONFIG_FILE")
    path = Path(named).expanduser() if named else _default()
    if not path.is_file():
        if named:
            raise _failure(f"ACCELERATE_CONFIG_FILE is {named}, and there is no such file")
        return None
    return path if _several(_read(path)) else None


def _read(path: Path) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]  # of accelerate; its stubs are not asked for

    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _failure(f"accelerate's configuration {path} can't be read: {error!s:.200}") from error
    return given if isinstance(given, dict) else {}


def _on_processors_here(given: dict[str, Any]) -> bool:
    on_processors = given.get("distributed_type") == "MULTI_CPU" or bool(given.get("use_cpu"))
    return on_processors and _number(given.get("num_machines")) == 1 and not given.get("mpirun_config")


def _several(given: dict[str, Any]) -> bool:
    return any(_number(given.get(name)) > 1 for name in ("num_processes", "num_machines"))


def _number(value: Any) -> int:
    with contextlib.suppress(TypeError, ValueError):
        return int(value)
    return 1


def _default() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("HF_HOME") or base / "huggingface").expanduser() / "accelerate"
    return next(
        (folder / name for name in ("default_config.yaml", "default_config.yml") if (folder / name).is_file()),
        folder / "default_config.yaml",
    )


def launch(configuration: Path, home: Path, job_id: str, worker: str, *, watch: Callable[[], None]) -> int:
    """Train in several processes, and return when all of them have ended.

    Args:
        configuration: accelerate's.
        home: The platform's folder.
        job_id: The job.
        worker: This process, as the store knows it.
        watch: Called every so often.

    Returns:
        The launcher's exit status.
    """
    program = ["-m", "agentkit.local.training.worker", str(home), job_id]
    environment = {**os.environ, _RANK_OF: worker}
    given = _read(configuration)
    if _on_processors_here(given):  # accelerate's launcher would want MPI for that
        count = str(_number(given.get("num_processes")))
        launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", count]
        environment["ACCELERATE_USE_CPU"] = "true"
    else:
        launcher = ["accelerate.commands.launch", "--config_file", str(configuration)]
    command = [sys.executable, "-m", *launcher, *program]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
    try:
        while process.poll() is None:
            watch()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    return process.returncode


def end_with(worker: str) -> None:
    """End this rank where its worker is gone: another one may go on with the job."""
    if is_gone(worker):
        print(f"The worker {worker} is gone; this rank ends.", flush=True)
        os._exit(1)


def _failure(reason: str) -> JobFailure:
    return JobFailure(
        "invalid_configuration",
        f"{reason}. Write it anew with `accelerate config`, or unset ACCELERATE_CONFIG_FILE to train in one process.",
    )
