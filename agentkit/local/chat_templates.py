"""From messages to the text that a model reads, by its chat template, whatever that one knows of roles and tools.

What a model is trained on and what it is asked are written here, so that they are written alike. Templates run in the
process that trains or serves; nothing of transformers is imported.
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any

__all__ = ["TemplateRefusedError", "render", "special_texts", "template_of"]

Message = dict[str, Any]

_INVISIBLE = "\N{ZERO WIDTH SPACE}"
_TOOLS_TEXT = """You may call functions. These are their signatures, as JSON:
{tools}
To call one, write its name and arguments as JSON between tags:
<tool_call>
{{"name": "<name>", "arguments": {{}}}}
</tool_call>"""


class TemplateRefusedError(Exception):
    """A chat template takes these messages in no form. The message is the template's own."""


def template_of(tokenizer: Any) -> str:
    """Return a tokenizer's chat template; of several, the one for tools; "" for none."""
    template = tokenizer.chat_template
    if isinstance(template, dict):
        return str(template.get("tool_use") or template.get("default") or "")
    return str(template or "")


@functools.lru_cache(maxsize=4)
def special_texts(tokenizer: Any) -> tuple[str, ...]:
    """Return the texts of a tokenizer's special tokens: those that have a role, and those that only templates use."""
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    return tuple(dict.fromkeys(text for text in (*tokenizer.all_special_tokens, *added) if len(text) > 1))


@functools.lru_cache(maxsize=4)
def _special(tokenizer: Any) -> re.Pattern[str] | None:
    texts = special_texts(tokenizer)
    return re.compile("|".join(map(re.escape, texts))) if texts else None


def render(
    tokenizer: Any,
    template: str,
    messages: list[Message],
    tools: list[dict[str, Any]],
    *,
    ask: bool = True,
    thinks: bool = True,
) -> str:
    """Return the text of a conversation.

    Templates that know no tools are told of them in a system message, and of calls and results in plain messages. Those
    that refuse a system message, or two messages of one role, get them as one of the user's.

    Where a text has a special token in it, such as the mark that ends a message, an invisible blank keeps it from being
    one: what a user, a file, a call or the description of a tool says can't pass for another message.

    Args:
        tokenizer: The model's.
        template: Its chat template.
        messages: What was said.
        tools: What may be called.
        ask: Whether the text goes on to the point where the model answers.
        thinks: Whether a model that can do either is to think first.

    Raises:
        TemplateRefusedError: The template takes none of that.
    """
    messages, tools = _without_marks(messages, tokenizer), _without_marks(tools, tokenizer)
    if "tools" not in template:
        messages, tools = _without_tools(messages, tools), []
    options: dict[str, Any] = {"tools": tools or None, "chat_template": template, "add_generation_prompt": ask}
    if not thinks:
        options["enable_thinking"] = False  # as Qwen's and others' templates call it
    refused: Exception | None = None
    for change in (list, _system_first, _alternating):
        messages = change(messages)
        try:
            return str(tokenizer.apply_chat_template(messages, tokenize=False, **options))
        except Exception as error:  # a template is a program, which may raise whatever it likes
            refused = error
    raise TemplateRefusedError(f"{refused!s:.300}") from refused


def _without_marks(value: Any, tokenizer: Any) -> Any:  # JSON, and the same with other texts
    """Return messages or tools in whose texts there are no special tokens."""
    if isinstance(value, str):
        return _defused(value, tokenizer)
    if isinstance(value, dict):
        return {_defused(key, tokenizer): _without_marks(below, tokenizer) for key, below in value.items()}
    return [_without_marks(each, tokenizer) for each in value] if isinstance(value, list) else value


def _defused(text: str, tokenizer: Any) -> str:
    special = _special(tokenizer)
    if special is None or special.search(text) is None:
        return text
    for token in special_texts(tokenizer):  # one by one: they may overlap
        text = text.replace(token, f"{token[0]}{_INVISIBLE}{token[1:]}")
    return text


def _without_tools(messages: list[Message], tools: list[dict[str, Any]]) -> list[Message]:
    """Return messages that tell of tools in words."""
    plain: list[Message] = []
    for message in messages:
        if message["role"] == "tool":
            text = f"<tool_response>\n{message['content']}\n</tool_response>"
            plain.append({"role": "user", "content": text})
        elif calls := message.get("tool_calls"):
            texts = [f"<tool_call>\n{json.dumps(call['function'], ensure_ascii=False)}\n</tool_call>" for call in calls]
            said = [message["content"]] if message["content"] else []
            plain.append({"role": message["role"], "content": "\n".join([*said, *texts])})
        else:
            plain.append(message)
    if tools:
        text = _TOOLS_TEXT.format(tools="\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools))
        plain.insert(0, {"role": "system", "content": text})
        return _system_first(plain)
    return plain


def _system_first(messages: list[Message]) -> list[Message]:
    """Return messages with one system message at the most, at their beginning."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    others = [message for message in messages if message["role"] != "system"]
    return [{"role": "system", "content": "\n\n".join(system)}, *others] if system else others


def _alternating(messages: list[Message]) -> list[Message]:
    """Return messages without a system's, that begin with the user and go to and fro."""
    made: list[Message] = []
    for message in messages:
        role = "user" if message["role"] == "system" else message["role"]
        mergeable = role in ("user", "assistant") and "tool_calls" not in message
        if made and made[-1]["role"] == role and mergeable and "tool_calls" not in made[-1]:
            made[-1] = {"role": role, "content": f"{made[-1]['content']}\n\n{message['content']}"}
        else:
            made.append({**message, "role": role})
    if not made or made[0]["role"] != "user":
        made.insert(0, {"role": "user", "content": ""})
    return made
