"""Input items: what may stand in `input`, and the one form in which the platform keeps it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from agentkit.local.checking import Shape, by_type, text_or_list
from agentkit.local.ids import new_id

__all__ = ["Input", "canonical_items"]

_Status = Literal["in_progress", "completed", "incomplete"]


class InputText(Shape):
    """Text in a message to the model, or from a function."""

    type: Literal["input_text"]
    text: str
    prompt_cache_breakpoint: dict[str, Any] | None = None


class InputImage(Shape):
    """An image, by address (`data:` too) or as an uploaded file."""

    type: Literal["input_image"]
    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["low", "high", "auto", "original"] | None = None
    prompt_cache_breakpoint: dict[str, Any] | None = None


class InputFile(Shape):
    """A file, by its content, its address or as an uploaded one."""

    type: Literal["input_file"]
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None
    detail: Literal["low", "high", "auto"] | None = None
    prompt_cache_breakpoint: dict[str, Any] | None = None


class OutputText(Shape):
    """Text that the model answered earlier."""

    type: Literal["output_text"]
    text: str
    annotations: list[dict[str, Any]] | None = None
    logprobs: list[dict[str, Any]] | None = None


class Refusal(Shape):
    """What the model said instead of answering."""

    type: Literal["refusal"]
    refusal: str


_InputPart = Annotated[
    Annotated[InputText, Tag("<input_text>")]
    | Annotated[InputImage, Tag("<input_image>")]
    | Annotated[InputFile, Tag("<input_file>")],
    Discriminator(by_type),
]
_OutputPart = Annotated[
    Annotated[OutputText, Tag("<output_text>")] | Annotated[Refusal, Tag("<refusal>")], Discriminator(by_type)
]
_InputContent = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[_InputPart], Tag("<list>")], Discriminator(text_or_list)
]
_OutputContent = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[_OutputPart], Tag("<list>")], Discriminator(text_or_list)
]


class InputMessage(Shape):
    """A message to the model."""

    role: Literal["user", "system", "developer", "assistant"]  # an assistant's is an AssistantMessage: see `_item_tag`
    content: _InputContent
    type: Literal["message"] | None = None
    id: str | None = None
    status: _Status | None = None
    phase: Literal["commentary", "final_answer"] | None = None


class AssistantMessage(Shape):
    """A message that the model sent earlier."""

    role: Literal["assistant"]
    content: _OutputContent
    type: Literal["message"] | None = None
    id: str | None = None
    status: _Status | None = None
    phase: Literal["commentary", "final_answer"] | None = None


class FunctionCallItem(Shape):
    """A call that the model made earlier."""

    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: _Status | None = None
    caller: dict[str, Any] | None = None
    namespace: str | None = None
    is_async: bool | None = Field(None, alias="async")
    created_by: str | None = None


class FunctionCallOutputItem(Shape):
    """What the function returned."""

    type: Literal["function_call_output"]
    call_id: str
    output: _InputContent
    id: str | None = None
    status: _Status | None = None
    caller: dict[str, Any] | None = None
    created_by: str | None = None
    name: str | None = None
    namespace: str | None = None


class ReasoningItem(Shape):
    """What a reasoning model thought earlier. Taken along; rehearsal-1 makes none."""

    type: Literal["reasoning"]
    summary: list[dict[str, Any]]
    id: str | None = None
    content: list[dict[str, Any]] | None = None
    encrypted_content: str | None = None
    status: _Status | None = None


class ItemReference(Shape):
    """A stored item, by its id."""

    id: str
    type: Literal["item_reference"] | None = None


class ForeignItem(Shape, extra="allow"):
    """An item of a tool that the embedded platform hasn't got, from a conversation held elsewhere. Taken along."""

    type: str


_FOREIGN = frozenset(
    [
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "compaction",
        "compaction_trigger",
        "computer_call",
        "computer_call_output",
        "configuration_update",
        "custom_tool_call",
        "custom_tool_call_output",
        "file_search_call",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "program",
        "program_output",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    ]
)


def _item_tag(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    kind = value.get("type")
    if kind is None and "role" not in value and "content" not in value and "id" in value:
        return "<item_reference>"
    if kind in (None, "message"):  # the type may be left out
        return "<message:assistant>" if value.get("role") == "assistant" else "<message>"
    if not isinstance(kind, str):
        return None
    return "<foreign>" if kind in _FOREIGN else f"<{kind}>"


_Item = Annotated[
    Annotated[InputMessage, Tag("<message>")]
    | Annotated[AssistantMessage, Tag("<message:assistant>")]
    | Annotated[FunctionCallItem, Tag("<function_call>")]
    | Annotated[FunctionCallOutputItem, Tag("<function_call_output>")]
    | Annotated[ReasoningItem, Tag("<reasoning>")]
    | Annotated[ItemReference, Tag("<item_reference>")]
    | Annotated[ForeignItem, Tag("<foreign>")],
    Discriminator(_item_tag),
]

Input = Annotated[Annotated[str, Tag("<text>")] | Annotated[list[_Item], Tag("<list>")], Discriminator(text_or_list)]
"""What `input` may be: a text, or items. A union's tags keep to angle brackets, which error paths leave out."""

_ID_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


def canonical_items(given: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return checked input in the form of the platform's own items.

    Each has its `type` and an `id`; messages and calls have a `status`; a message's content is a list of parts.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_canonical(item) for item in given]


def _canonical(item: dict[str, Any]) -> dict[str, Any]:
    kind = item.get("type")
    if kind == "item_reference" or (kind is None and "role" not in item):
        return item
    kind = kind or "message"
    result = {key: value for key, value in item.items() if value is not None}
    result["type"] = kind
    if "id" not in result:
        result["id"] = new_id(_ID_PREFIXES.get(kind, "item"))
    if kind in ("message", "function_call", "function_call_output"):
        result.setdefault("status", "completed")
    if kind == "message":
        result["content"] = _canonical_content(item["content"], item["role"])
    return result


def _canonical_content(content: str | list[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    kind = "output_text" if role == "assistant" else "input_text"
    if isinstance(content, str):
        part: dict[str, Any] = {"type": kind, "text": content}
        if kind == "output_text":
            part["annotations"] = []
        return [part]
    return [_canonical_part(part) for part in content]


def _canonical_part(part: dict[str, Any]) -> dict[str, Any]:
    result = {key: value for key, value in part.items() if value is not None}
    if part["type"] == "output_text":
        result.setdefault("annotations", [])
    elif part["type"] == "input_image":
        result.setdefault("detail", "auto")
    return result
