"""From messages to the text that a model reads, by its chat template, whatever that one knows of roles and tools."""

from __future__ import annotations

import json
from typing import Any

from agentkit.local.engines.trained.failures import AnswerError

__all__ = ["render"]

Message = dict[str, Any]

_INVISIBLE = "\N{ZERO WIDTH SPACE}"
_TOOLS_TEXT = """You may call functions. These are their signatures, as JSON:
{tools}
To call one, write its name and arguments as JSON between tags:
<tool_call>
{{"name": "<name>", "arguments": {{}}}}
</tool_call>"""


def render(
    tokenizer: Any, template: str, messages: list[Message], tools: list[dict[str, Any]], *, thinks: bool = True
) -> str:
    """Return the prompt of a conversation, to the point where the model goes on.

    Templates that know no tools are told of them in a system message, and of calls and results in plain messages. Those
    that refuse a system message, or two messages of one role, get them as one of the user's.

    Where a message's text has a special token in it, such as the mark that ends a message, an invisible blank keeps it
    from being one: what a user or a file says can't pass for another message.

    Args:
        tokenizer: The model's.
        template: Its chat template.
        messages: What was said.
        tools: What may be called.
        thinks: Whether a model that can do either is to think first.

    Raises:
        AnswerError: The template takes none of that.
    """
    messages = [_harmless(message, tokenizer.all_special_tokens) for message in messages]
    if "tools" not in template:
        messages, tools = _without_tools(messages, tools), []
    try:
        return _rendered(tokenizer, template, messages, tools, thinks)
    except Exception as error:  # a template is a program, which may raise whatever it likes
        refused = error
    for change in (_system_first, _alternating):
        messages = change(messages)
        try:
            return _rendered(tokenizer, template, messages, tools, thinks)
        except Exception as error:
            refused = error
    message = f"The model's chat template doesn't take these messages: {str(refused)[:300]}"
    raise AnswerError(message, code="invalid_value", param="input")


def _harmless(message: Message, special: list[str]) -> Message:
    """Return a message in whose text there are no special tokens."""
    text = message["content"]
    for token in special:
        if len(token) > 1 and token in text:
            text = text.replace(token, f"{token[0]}{_INVISIBLE}{token[1:]}")
    return {**message, "content": text}


def _rendered(tokenizer: Any, template: str, messages: list[Message], tools: list[dict[str, Any]], thinks: bool) -> str:
    options = {} if thinks else {"enable_thinking": False}  # as Qwen's and others' templates call it
    return str(
        tokenizer.apply_chat_template(
            messages, tools=tools or None, chat_template=template, add_generation_prompt=True, tokenize=False, **options
        )
    )


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
