"""Tools of every temper, and what calls them: for generated runs."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import functools
import json
from typing import Any

from pydantic import BaseModel

from agentkit import (
    Computer,
    ComputerTool,
    FunctionTool,
    HostedMCPTool,
    LocalShellTool,
    Tool,
    ToolContext,
    ToolGuardrailFunctionOutput,
    ToolOutputFileContent,
    ToolOutputImage,
    ToolOutputText,
    WebSearchTool,
    function_tool,
    tool_input_guardrail,
    tool_output_guardrail,
)

__all__ = ["GOOD_ARGUMENTS", "NO_JSON", "VALUES", "Untellable", "hosted_tools", "plain_tools"]


class Untellable:
    """Something that can't be made into text."""

    def __str__(self) -> str:
        raise LookupError("no text")

    __repr__ = __str__


class Point(BaseModel):
    x: int = 1


@dataclasses.dataclass
class Pair:
    left: str = "l"
    right: float = float("nan")


VALUES: dict[str, Any] = {
    "none": None,
    "empty": "",
    "no_text": "\ud800",
    "nul": "a\x00b",
    "bytes": b"\xff",
    "nan": float("nan"),
    "huge": 10**5000,
    "list": [1, [2, {"three": None}]],
    "dict": {"type": "text", "no": "part"},
    "part": ToolOutputText(text="t"),
    "parts": [{"type": "text", "text": "one"}, ToolOutputImage(image_url="https://example.com/a.png")],
    "file": ToolOutputFileContent(file_id="file_1"),
    "mixed": [ToolOutputText(text="t"), 1],
    "model": Point(),
    "pair": Pair(),
    "error": ValueError("returned, not raised"),
    "type": int,
    "set": {1},
    "time": datetime.datetime(2026, 1, 1),
    "untellable": Untellable(),
    "untellables": [Untellable()],
}
"""What a tool may return."""

NO_JSON = ("bytes", "nan", "part", "parts", "file", "mixed", "model", "pair", "error", "type", "set", "time")
"""Those that JSON can't hold."""

GOOD_ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "add": [{"a": 1, "b": 2}],
    "now": [{}],
    "give": [{"what": what} for what in VALUES],
    "fail": [{}],
    "insist": [{}],
    "cancelled": [{}],
    "quit": [{}],
    "delete": [{"name": "x"}, {"name": "y"}],
    "spend": [{"dollars": 1}, {"dollars": 100}],
    "guarded": [{"number": number} for number in range(5)],
    "late": [{}],
    "too_late": [{}],
    "by_hand": [{}, {"fail": True}],
    "hidden": [{}],
    "ask_helper": [{"input": "help"}],
}
"""Tools by name, with arguments that fit."""


@tool_input_guardrail
def looks_before(data: Any) -> ToolGuardrailFunctionOutput:
    number = json.loads(data.context.tool_arguments).get("number") if "number" in data.context.tool_arguments else 0
    if number == 1:
        return ToolGuardrailFunctionOutput.reject_content("not one")
    return ToolGuardrailFunctionOutput.raise_exception() if number == 2 else ToolGuardrailFunctionOutput.allow()


@tool_output_guardrail
async def looks_after(data: Any) -> ToolGuardrailFunctionOutput:
    if data.output == 3:
        return ToolGuardrailFunctionOutput.reject_content("no three")
    return ToolGuardrailFunctionOutput.raise_exception() if data.output == 4 else ToolGuardrailFunctionOutput.allow()


@functools.cache
def plain_tools() -> tuple[Tool, ...]:
    """Return a tool of each temper. They hold nothing of a run."""

    @function_tool
    async def add(a: int, b: int) -> int:
        await asyncio.sleep(0)
        return a + b

    @function_tool
    def now() -> str:
        return "noon"

    @function_tool
    async def give(what: str) -> Any:
        return VALUES[what]

    @function_tool
    def fail() -> str:
        raise ValueError("it broke")

    @function_tool(failure_error_function=None)
    async def insist() -> str:
        raise ValueError("it broke, and insists")

    @function_tool
    async def cancelled() -> str:
        raise asyncio.CancelledError

    @function_tool
    async def quit() -> str:  # noqa: A001 (the name for the model)
        raise SystemExit(3)

    @function_tool(needs_approval=True)
    async def delete(name: str) -> str:
        return f"{name} is gone"

    @function_tool(needs_approval=lambda context, arguments, call_id: arguments.get("dollars", 0) > 10)
    def spend(dollars: int) -> str:
        return f"{dollars} spent"

    @function_tool(tool_input_guardrails=[looks_before], tool_output_guardrails=[looks_after])
    async def guarded(number: int) -> int:
        return number

    @function_tool(timeout=0.0001)
    async def late() -> str:
        await asyncio.Event().wait()
        return "never"

    @function_tool(timeout=0.0001, timeout_behavior="raise_exception")
    async def too_late() -> str:
        await asyncio.Event().wait()
        return "never"

    @function_tool(is_enabled=False)
    async def hidden() -> str:
        return "not to be called"

    return (
        add, now, give, fail, insist, cancelled, quit, delete, spend, guarded, late, too_late, hidden, _by_hand(),
    )  # fmt: skip


def _by_hand() -> FunctionTool:
    async def invoke(context: ToolContext[Any], arguments: str) -> Any:
        if "fail" in arguments:
            raise KeyError("by hand")
        return arguments

    return FunctionTool("by_hand", "", {"type": "object", "properties": {}}, invoke, strict_json_schema=False)


class Screen(Computer):
    """A computer without one."""

    def screenshot(self) -> str:
        return "cGljdHVyZQ=="

    def _nothing(self, *args: Any, **kwargs: Any) -> None:
        return None

    click = double_click = scroll = type = wait = move = keypress = drag = _nothing  # type: ignore[assignment]


def hosted_tools(decide: bool | None) -> list[Tool]:
    """Return hosted tools.

    Args:
        decide: What is decided of a hosted MCP server's calls; None to leave it to a person.
    """
    return [
        WebSearchTool(),
        ComputerTool(Screen()),
        LocalShellTool(executor=lambda request: "ran"),
        HostedMCPTool(
            {"server_label": "docs", "server_url": "https://example.com"},
            on_approval_request=None if decide is None else lambda request: {"approve": bool(decide)},
        ),
    ]
