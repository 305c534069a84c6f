"""What `%finetune` takes: its parts and their options."""

from __future__ import annotations

from typing import Any

from agentkit.notebook.options import Command, Option, Subject

__all__ = ["COMMAND"]


def _auto(convert: type[int] | type[float]) -> Any:
    def whole_or_auto(text: str) -> Any:
        return text if text == "auto" else convert(text)

    return whole_or_auto


_WHOLE, _NUMBER = "a whole number, or auto", "a number, or auto"
_DATA = Subject(
    "DATA", "A variable that holds a data set, a dataframe or a list; or a JSONL file.", values="training data"
)
_JOB = Subject("JOB", "A variable that holds a job, or its id.", values="jobs")
_ANY_JOB = Subject("JOB", "A variable that holds a job, or its id; the newest job without.", "jobs", required=False)
_MODEL = Option(
    "--model",
    "The model to start from: tiny-1, the folder of a model, its name on Hugging Face, a trained one (ft:…), a "
    "variable that holds one of these or a job.",
    "MODEL",
    values="start models",
)
_VALIDATION = Option(
    "--validation",
    "Examples to measure on, which aren't trained on: as DATA; or a share of it, such as 0.1.",
    "DATA",
    values="training data",
)
_METHOD = Option(
    "--method", "sft, or dpo; without it what the examples are.", "METHOD", values="choices", choices=("sft", "dpo")
)
_EPOCHS = Option("--epochs", "How often all examples are gone through.", "COUNT", _WHOLE, convert=_auto(int))
_CHECK = Command(
    name="finetune check",
    summary="Check examples against every documented rule, and look for what makes a training worse.",
    kinds=("line",),
    subject=_DATA,
    options=(
        _MODEL,
        _VALIDATION,
        Option("--rules-only", "Don't look for duplicates, personal data and the like: much faster."),
        Option("--name", "Variable that gets the report, besides _.", "NAME"),
    ),
)
_ESTIMATE = Command(
    name="finetune estimate",
    summary="Tell what a training would cost: tokens, and a price or hours.",
    kinds=("line",),
    subject=_DATA,
    options=(_MODEL, _EPOCHS, Option("--name", "Variable that gets the estimate, besides _.", "NAME")),
)
_START = Command(
    name="finetune start",
    summary="Train a model on examples. The cell waits and shows it; interrupting the cell leaves the job running.",
    kinds=("line",),
    subject=_DATA,
    options=(
        _MODEL,
        _METHOD,
        _EPOCHS,
        _VALIDATION,
        Option("--suffix", "What is put into the new model's name.", "TEXT"),
        Option("--seed", "The same seed and examples give the same training.", "NUMBER", convert=int),
        Option("--batch-size", "Examples for a step.", "COUNT", _WHOLE, convert=_auto(int)),
        Option(
            "--lr-multiplier", "By what the usual learning rate is multiplied.", "NUMBER", _NUMBER, convert=_auto(float)
        ),
        Option("--beta", "For DPO: how near to the start model it stays.", "NUMBER", _NUMBER, convert=_auto(float)),
        Option("--lora-rank", "Rank of a LoRA; 0 trains all weights.", "COUNT", _WHOLE, convert=_auto(int)),
        Option(
            "--max-length", "Tokens of an example that are trained on at most.", "COUNT", _WHOLE, convert=_auto(int)
        ),
        Option("--wandb", "Project on Weights & Biases that gets the metrics.", "PROJECT"),
        Option("--set", "Metadata, for what you like.", "NAME=VALUE", many=True),
        Option("--name", "Variable that gets the job, besides _.", "NAME"),
        Option("--watch", "Wait and show it until it is over: what is done anyway, without --background."),
        Option("--background", "Don't wait: the view below the cell goes on by itself."),
    ),
    examples="""
%finetune start train --epochs 8 --suffix support --validation 0.1 --name job
%finetune start pairs.jsonl --model job --method dpo --seed 7 --background
""",
)
_LIST = Command(name="finetune list", summary="List the newest jobs of the platform.", kinds=("line",))
_WATCH = Command(
    name="finetune watch",
    summary="Show a job, whoever started it, and wait until it is over.",
    kinds=("line",),
    subject=_ANY_JOB,
    options=(
        Option("--background", "Don't wait: the view below the cell goes on by itself."),
        Option("--name", "Variable that gets the job, besides _.", "NAME"),
    ),
)
_CANCEL = Command(name="finetune cancel", summary="End a job. Its checkpoints stay.", kinds=("line",), subject=_JOB)
_PAUSE = Command(
    name="finetune pause", summary="Let a job rest after the step that it is at.", kinds=("line",), subject=_JOB
)
_RESUME = Command(name="finetune resume", summary="Let a job go on that was paused.", kinds=("line",), subject=_JOB)
_CHECKPOINTS = Command(
    name="finetune checkpoints",
    summary="Show the models on the way that are kept, as a dataframe.",
    kinds=("line",),
    subject=_ANY_JOB,
)
_USE = Command(
    name="finetune use",
    summary="Put the name of a job's model into a variable, for Agent(model=…) and %%agent --model.",
    kinds=("line",),
    subject=_ANY_JOB,
    options=(
        Option(
            "--checkpoint",
            "The step of a checkpoint, best (by the validation loss) or last.",
            "STEP",
            values="checkpoints",
        ),
        Option("--name", "The variable; model without.", "NAME"),
    ),
    examples="""
%finetune use job
%finetune use job --checkpoint best --name tuned
""",
)
_COMPARE = Command(
    name="finetune compare",
    summary="Show the curves of several jobs in one picture, and their numbers in a table.",
    kinds=("line",),
    words=Subject("JOB …", "Variables that hold jobs, or their ids.", values="jobs"),
)
_DELETE = Command(
    name="finetune delete",
    summary="Delete the models that came of a job, and the job where the platform can. You are asked first.",
    kinds=("line",),
    subject=_JOB,
    options=(Option("--yes", "Don't ask. Without it nothing is deleted where nobody is there to be asked."),),
)
COMMAND = Command(
    name="finetune",
    summary="Fine-tuning: check examples, train models on them, watch, compare and use what comes of it.",
    kinds=("line",),
    subcommands=(
        _CHECK,
        _ESTIMATE,
        _START,
        _LIST,
        _WATCH,
        _CANCEL,
        _PAUSE,
        _RESUME,
        _CHECKPOINTS,
        _USE,
        _COMPARE,
        _DELETE,
    ),
    examples="""
%finetune check train
%finetune estimate train --epochs 8
%finetune start train --epochs 8 --suffix support --validation 0.1 --name job
%finetune use job
""",
)
