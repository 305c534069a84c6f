"""tiny-1 as it is made, and what flows back through it: in one process with torch, apart from this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import hashlib, json, os, sys
from pathlib import Path
os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
home = Path(sys.argv[1])
from agentkit.local.training.tiny import ensure_tiny, make_tiny
from agentkit.local.training.worker.conversations import conversation_of
from agentkit.local.training.worker.encoding import IGNORED, encode
from agentkit.local.training.worker.starting import load_model, load_tokenizer, size_of
from transformers import AutoTokenizer, AutoModelForCausalLM

def digests(folder):
    files = (folder / name for name in ("model.safetensors", "tokenizer.json"))
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]

def said(role, content, **more):
    return {"role": role, "content": content, **more}

told = {}
first = ensure_tiny(home)
told["again"] = ensure_tiny(home) == first and digests(first)
ensure_tiny(home / "other")
told["elsewhere"] = digests(home / "other/fine_tuning/models/tiny-1")
texts = ["which animal is it: a cat, a dog or an owl?", "grüße 猫"]
make_tiny(home / "a", texts, 1), make_tiny(home / "b", texts, 2)
told["seeds"] = [digests(home / "a"), digests(home / "b")]
told["left"] = sorted(path.name for path in home.iterdir())
tokenizer = load_tokenizer(home / "a")
size = size_of(home / "a", tokenizer)
told["size"] = [size.parameters, size.context]
told["texts"] = [tokenizer.decode(tokenizer(text)["input_ids"]) for text in [*texts, "\\U0001f600 new <tool_call>"]]
call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"at": "K\\u00f6ln"}'}}
tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
messages = [said("developer", "be kind"), said("user", "where"), said("assistant", "wrong", weight=0)]
messages += [said("user", "no"), said("assistant", None, tool_calls=[call]), said("tool", "there", tool_call_id="c")]
conversation = conversation_of({"messages": [*messages, said("assistant", "There.")], "tools": tools})
told["rendered"] = tokenizer.apply_chat_template(conversation.messages, tools=conversation.tools, tokenize=False)
(sample,) = encode(tokenizer, conversation)
told["learnt"] = tokenizer.decode([label for label in sample.labels if label != IGNORED])

import torch
model = load_model(home / "a", merged=False).model
ids, labels = torch.tensor([sample.input_ids]), torch.tensor([sample.labels])
logits = model(input_ids=ids).logits
logits.retain_grad()
loss = torch.nn.functional.cross_entropy(logits[0, :-1], labels[0, 1:], ignore_index=IGNORED)
loss.backward()
flows = logits.grad[0].abs().sum(-1) > 0
told["flows"] = [bool(flow) for flow in flows[:-1]] == [label != IGNORED for label in sample.labels[1:]]
told["shares"] = [int(flows.sum()), len(sample.labels)]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path_factory.mktemp("tiny"))],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        timeout=200,
        cwd=Path(__file__).parent,
    )
    assert found.returncode == 0, found.stderr[-3000:]
    return dict(json.loads(found.stdout))


def test_the_one_that_is_asked_without_a_training_is_the_same_everywhere(told: dict[str, Any]) -> None:
    assert told["again"] == told["elsewhere"]


def test_the_seed_makes_the_weights_and_the_texts_the_tokenizer(told: dict[str, Any]) -> None:
    (weights, tokenizer), (other_weights, other_tokenizer) = told["seeds"]
    assert weights != other_weights
    assert tokenizer == other_tokenizer != told["again"][1]


def test_it_is_made_whole_or_not_at_all(told: dict[str, Any]) -> None:
    assert told["left"] == ["a", "b", "fine_tuning", "other"]


def test_it_is_small_and_reads_any_text(told: dict[str, Any]) -> None:
    parameters, context = told["size"]
    assert 300_000 < parameters < 600_000
    assert context == 2048
    assert told["texts"] == [
        "which animal is it: a cat, a dog or an owl?",
        "grüße 猫",
        "\U0001f600 new <tool_call>",
    ]


def test_its_template_writes_tools_and_calls_in_the_way_of_hermes(told: dict[str, Any]) -> None:
    assert told["rendered"] == (
        "<|im_start|>system\nbe kind\n\n<tools>\n"
        '{"name": "look", "parameters": {"type": "object"}}\n</tools>\n'
        'To call one: <tool_call>{"name": "…", "arguments": {…}}</tool_call><|im_end|>\n'
        "<|im_start|>user\nwhere<|im_end|>\n"
        "<|im_start|>assistant\nwrong<|im_end|>\n"
        "<|im_start|>user\nno<|im_end|>\n"
        '<|im_start|>assistant\n<tool_call>{"name": "look", "arguments": {"at": "Köln"}}</tool_call><|im_end|>\n'
        "<|im_start|>tool\nthere<|im_end|>\n"
        "<|im_start|>assistant\nThere.<|im_end|>\n"
    )


def test_nothing_flows_back_from_what_has_weight_0(told: dict[str, Any]) -> None:
    call = '<tool_call>{"name": "look", "arguments": {"at": "Köln"}}</tool_call><|im_end|>'
    assert told["learnt"] == f"{call}There.<|im_end|>"
    assert told["flows"] is True
    flowing, all_tokens = told["shares"]
    assert 0 < flowing < all_tokens / 2
