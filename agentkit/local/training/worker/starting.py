"""The model that a job starts from, with its tokenizer."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError

from agentkit.local.training.bases import Base, base_of_adapter
from agentkit.local.training.tiny import make_tiny
from agentkit.local.training.worker.checkpoints import linked_copy
from agentkit.local.training.worker.conversations import ImagesError, texts_of
from agentkit.local.training.worker.failures import JobFailure
from agentkit.local.training.worker.files import lines_of

__all__ = ["Size", "Start", "check_folder", "find_folder", "load_model", "load_tokenizer", "rank_of", "size_of"]


_BROKEN: Final = (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError, SafetensorError)
"""What the libraries raise of a folder that lacks something."""
_OTHER_FORMATS: Final = ("*.gguf", "*.onnx", "*.h5", "*.msgpack", "*.pth", "original/*")
"""Files of a model that are for other libraries."""
_TOKENIZERS: Final = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
_NO_TEMPLATE: Final = "its tokenizer has no chat template"
_GIVE_TEMPLATE: Final = "Take the model's instruct version, or put a chat_template.jinja into the folder"
_SAVE_MODEL: Final = "Save it there: AutoModelForCausalLM.from_pretrained(…).save_pretrained(folder)"
_SAVE_TOKENIZER: Final = "Save it there: AutoTokenizer.from_pretrained(…).save_pretrained(folder)"


@dataclass(frozen=True, slots=True)
class Size:
    """How large a model is."""

    parameters: int
    """Its weights."""
    context: int
    """Tokens that it reads at most."""


@dataclass(frozen=True, slots=True)
class Start:
    """A loaded model."""

    model: Any
    """A PreTrainedModel, or a PeftModel whose adapter is trained further."""
    parameters: int
    """Its weights."""
    adapter: bool
    """Whether it is a LoRA already."""


def find_folder(base: Base, job_folder: Path, training: Path, seed: int) -> Path:
    """Return the folder of the model to start from; one that is needed to go on later is kept with the job.

    Raises:
        JobFailure: It can't be had.
        OSError: It can't be written.
    """
    start = job_folder / "start"
    if base.kind == "tiny":
        if not (start / "config.json").is_file():
            make_tiny(start, (text for _, line in lines_of(training) for text in _texts(line)), seed)
        return start
    if base.kind == "trained" and base.folder is not None:  # it may be deleted while this or what comes of it is used
        if not _is_model(start):
            linked_copy(base.folder, start)
        _keep_base(base.folder, start, job_folder)
        return start
    return base.folder if base.folder is not None else _fetched(base.name)


def _keep_base(source: Path, adapter: Path, job_folder: Path) -> None:
    """Keep the base of a LoRA with the job, too, where it is another job's.

    Args:
        source: The other job's LoRA.
        adapter: The copy of it that is the job's own.
        job_folder: The job's folder.
    """
    if rank_of(adapter) is None or Path(base_of_adapter(adapter)).is_relative_to(job_folder):
        return
    path = adapter / "adapter_config.json"
    config = json.loads(path.read_text())
    base = Path(base_of_adapter(source))
    if base.is_absolute() and base.is_dir() and base.is_relative_to(job_folder.parent):
        linked_copy(base, job_folder / "base")
        path.unlink()  # it is a link: the other job's stays as it is
        path.write_text(json.dumps({**config, "base_model_name_or_path": str(job_folder / "base")}))


def _texts(line: dict[str, Any]) -> Iterator[str]:
    with contextlib.suppress(ImagesError):  # told when the line is encoded
        yield from texts_of(line)


def _is_model(folder: Path) -> bool:
    return (folder / "config.json").is_file() or (folder / "adapter_config.json").is_file()


def _fetched(name: str) -> Path:
    from huggingface_hub import list_repo_files, snapshot_download

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        reason = "HF_HUB_OFFLINE is set"
    else:
        try:
            safe = any(each.endswith(".safetensors") for each in list_repo_files(name))
            return Path(snapshot_download(name, ignore_patterns=[*_OTHER_FORMATS, *(["*.bin"] if safe else [])]))
        except Exception as error:  # the library's errors come from several others
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]
    raise JobFailure(
        "invalid_model",
        f"The model '{name}' isn't in Hugging Face's cache on this machine, and can't be fetched: {reason}. "
        f"Fetch it where there is a network (hf download {name}), or give a folder.",
        param="model",
    )


def check_folder(folder: Path) -> None:
    """See whether a model's folder has what a training needs, before the libraries that load it are imported.

    Raises:
        JobFailure: It hasn't.
    """
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise _invalid(folder, "there is no tokenizer", _SAVE_TOKENIZER)
    if not (folder / "chat_template.jinja").is_file() and not (folder / "additional_chat_templates").is_dir():
        with contextlib.suppress(OSError, ValueError):
            if not json.loads((folder / "tokenizer_config.json").read_text()).get("chat_template"):
                raise _invalid(folder, _NO_TEMPLATE, _GIVE_TEMPLATE)


def rank_of(folder: Path) -> int | None:
    """Return the rank of the LoRA in a folder, or None where it has a whole model."""
    config = folder / "adapter_config.json"
    if not config.is_file() or (folder / "config.json").is_file():
        return None
    with contextlib.suppress(OSError, ValueError):
        return int(json.loads(config.read_text()).get("r") or 0) or None
    return None


def load_tokenizer(folder: Path) -> Any:  # a PreTrainedTokenizerBase
    """Return a model's tokenizer, which has a chat template.

    Raises:
        JobFailure: It hasn't, or there is none.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
    except _BROKEN as error:
        raise _invalid(folder, f"its tokenizer can't be loaded ({_said(error)})", _SAVE_TOKENIZER) from error
    if len(tokenizer) < 2 or not _encodes(tokenizer):
        raise _invalid(folder, "there is no tokenizer", _SAVE_TOKENIZER)
    if not tokenizer.chat_template:
        raise _invalid(folder, _NO_TEMPLATE, _GIVE_TEMPLATE)
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise _invalid(folder, "its tokenizer has neither a padding nor an end token", "Set its eos_token")
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _encodes(tokenizer: Any) -> bool:
    with contextlib.suppress(Exception):  # an empty tokenizer fails in ways of its own
        return bool(tokenizer("agent", add_special_tokens=False)["input_ids"])
    return False


def load_model(folder: Path, *, merged: bool, low_precision: bool = False) -> Start:
    """Return the model of a folder, ready to be trained.

    Args:
        folder: It has a whole model, or a LoRA that names its base.
        merged: Of a LoRA: put it into its base, so that all weights can be trained.
        low_precision: Whether its weights are kept as bfloat16, for a LoRA beside them.

    Raises:
        JobFailure: It can't be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM

    options = {"dtype": torch.bfloat16 if low_precision else torch.float32, "trust_remote_code": False}
    adapter = rank_of(folder) is not None
    try:
        if not adapter:
            model = AutoModelForCausalLM.from_pretrained(str(folder), **options)
            return Start(model, int(model.num_parameters()), adapter=False)
        from peft import PeftModel

        model = AutoModelForCausalLM.from_pretrained(base_of_adapter(folder), **options)
        parameters = int(model.num_parameters())
        model = PeftModel.from_pretrained(model, str(folder), is_trainable=not merged)
        if merged:
            model = model.merge_and_unload()
            model.requires_grad_(True)  # beside an adapter its weights were at rest
        return Start(model, parameters, adapter=not merged)
    except (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _invalid(
            folder, f"its weights can't be loaded ({_said(error)})", "Save it with save_pretrained()"
        ) from error


def size_of(folder: Path, tokenizer: Any) -> Size:
    """Return how large a model is, without loading it.

    Raises:
        JobFailure: Its configuration isn't that of a model that writes text.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        whole = str(folder) if rank_of(folder) is None else base_of_adapter(folder)
        config = AutoConfig.from_pretrained(whole, trust_remote_code=False)
        with torch.device("meta"):
            parameters = int(AutoModelForCausalLM.from_config(config, trust_remote_code=False).num_parameters())
    except _BROKEN as error:
        raise _invalid(
            folder, f"its configuration isn't that of a model that writes text ({_said(error)})", _SAVE_MODEL
        ) from error
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    known = [getattr(text, name, None) for name in ("max_position_embeddings", "n_positions", "max_seq_len")]
    known.append(tokenizer.model_max_length)
    told = (int(each) for each in known if isinstance(each, int) and 0 < each < 10_000_000)
    return Size(parameters, min(told, default=2048))


def _said(error: BaseException) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else ''}"[:300]


def _invalid(folder: Path, what: str, remedy: str) -> JobFailure:
    return JobFailure("invalid_model", f"The model in {folder} can't be trained: {what}. {remedy}.", param="model")
