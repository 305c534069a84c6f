"""Tools and the choice among them, in the shape of the Responses API; chat requests are brought into it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from agentkit.local.checking import Shape, by_type
from agentkit.local.errors import ApiError, invalid_value
from agentkit.local.requests.schema_rules import check_function_parameters
from agentkit.local.vector_stores.asked_filters import read_filter
from agentkit.local.vector_stores.requests import RankingOptions, check_weights

__all__ = ["FunctionName", "Tool", "ToolChoice", "check_tool_choice", "check_tools", "tool_with_defaults"]

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


class FileSearchTool(Shape):
    """Search in vector stores, done by the platform."""

    type: Literal["file_search"]
    vector_store_ids: list[str] = Field(min_length=1)
    filters: dict[str, Any] | None = None
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None = None
    ranking_options: RankingOptions | None = None


class OtherTool(Shape, extra="allow"):
    """A tool of another kind. `check_tools` refuses it by name."""

    type: str


def _tool_tag(value: Any) -> str | None:
    tag = by_type(value)
    return "<other>" if tag not in (None, "<function>", "<file_search>") else tag


Tool = Annotated[
    Annotated[FunctionTool, Tag("<function>")]
    | Annotated[FileSearchTool, Tag("<file_search>")]
    | Annotated[OtherTool, Tag("<other>")],
    Discriminator(_tool_tag),
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


class FileSearchChoice(Shape):
    """The files have to be searched."""

    type: Literal["file_search"]


class OtherChoice(Shape, extra="allow"):
    """A tool of another kind has to be called. `check_tool_choice` refuses it by name."""

    type: str


def _choice_tag(value: Any) -> str | None:
    if isinstance(value, str):
        return "<word>"
    tag = by_type(value)
    return tag if tag in (None, "<function>", "<file_search>", "<allowed_tools>") else "<other>"


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<word>")]
    | Annotated[FunctionChoice, Tag("<function>")]
    | Annotated[FileSearchChoice, Tag("<file_search>")]
    | Annotated[AllowedTools, Tag("<allowed_tools>")]
    | Annotated[OtherChoice, Tag("<other>")],
    Discriminator(_choice_tag),
]


def tool_with_defaults(tool: dict[str, Any]) -> dict[str, Any]:
    """Return a tool with the keys that the answer repeats."""
    given = {key: value for key, value in tool.items() if value is not None}
    if tool["type"] == "file_search":
        ranking = {"ranker": "auto", "score_threshold": 0.0, **given.pop("ranking_options", {})}
        ranking = {key: value for key, value in ranking.items() if value is not None}
        return {"type": "file_search", "filters": None, "max_num_results": 20, "ranking_options": ranking, **given}
    return {"type": "function", "description": None, "parameters": None, "strict": True, **given}


def check_tools(tools: list[dict[str, Any]], *, param: str = "tools", nested: bool = False) -> None:
    """Check what the shape alone can't say of the tools.

    Args:
        tools: Function tools, flat; file search; or of other kinds.
        param: Where they stand in the request.
        nested: Whether the functions stand below a key `function`, as in a chat request; such a request has function
            tools alone.

    Raises:
        ApiError: A tool is not on offer, a schema or filter isn't usable, or two tools share a name.
    """
    names: set[str] = set()
    for index, tool in enumerate(tools):
        place = f"{param}[{index}]"
        if tool["type"] == "file_search" and not nested:
            _check_file_search(tool, place, names)
            continue
        if tool["type"] != "function":
            raise _no_such_tool(tool["type"], f"{place}.type", offered=("function",) if nested else _OFFERED)
        place = f"{place}.function" if nested else place
        if tool["name"] in names:
            raise ApiError(f"Duplicate tool name: '{tool['name']}'.", param=f"{place}.name", code="invalid_value")
        names.add(tool["name"])
        check_function_parameters(tool, f"{place}.parameters")


_OFFERED = ("function", "file_search")


def _check_file_search(tool: dict[str, Any], place: str, names: set[str]) -> None:
    if " file_search" in names:  # no function can have this name
        message = "Duplicate tool: 'file_search'. Give one with all 'vector_store_ids'."
        raise ApiError(message, param=place, code="invalid_value")
    names.add(" file_search")
    if tool.get("filters") is not None:
        read_filter(tool["filters"], f"{place}.filters")
    check_weights(tool.get("ranking_options"), f"{place}.ranking_options")


def check_tool_choice(choice: str | dict[str, Any], tools: list[dict[str, Any]]) -> None:
    """Check that the tools that a choice names are there.

    Raises:
        ApiError: They are not.
    """
    names = [tool["name"] for tool in tools if "name" in tool]
    searches = any(tool["type"] == "file_search" for tool in tools)
    if isinstance(choice, str):
        if choice == "required" and not tools:
            message = "Tool choice 'required' must be specified with 'tools' parameter."
            raise ApiError(message, param="tool_choice", code="invalid_value")
    elif choice["type"] == "function":
        _check_named(choice["name"], names)
    elif choice["type"] == "file_search":
        _check_named("file_search", ["file_search"] if searches else [])
    elif choice["type"] == "allowed_tools":
        for index, tool in enumerate(choice["tools"]):
            if tool.get("type") == "file_search":
                _check_named("file_search", ["file_search"] if searches else [])
            elif tool.get("type") == "function":
                _check_named(tool.get("name"), names)
            else:
                raise _no_such_tool(tool.get("type"), f"tool_choice.tools[{index}].type")
    else:
        raise _no_such_tool(choice["type"], "tool_choice.type", [*_OFFERED, "allowed_tools"])


def _check_named(name: object, names: list[str]) -> None:
    if name not in names:
        message = f"Tool choice '{name}' not found in 'tools' parameter."
        raise ApiError(message, param="tool_choice", code="invalid_value")


def _no_such_tool(
    kind: object, param: str, supported: list[str] | None = None, *, offered: tuple[str, ...] = _OFFERED
) -> ApiError:
    if kind not in _HOSTED:
        return invalid_value(kind, param, supported or offered)
    what = "function tools and file_search" if "file_search" in offered else "function tools only"
    if kind == "file_search":
        what = f"{what} in chat completions: files are searched through /v1/responses"
    message = (
        f"The tool '{kind}' is not available on the embedded platform, which offers {what}. "
        "Leave it out, or connect to a platform that has it."
    )
    return ApiError(message, param=param, code="unsupported_tool")
