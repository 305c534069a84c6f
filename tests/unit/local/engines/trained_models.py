"""Makes the models that the tests ask, and what transformers itself answers with them: `trained_models.py FOLDER`.

Run as a program, so that the tests' own process needs no torch. Weights are random, but drawn widely: an answer wanders
through letters, special tokens and parts of characters.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

SPECIAL = ["<|pad|>", "<|im_start|>", "<|im_end|>", "[TOOL_CALLS]", "[ARGS]", "<|python_tag|>"]
PLAIN = ["<tool_call>", "</tool_call>", "<think>", "</think>"]
CONTEXT = 2048
HERMES = """{%- if tools %}<|im_start|>system
Tools: {% for tool in tools %}{{ tool | tojson }}{% endfor %}<|im_end|>
{% endif %}{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}{% for call in message.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>\
{% endfor %}<|im_end|>
{% endfor %}{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
TEMPLATES = {
    "mistral": HERMES.replace("<tool_call>", "[TOOL_CALLS]").replace("</tool_call>", ""),
    "mistral-args": HERMES.replace("<tool_call>", "[TOOL_CALLS]{{ '[ARGS]' }}").replace("</tool_call>", ""),
    "llama": HERMES.replace("<tool_call>", "<|python_tag|>").replace("</tool_call>", ""),
    "thinking": HERMES
    + "{% if add_generation_prompt %}<think>\n{% if enable_thinking is false %}</think>\n{% endif %}{% endif %}",
    "strict-roles": "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for message in messages %}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}<|im_start|>{{ message.role }}\n{{ message.content }}"
    "<|im_end|>\n{% endfor %}<|im_start|>assistant\n",
}
TEXT = [
    "Größe, naïve façade — 日本語のテキスト 😀🎉 плюс ещё немного",
    "hello world, how are you today? fine, thanks",
] * 4
PROMPTS = ["hello", "Größe 日本", "how are you today? 😀"]
ANSWER_TOKENS = 80


def main(folder: Path) -> None:
    """Make all of them in `folder`, with `expected.json`."""
    import torch

    plain = folder / "plain"
    tokenizer, model = make(plain)
    for name, template in TEMPLATES.items():
        shutil.copytree(plain, folder / name)
        (folder / name / "chat_template.jinja").write_text(template)
    expected: dict[str, Any] = {"plain": [answer(tokenizer, model, prompt) for prompt in PROMPTS]}
    config = json.loads((plain / "generation_config.json").read_text())
    shutil.copytree(plain, folder / "repeating")
    (folder / "repeating" / "generation_config.json").write_text(json.dumps({**config, "repetition_penalty": 1.5}))
    model.generation_config.repetition_penalty = 1.5
    expected["repeating"] = [answer(tokenizer, model, prompt) for prompt in PROMPTS]
    model.generation_config.repetition_penalty = None

    from peft import LoraConfig, get_peft_model

    torch.manual_seed(3)
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
    adapted.peft_config["default"].base_model_name_or_path = str(plain)
    adapted.save_pretrained(folder / "adapter")
    expected["adapter"] = [answer(tokenizer, adapted, prompt) for prompt in PROMPTS]
    (folder / "expected.json").write_text(json.dumps(expected))


def make(folder: Path) -> tuple[Any, Any]:
    """Make a model of 1 MB."""
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=360, show_progress=False, special_tokens=SPECIAL, initial_alphabet=alphabet
    )
    made.train_from_iterator(TEXT, trainer)
    made.add_tokens([AddedToken(text, special=False, normalized=False) for text in PLAIN])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<|pad|>",
        eos_token="<|im_end|>",
        additional_special_tokens=SPECIAL[3:],
        chat_template=HERMES,
    )
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.25,
        tie_word_embeddings=False,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer, model


def answer(tokenizer: Any, model: Any, prompt: str) -> dict[str, Any]:
    """Return what transformers makes of a prompt, greedily."""
    messages = [{"role": "user", "content": prompt}]
    given = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    made = model.generate(**given, max_new_tokens=ANSWER_TOKENS, do_sample=False, pad_token_id=0)
    ids = made[0, given["input_ids"].shape[1] :].tolist()
    text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return {"text": text, "input_tokens": given["input_ids"].shape[1], "output_tokens": len(ids)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
