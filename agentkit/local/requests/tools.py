"""Tools and the choice among them, in the shape of the Responses API; chat requests are brought into it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from agentkit.local.checking import Shape, by_type
from agentkit.local.errors import ApiError, invalid_value
from agentkit.local.requests.schema_rules import check_function_parameters

__all__ = ["FunctionName", "Tool", "ToolChoice", "check_tool_choice", "check_tools", "function_tool"]

FunctionName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")]

_HOSTED = frozenset(
    [
        "apply_patch",
        "code_interpreter",
        "computer",
        "computer_use_preview",
        "custom",
        "file_search",
        "image_generation",
        "local_shell",
        "mcp",
        "namespace",
        "programmatic_tool_calling",
        "shell",
        "tool_search",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    ]
)
"""Tools that OpenAI's own platform has besides functions."""


class FunctionTool(Shape):
    """A function that the model may call."""

    type: Literal["function"]
    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None
    is_async: bool | None = Field(None, alias="async")
    defer_loading: bool | None = None
    output_schema: dict[str, Any] | None = None


class OtherTool(Shape, extra="allow"):
    """A tool of another kind. `check_tools` refuses it by name."""

    type: str


def _tool_tag(value: Any) -> str | None:
    tag = by_type(value)
    return "<other>" if tag not in (None, "<function>") else tag


Tool = Annotated[
    Annotated[FunctionTool, Tag("<function>")] | Annotated[OtherTool, Tag("<other>")], Discriminator(_tool_tag)
]


class FunctionChoice(Shape):
    """This function has to be called."""

    type: Literal["function"]
    name: str


class AllowedTools(Shape):
    """Only these of the tools may be called."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]] = Field(min_length=1)


class OtherChoice(Shape, extra="allow"):
    """A tool of another kind has to be called. `check_tool_choice` refuses it by name."""

    type: str


def _choice_tag(value: Any) -> str | None:
    if isinstance(value, str):
        return "<word>"
    tag = by_type(value)
    return tag if tag in (None, "<function>", "<allowed_tools>") else "<other>"


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<word>")]
    | Annotated[FunctionChoice, Tag("<function>")]
    | Annotated[AllowedTools, Tag("<allowed_tools>")]
    | Annotated[OtherChoice, Tag("<other>")],
    Discriminator(_choice_tag),
]


def function_tool(tool: dict[str, Any]) -> dict[str, Any]:
    """Return a function tool with the keys that the answer repeats."""
    defaults = {"type": "function", "description": None, "parameters": None, "strict": True}
    return {**defaults, **{key: value for key, value in tool.items() if value is not None}}


def check_tools(tools: list[dict[str, Any]], *, param: str = "tools", nested: bool = False) -> None:
    """Check what the shape alone can't say of the tools.

    Args:
        tools: Function tools, flat; or of other kinds.
        param: Where they stand in the request.
        nested: Whether the functions stand below a key `function`, as in a chat request.

    Raises:
        ApiError: A tool is not on offer, a schema isn't usable, or two tools share a name.
    """
    names: set[str] = set()
    for index, tool in enumerate(tools):
        place = f"{param}[{index}]"
        if tool["type"] != "function":
            raise _no_such_tool(tool["type"], f"{place}.type")
        place = f"{place}.function" if nested else place
        if tool["name"] in names:
            raise ApiError(f"Duplicate tool name: '{tool['name']}'.", param=f"{place}.name", code="invalid_value")
        names.add(tool["name"])
        check_function_parameters(tool, f"{place}.parameters")


def check_tool_choice(choice: str | dict[str, Any], tools: list[dict[str, Any]]) -> None:
    """Check that the tools that a choice names are there.

    Raises:
        ApiError: They are not.
    """
    names = [tool["name"] for tool in tools]
    if isinstance(choice, str):
        if choice == "required" and not tools:
            message = "Tool choice 'required' must be specified with 'tools' parameter."
            raise ApiError(message, param="tool_choice", code="invalid_value")
    elif choice["type"] == "function":
        _check_named(choice["name"], names)
    elif choice["type"] == "allowed_tools":
        for index, tool in enumerate(choice["tools"]):
            if tool.get("type") != "function":
                raise _no_such_tool(tool.get("type"), f"tool_choice.tools[{index}].type")
            _check_named(tool.get("name"), names)
    else:
        raise _no_such_tool(choice["type"], "tool_choice.type", ["function", "allowed_tools"])


def _check_named(name: object, names: list[str]) -> None:
    if name not in names:
        message = f"Tool choice '{name}' not found in 'tools' parameter."
        raise ApiError(message, param="tool_choice", code="invalid_value")


def _no_such_tool(kind: object, param: str, supported: list[str] | None = None) -> ApiError:
    if kind not in _HOSTED:
        return invalid_value(kind, param, supported or ["function"])
    message = (
        f"The tool '{kind}' is not available on the embedded platform, which offers function tools only. "
        "Leave it out, or connect to a platform that has it."
    )
    return ApiError(message, param=param, code="unsupported_tool")
