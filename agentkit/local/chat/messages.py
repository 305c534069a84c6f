"""Chat messages, and the same conversation as items of the Responses API, which is what engines read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from agentkit.local.checking import Shape, by_type, text_or_list
from agentkit.local.errors import ApiError, missing_parameter

__all__ = ["ChatMessage", "to_items"]


class TextPart(Shape):
    """Text."""

    type: Literal["text"]
    text: str
    prompt_cache_breakpoint: dict[str, Any] | None = None


class RefusalPart(Shape):
    """What the model said instead of answering."""

    type: Literal["refusal"]
    refusal: str


class ImageUrl(Shape):
    """Where an image is; `data:` addresses too."""

    url: str
    detail: Literal["low", "high", "auto", "original"] | None = None


class ImagePart(Shape):
    """An image."""

    type: Literal["image_url"]
    image_url: ImageUrl
    prompt_cache_breakpoint: dict[str, Any] | None = None


class FileContent(Shape):
    """A file, by its content or as an uploaded one."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Shape):
    """A file."""

    type: Literal["file"]
    file: FileContent
    prompt_cache_breakpoint: dict[str, Any] | None = None


_UserPart = Annotated[
    Annotated[TextPart, Tag("<text>")] | Annotated[ImagePart, Tag("<image_url>")] | Annotated[FilePart, Tag("<file>")],
    Discriminator(by_type),
]
_AssistantPart = Annotated[
    Annotated[TextPart, Tag("<text>")] | Annotated[RefusalPart, Tag("<refusal>")], Discriminator(by_type)
]
_Text = Annotated[str, Tag("<text>")]
_UserContent = Annotated[_Text | Annotated[list[_UserPart], Tag("<list>")], Discriminator(text_or_list)]
_AssistantContent = Annotated[_Text | Annotated[list[_AssistantPart], Tag("<list>")], Discriminator(text_or_list)]
_PlainContent = Annotated[_Text | Annotated[list[TextPart], Tag("<list>")], Discriminator(text_or_list)]


class InstructionMessage(Shape):
    """What the model is told to be."""

    role: Literal["system", "developer"]
    content: _PlainContent
    name: str | None = None


class UserMessage(Shape):
    """What the user said."""

    role: Literal["user"]
    content: _UserContent
    name: str | None = None


class CalledFunction(Shape):
    """A function and the JSON text of its arguments."""

    name: str
    arguments: str


class ToolCall(Shape):
    """A call that the model made."""

    id: str
    type: Literal["function"]
    function: CalledFunction
    index: int | None = None


class AssistantMessage(Shape):
    """What the model said or called earlier."""

    role: Literal["assistant"]
    content: _AssistantContent | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = Field(None, min_length=1)
    function_call: CalledFunction | None = None
    audio: dict[str, Any] | None = None
    annotations: list[dict[str, Any]] | None = None


class ToolMessage(Shape):
    """What a called function returned."""

    role: Literal["tool"]
    content: _PlainContent
    tool_call_id: str
    name: str | None = None


class FunctionMessage(Shape):
    """The same for a call in the deprecated `function_call`."""

    role: Literal["function"]
    name: str
    content: str | None


class UnknownMessage(Shape, extra="allow"):
    """A message whose role is missing or unknown."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]


def _role_tag(value: Any) -> str:
    role = value.get("role") if isinstance(value, dict) else None
    return f"<{role}>" if role in ("user", "assistant", "tool", "function") else _OTHER_TAGS.get(str(role), "<unknown>")


_OTHER_TAGS = {"system": "<instructions>", "developer": "<instructions>"}

ChatMessage = Annotated[
    Annotated[InstructionMessage, Tag("<instructions>")]
    | Annotated[UserMessage, Tag("<user>")]
    | Annotated[AssistantMessage, Tag("<assistant>")]
    | Annotated[ToolMessage, Tag("<tool>")]
    | Annotated[FunctionMessage, Tag("<function>")]
    | Annotated[UnknownMessage, Tag("<unknown>")],
    Discriminator(_role_tag),
]

Item = dict[str, Any]


def to_items(messages: list[dict[str, Any]]) -> list[Item]:
    """Return checked messages as items of the Responses API.

    Raises:
        ApiError: Tool calls and tool messages don't belong together; an assistant's message is empty.
    """
    items: list[Item] = []
    waiting: dict[str, int] = {}  # calls without an answer yet, and the index of their message
    for index, message in enumerate(messages):
        role = message["role"]
        if role == "tool":
            if waiting.pop(message["tool_call_id"], None) is None:
                raise _stray_tool_message(index)
            items.append(_output(message["tool_call_id"], _texts_to_parts(message["content"])))
        elif role == "function":
            _answer_function_message(message, index, waiting, items)
        else:
            _check_all_answered(waiting)
            made = _assistant_items(message, index) if role == "assistant" else [_message(message)]
            waiting = {item["call_id"]: index for item in made if item["type"] == "function_call"}
            items += made
    _check_all_answered(waiting)
    return items


def _message(message: dict[str, Any]) -> Item:
    content = message["content"]
    parts = (
        [_part(part) for part in content] if isinstance(content, list) else [{"type": "input_text", "text": content}]
    )
    return {"type": "message", "role": message["role"], "content": parts}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "image_url":
        image = part["image_url"]
        return {"type": "input_image", "image_url": image["url"], "detail": image.get("detail") or "auto"}
    if part["type"] == "file":
        return {"type": "input_file", **part["file"]}
    return {"type": "input_text", "text": part["text"]}


def _assistant_items(message: dict[str, Any], index: int) -> list[Item]:
    parts = _assistant_parts(message)
    calls = [
        _call(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or []
    ]
    if (legacy := message.get("function_call")) is not None:
        calls.append(_call(f"call_{index}_{legacy['name']}", legacy["name"], legacy["arguments"]))
    if message.get("content") is None and message.get("refusal") is None and not calls:
        raise missing_parameter(f"messages[{index}].content")
    said = [{"type": "message", "role": "assistant", "status": "completed", "content": parts}] if parts else []
    return [*said, *calls]


def _assistant_parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    given = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    parts: list[dict[str, Any]] = [
        {"type": "output_text", "text": part["text"], "annotations": []} if part["type"] == "text" else part
        for part in given
    ]
    if message.get("refusal") is not None:
        parts.append({"type": "refusal", "refusal": message["refusal"]})
    return parts


def _call(call_id: str, name: str, arguments: str) -> Item:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments, "status": "completed"}


def _output(call_id: str, output: str | list[dict[str, Any]]) -> Item:
    return {"type": "function_call_output", "call_id": call_id, "output": output, "status": "completed"}


def _texts_to_parts(content: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    return content if isinstance(content, str) else [_part(part) for part in content]


def _answer_function_message(message: dict[str, Any], index: int, waiting: dict[str, int], items: list[Item]) -> None:
    """Take the answer to a deprecated `function_call`, which knows its call by the name only."""
    for call_id, called_at in list(waiting.items()):
        if call_id == f"call_{called_at}_{message['name']}":
            del waiting[call_id]
            items.append(_output(call_id, message["content"] or ""))
            return
    raise _stray_tool_message(index)


def _stray_tool_message(index: int) -> ApiError:
    message = (
        "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
    )
    return ApiError(message, param=f"messages[{index}].role")


def _check_all_answered(waiting: dict[str, int]) -> None:
    if not waiting:
        return
    message = (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"These have none: {', '.join(waiting)}."
    )
    raise ApiError(message, param=f"messages[{next(iter(waiting.values()))}].tool_calls")
