"""How long a training would take here: a few real steps on real lines.

`python -m agentkit.local.training.worker.probe` reads JSON on its standard input: `home`, `model`, `method`
("supervised" or "dpo"), `lines` (path of a JSONL file), `hyperparameters`, `count` (examples of the whole set), and
optionally `steps`. It prints JSON: `seconds_per_step`, `tokens_per_second`, `start_s` (from the start of the process to
the first step), `steps` and `n_epochs` (of the whole training), `parameters`, `device`; or `error` with `code` and
`message`. Nothing is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from agentkit.local.training.bases import resolve
from agentkit.local.training.worker.environment import prepare_environment
from agentkit.local.training.worker.failures import failure_of
from agentkit.local.training.worker.hyperparameters import Settings, length_of, settle

__all__ = ["probe"]

_STEPS = 5
_FIRST = 2
"""Steps that are slower than the rest, and don't count where there are others."""
_LONGEST_S = 30.0


def probe(asked: dict[str, Any], *, began: float) -> dict[str, Any]:
    """Return how long the steps of a training take.

    Args:
        asked: What is read on the standard input.
        began: `time.monotonic()` at the start of the process.

    Raises:
        JobFailure: It can't be trained.
    """
    home = Path(asked["home"])
    base = resolve(asked["model"], home)
    prepare_environment(offline=base.kind == "tiny" or base.folder is not None)
    from agentkit.local.training.worker.samples import encode_file
    from agentkit.local.training.worker.starting import find_folder, load_model, load_tokenizer, rank_of, size_of
    from agentkit.local.training.worker.training import Plan, device_name, make_deterministic, make_trainer, on_cpu

    make_deterministic(0)
    given, lines = asked.get("hyperparameters") or {}, Path(asked["lines"])
    with tempfile.TemporaryDirectory(prefix="agentkit-probe-") as made:
        folder = base.folder if base.kind == "trained" else None
        folder = folder or find_folder(base, Path(made), lines, 0)
        tokenizer = load_tokenizer(folder)
        size = size_of(folder, tokenizer)
        table = Path(made) / "training.arrow"
        samples = encode_file(
            lines,
            table,
            tokenizer,
            method=asked["method"],
            max_length=length_of(given, size.context),
            role="training",
            alive=lambda: None,
            most=2000,
        )
        settings = settle(
            asked["method"],
            given,
            examples=int(asked["count"]),
            parameters=size.parameters,
            context=size.context,
            fresh=base.kind == "tiny",
            adapter_rank=rank_of(folder),
        )
        lora = settings.hyperparameters.lora_rank > 0
        start = load_model(folder, merged=not lora, low_precision=lora and not on_cpu())
        plan = Plan(asked["method"], settings, start, tokenizer, table, None, 0, Path(made) / "trainer")
        ready, seconds, tokens = _steps(make_trainer(plan), int(asked.get("steps") or _STEPS))
    per_step = statistics.median(seconds)
    return {
        "seconds_per_step": per_step,
        "tokens_per_second": tokens / sum(seconds),
        "start_s": ready - began,
        "steps": total_steps(settings, int(asked["count"])),
        "n_epochs": settings.hyperparameters.n_epochs,
        "tokens_per_example": samples.tokens / samples.count,
        "parameters": start.parameters,
        "device": device_name(),
    }


def total_steps(settings: Settings, examples: int) -> int:
    """Return the steps of a whole training."""
    return -(-examples // settings.hyperparameters.batch_size) * settings.hyperparameters.n_epochs


def _steps(trainer: Any, count: int) -> tuple[float, list[float], int]:
    """Make some steps; return when the first began, the seconds of those that count, and their tokens."""
    from transformers import TrainerCallback

    class Timing(TrainerCallback):  # type: ignore[misc]  # transformers is not checked
        def __init__(self) -> None:
            self.marks: list[tuple[float, int]] = []

        def on_step_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            if not self.marks:
                self.marks.append((time.monotonic(), 0))

        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> Any:
            now = time.monotonic()
            self.marks.append((now, int(state.num_input_tokens_seen)))
            done = len(self.marks) - 1
            if done >= count or (done > _FIRST and now - self.marks[0][0] > _LONGEST_S):
                control.should_training_stop = True
            return control

    timing = Timing()
    trainer.add_callback(timing)
    trainer.train()
    marks = timing.marks
    first = min(_FIRST, len(marks) - 2)
    seconds = [after[0] - before[0] for before, after in zip(marks[first:], marks[first + 1 :], strict=False)]
    return marks[0][0], seconds, marks[-1][1] - marks[first][1]


def main() -> int:
    """Read what is asked, and print the answer; what the libraries say goes to the standard error."""
    began = time.monotonic()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with contextlib.redirect_stdout(sys.stderr):
        try:
            answer = probe(json.load(sys.stdin), began=began)
        except (Exception, MemoryError) as error:  # whatever the libraries raise is told
            failure = failure_of(error, folder=Path(tempfile.gettempdir()))
            answer = {"error": failure.as_error()}
    print(json.dumps(answer), file=answers, flush=True)
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
