"""Models in memory: loaded when they are first asked, and let go of, the longest unused first, where room is needed."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers

from agentkit.local.chat_templates import template_of
from agentkit.local.engines.trained.calls import CallFormat, call_format
from agentkit.local.engines.trained.failures import AnswerError, is_out_of_memory
from agentkit.local.engines.trained.grammars import Grammars
from agentkit.local.training.bases import UnknownBaseError, base_of_adapter, resolve

__all__ = ["LoadedModel", "Models"]

_SMALL_BYTES = 1_200_000_000
"""Weights of models up to 300 million parameters, which stay in full precision."""
_FALLBACK_BYTES = 8_000_000_000
_END_OF_TURN = ("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<|end|>", "<|END_OF_TURN_TOKEN|>")
"""Tokens that end an answer in well-known templates, which a model's own configuration may not name."""
_THOUGHT_END = "</think>"


@dataclass(slots=True)
class LoadedModel:
    """A model that can be asked."""

    name: str
    model: Any
    tokenizer: Any
    template: str
    """Its chat template."""
    ends: frozenset[int]
    """Tokens that end an answer."""
    context: int | None
    """Tokens that a prompt and its answer may have; None for no limit."""
    defaults: Any
    """Its `GenerationConfig`."""
    calls: CallFormat
    """How it writes calls."""
    marks: dict[int, str]
    """Special tokens that mean something."""
    thinks: bool
    """Whether it may think before it answers."""
    grammars: Grammars
    device: Any
    size_bytes: int
    users: int = 0
    """Requests that are at work with it."""
    key: tuple[Any, ...] = field(default=())


class Models:
    """The models in memory.

    Args:
        budget_bytes: What their weights may take; most of the GPU's memory, or half of the machine's, when None. A
            model that doesn't fit in is loaded all the same, alone.
    """

    def __init__(self, *, budget_bytes: int | None = None) -> None:
        self._budget_bytes = _budget_bytes() if budget_bytes is None else budget_bytes
        self._kept: OrderedDict[tuple[Any, ...], LoadedModel] = OrderedDict()
        self._lock = threading.Lock()
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()

    def take(self, request: dict[str, Any]) -> LoadedModel | None:
        """Return the model of a request, if it is in memory; `release` it."""
        if request["folder"] is None:
            return None
        key = _key(Path(request["folder"]))
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                found.users += 1
            return found

    def load(self, request: dict[str, Any]) -> LoadedModel:
        """Return the model of a request, loaded if need be; `release` it.

        Raises:
            AnswerError: It can't be used.
        """
        if (found := self.take(request)) is not None:
            return found
        name, folder = request["model"], _folder_of(request)
        self._make_room(_weights_bytes(folder))
        try:
            loaded = _load(name, folder, Path(request["home"]))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            error.__traceback__ = None
            self._make_room(None)
            loaded = _load(name, folder, Path(request["home"]))
        loaded.key, loaded.users = _key(folder), 1
        with self._lock:
            for key in [key for key in self._kept if key[0] == loaded.key[0]]:
                del self._kept[key]  # what lay in the folder before
            self._kept[loaded.key] = loaded
        return loaded

    def release(self, loaded: LoadedModel) -> None:
        """Tell that a request is done with a model."""
        with self._lock:
            loaded.users -= 1

    def _make_room(self, size_bytes: int | None) -> None:
        """Let go of models that nobody uses until `size_bytes` more fit in; of all of them when None."""
        with self._lock:
            for key in list(self._kept):
                used = sum(each.size_bytes for each in self._kept.values())
                if size_bytes is not None and used + size_bytes <= self._budget_bytes:
                    return
                if not self._kept[key].users:
                    del self._kept[key]
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _folder_of(request: dict[str, Any]) -> Path:
    if request["folder"] is not None:
        return Path(request["folder"])
    from agentkit.local.training.tiny import ensure_tiny

    return ensure_tiny(Path(request["home"]))


def _key(folder: Path) -> tuple[Any, ...]:
    """Return what tells a folder's model from the one that lay there before."""
    times = []
    for name in ("config.json", "adapter_config.json", "model.safetensors", "adapter_model.safetensors"):
        try:
            times.append((folder / name).stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return (str(folder), *times)


def _weights_bytes(folder: Path) -> int:
    files = [path for pattern in ("*.safetensors", "*.bin") for path in folder.glob(pattern)]
    return sum(path.stat().st_size for path in files)


def _budget_bytes() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.get_device_properties(0).total_memory * 0.8)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (ValueError, OSError, AttributeError):
        return _FALLBACK_BYTES


def _load(name: str, folder: Path, home: Path) -> LoadedModel:
    base = _base_of_adapter(name, folder, home)
    try:
        tokenizer = _tokenizer(name, folder, base)
        model = _model(folder, base)
    except AnswerError:
        raise
    except Exception as error:  # whatever libraries raise for files that are broken
        if is_out_of_memory(error) or isinstance(error, ImportError):
            raise
        raise _unusable(name, folder, f"{type(error).__name__}: {str(error).strip()[:400]}") from error
    template = template_of(tokenizer)
    if not template:
        raise _unusable(name, folder, "it has no chat template, so it can't be talked to")
    model.eval()
    vocabulary = tokenizer.get_vocab()
    text_config = model.config.get_text_config()
    ends = _ends(model, tokenizer, template)
    calls = call_format(template)
    special = set(tokenizer.all_special_ids)
    texts = (*calls.marks, "<think>", _THOUGHT_END)
    head = model.get_output_embeddings()
    width = text_config.vocab_size if head is None else head.weight.shape[0]
    return LoadedModel(
        name=name,
        model=model,
        tokenizer=tokenizer,
        template=template,
        ends=ends,
        context=getattr(text_config, "max_position_embeddings", None),
        defaults=model.generation_config,
        calls=calls,
        marks={vocabulary[text]: text for text in texts if vocabulary.get(text) in special},
        thinks=_THOUGHT_END in vocabulary or _THOUGHT_END in template,
        grammars=Grammars(tokenizer, width, sorted(ends), calls),
        device=model.device,
        size_bytes=sum(each.numel() * each.element_size() for each in model.parameters()),
    )


def _base_of_adapter(name: str, folder: Path, home: Path) -> Path | None:
    """Return the folder of the model that a LoRA adapter belongs to; None for a whole model.

    Raises:
        AnswerError: It names none, or one that isn't there.
    """
    if (folder / "config.json").is_file() or not (folder / "adapter_config.json").is_file():
        return None
    try:
        named = base_of_adapter(folder)
    except (OSError, ValueError) as error:
        raise _unusable(name, folder, f"its adapter_config.json can't be used: {error}") from error
    try:
        base = resolve(named, home).folder
    except UnknownBaseError as error:
        raise _unusable(name, folder, f"it is an adapter of '{named}', which can't be found. {error}") from error
    if base is None:
        raise _unusable(name, folder, f"it is an adapter of '{named}', which is not here: hf download {named}")
    return base


def _tokenizer(name: str, folder: Path, base: Path | None) -> Any:
    has_own = any((folder / file).is_file() for file in ("tokenizer.json", "tokenizer_config.json", "tokenizer.model"))
    if not has_own and base is None and not list(folder.glob("vocab*")):
        raise _unusable(name, folder, "it has no tokenizer: save one there with save_pretrained()")
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        folder if has_own or base is None else base, trust_remote_code=False
    )
    if tokenizer.is_fast:  # threads share it, so no call may have to change it
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()
    return tokenizer


def _model(folder: Path, base: Path | None) -> Any:
    source = folder if base is None else base
    options: dict[str, Any] = {"dtype": _dtype(source), "trust_remote_code": False}
    size = _weights_bytes(source)
    device = _device()
    if device == "cuda" and size > torch.cuda.mem_get_info()[0] * 0.9:
        options["device_map"] = "auto"  # over all GPUs, and what doesn't fit into the machine's memory
    model = transformers.AutoModelForCausalLM.from_pretrained(source, **options)
    if base is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, folder).merge_and_unload()
    return model if "device_map" in options else model.to(device)


def _device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _dtype(source: Path) -> Any:
    """Return the precision to compute in: half on a GPU, full on a CPU where there is the memory, else as stored."""
    size = _weights_bytes(source)
    if _device() != "cpu":
        if size <= _SMALL_BYTES:
            return torch.float32
        return torch.bfloat16 if _device() == "mps" or torch.cuda.is_bf16_supported() else torch.float16
    return torch.float32 if size * 2 < _budget_bytes() else "auto"


def _ends(model: Any, tokenizer: Any, template: str) -> frozenset[int]:
    found: set[int] = set()
    for given in (model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id):
        found |= {given} if isinstance(given, int) else set(given or ())
    vocabulary = tokenizer.get_vocab()
    return frozenset(found | {vocabulary[text] for text in _END_OF_TURN if text in vocabulary and text in template})


def _unusable(name: str, folder: Path, why: str) -> AnswerError:
    return AnswerError(f"The model '{name}' in {folder} can't be used: {why}.", code="invalid_model", param="model")
