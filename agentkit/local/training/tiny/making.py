"""Making tiny-1. torch and transformers are imported when one is made: call this in a process of its own."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from agentkit._home import make_private_folder
from agentkit.local.training.bases import tiny_folder

__all__ = ["TINY_CONTEXT", "ensure_tiny", "make_tiny"]

TINY_CONTEXT: Final = 2048
"""Tokens that it reads and writes at most."""

_HERE = Path(__file__).parent
_VOCABULARY: Final = 1024
_SPECIAL: Final = ("<|pad|>", "<|im_start|>", "<|im_end|>")
_MARKS: Final = ("<tool_call>", "</tool_call>")
"""One token each, and part of what is said: a call is read from the text."""
_HIDDEN: Final = 128
_LAYERS: Final = 2
_HEADS: Final = 4
_RAMBLES: Final = 64
"""Tokens after which an untrained one stops: it has no other reason to."""
_MOST_CHARACTERS: Final = 50_000_000
"""Characters that a tokenizer is trained on at most; more change nothing."""


def ensure_tiny(home: Path) -> Path:
    """Return the folder of the tiny-1 that can be asked without a training; it is made where it isn't there.

    It is the same on every machine, and says nothing of use: its weights are random.

    Args:
        home: The platform's folder.

    Raises:
        ImportError: The extra `agentkit[train]` isn't installed.
        OSError: The folder can't be written.
    """
    folder = tiny_folder(home)
    if not (folder / "config.json").is_file():
        make_tiny(folder, [(_HERE / "text.txt").read_text(encoding="utf-8")], 0, longest=_RAMBLES)
    return folder


def make_tiny(folder: Path, texts: Iterable[str], seed: int, *, longest: int | None = None) -> None:
    """Make a model with its tokenizer and chat template, as a Hugging Face folder. It is there whole, or not at all.

    Args:
        folder: Where; what is there already stays.
        texts: What it will read and say; its tokenizer is trained on them.
        seed: For its weights.
        longest: Tokens of an answer for which nobody has set a limit; None for as many as there is room for.

    Raises:
        ImportError: The extra `agentkit[train]` isn't installed.
        OSError: The folder can't be written.
    """
    make_private_folder(folder.parent)
    making = folder.parent / f".{folder.name}-{secrets.token_hex(4)}"
    try:
        tokenizer = _tokenizer(texts)
        model = _weights(tokenizer, seed)
        model.generation_config.max_new_tokens = longest
        making.mkdir(mode=0o700)
        tokenizer.save_pretrained(making)
        model.save_pretrained(making)
        if not (folder / "config.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            try:
                making.rename(folder)
            except OSError:
                if not (folder / "config.json").is_file():  # else another process was faster
                    raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _tokenizer(texts: Iterable[str]) -> Any:  # a PreTrainedTokenizerFast
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY - len(_MARKS),
        special_tokens=list(_SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    trained.train_from_iterator(_enough(texts), trainer)
    trained.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in _MARKS])
    return PreTrainedTokenizerFast(
        tokenizer_object=trained,
        pad_token="<|pad|>",
        eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
        model_max_length=TINY_CONTEXT,
        chat_template=(_HERE / "chat_template.jinja").read_text(encoding="utf-8"),
        clean_up_tokenization_spaces=False,
    )


def _enough(texts: Iterable[str]) -> Iterable[str]:
    seen = 0
    yield "system user assistant tool"  # the names of roles are in every conversation
    for text in texts:
        yield text
        seen += len(text)
        if seen > _MOST_CHARACTERS:
            return


def _weights(tokenizer: Any, seed: int) -> Any:  # a LlamaForCausalLM
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=_HIDDEN,
        intermediate_size=_HIDDEN * 8 // 3,
        num_hidden_layers=_LAYERS,
        num_attention_heads=_HEADS,
        num_key_value_heads=_HEADS,
        max_position_embeddings=TINY_CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        dtype="float32",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)
