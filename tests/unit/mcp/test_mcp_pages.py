"""Lists that a server sends in pages."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Tool
from mcp_types import ListPromptsResult, ListToolsResult, Prompt, PromptsCapability, ServerCapabilities, ToolsCapability

from agentkit.mcp.failures import RequestFailed
from agentkit.mcp.pages import all_prompts, all_tools


class Session:
    """Answers with pages of one thing each: `after` is what each cursor leads to."""

    def __init__(self, after: dict[str | None, str | None], **capabilities: Any) -> None:
        self.after = after
        self.asked: list[str | None] = []
        self.server_capabilities = ServerCapabilities(**capabilities)

    async def list_tools(self, params: Any) -> ListToolsResult:
        cursor = self.turn(params)
        return ListToolsResult(tools=[Tool(name=f"after-{cursor}", input_schema={})], next_cursor=self.after[cursor])

    async def list_prompts(self, params: Any) -> ListPromptsResult:
        cursor = self.turn(params)
        return ListPromptsResult(prompts=[Prompt(name=f"after-{cursor}")], next_cursor=self.after[cursor])

    def turn(self, params: Any) -> str | None:
        self.asked.append(None if params is None else params.cursor)
        return self.asked[-1]


def of_tools(after: dict[str | None, str | None]) -> Any:
    return Session(after, tools=ToolsCapability())


async def test_all_pages_are_asked_for() -> None:
    tools = await all_tools(of_tools({None: "1", "1": "2", "2": None}), None)
    prompts = await all_prompts(Session({None: "1", "1": None}, prompts=PromptsCapability()), None)  # type: ignore[arg-type]
    assert [tool.name for tool in tools] == ["after-None", "after-1", "after-2"]
    assert [prompt.name for prompt in prompts.prompts] == ["after-None", "after-1"]


async def test_a_server_that_repeats_itself_comes_to_an_end() -> None:
    session = of_tools({None: "1", "1": "2", "2": "1"})
    await all_tools(session, None)
    assert session.asked == [None, "1", "2"]


async def test_more_pages_than_allowed_are_an_error_and_as_many_are_none() -> None:
    assert len(await all_tools(of_tools({None: "1", "1": None}), 2)) == 2
    with pytest.raises(RequestFailed, match="has more than 2 pages of tools"):
        await all_tools(of_tools({None: "1", "1": "2", "2": None}), 2)


async def test_a_server_that_knows_of_no_tools_and_prompts_is_not_asked() -> None:
    session: Any = Session({})
    assert (await all_tools(session, None), (await all_prompts(session, None)).prompts) == ([], [])
    assert session.asked == []
