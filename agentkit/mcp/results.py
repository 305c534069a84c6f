"""What an MCP tool answered, as the model gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.tooling import ToolOutputFileContent, ToolOutputImage, ToolOutputText

if TYPE_CHECKING:
    from mcp_types import CallToolResult

__all__ = ["output_of", "text_of"]

Part = ToolOutputText | ToolOutputImage | ToolOutputFileContent


def output_of(result: CallToolResult, *, structured: bool) -> str | list[Part]:
    """Return a tool's result for the model: text, or parts where there is more than one, or an image.

    Args:
        result: What the server answered.
        structured: Whether its structured content, where there is one, takes the place of the rest.
    """
    if result.structured_content is not None and (structured or not result.content):
        return _json.dumps(result.structured_content).decode()
    parts = [_part(block) for block in result.content]
    if len(parts) == 1 and isinstance(parts[0], ToolOutputText):
        return parts[0].text
    return parts or ""


def text_of(result: CallToolResult) -> str:
    """Return the texts of a result, for an error message."""
    parts = [part.text for part in map(_part, result.content) if isinstance(part, ToolOutputText)]
    return "\n".join(parts) or "it doesn't say why"


def _part(block: Any) -> Part:  # one of the kinds of content that the protocol knows, now or later
    if block.type == "text":
        return ToolOutputText(text=block.text)
    if block.type == "image":
        return ToolOutputImage(image_url=f"data:{block.mime_type};base64,{block.data}")
    if block.type == "audio":
        return _left_out("Audio", block.mime_type, block.data)
    if block.type == "resource":
        return _resource(block.resource)
    return ToolOutputText(text=block.model_dump_json(by_alias=True, exclude_none=True))


def _resource(resource: Any) -> Part:
    text, blob = getattr(resource, "text", None), getattr(resource, "blob", None)
    if text is not None:
        return ToolOutputText(text=text)
    kind, uri = resource.mime_type or "application/octet-stream", str(resource.uri)
    if kind.startswith("image/"):
        return ToolOutputImage(image_url=f"data:{kind};base64,{blob}")
    if kind == "application/pdf":
        name = uri.rstrip("/").rpartition("/")[2] or "resource.pdf"
        return ToolOutputFileContent(file_data=f"data:{kind};base64,{blob}", filename=name)
    return _left_out(uri, kind, blob)


def _left_out(what: str, kind: str, data: str | None) -> ToolOutputText:
    """Say what came: as text, its base64 would fill the conversation and tell the model nothing."""
    return ToolOutputText(text=f"[{what}: {kind}, {len(data or '') * 3 // 4:,} bytes, not shown]")
