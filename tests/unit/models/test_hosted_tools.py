"""Hosted tools on the wire."""

from typing import Any

import pytest
from openai.types.responses import ToolParam
from openai.types.shared_params import ComparisonFilter
from pydantic import TypeAdapter

from agentkit import Agent, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, UserError, function_tool
from agentkit.models import MCPToolChoice
from agentkit.runtime.handoffs import handoff
from agentkit.tooling import (
    CodeInterpreterTool,
    Computer,
    ComputerTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    WebSearchTool,
)

from .conftest import RESPONSE, Wire, ask, ask_streamed

MCP = {"server_label": "docs", "server_url": "https://docs.test/mcp"}


class Screen(Computer):
    def screenshot(self) -> str:
        return "AA=="

    def click(self, x: int, y: int, button: Any) -> None: ...
    def double_click(self, x: int, y: int) -> None: ...
    def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None: ...
    def type(self, text: str) -> None: ...
    def wait(self) -> None: ...
    def move(self, x: int, y: int) -> None: ...
    def keypress(self, keys: list[str]) -> None: ...
    def drag(self, path: list[tuple[int, int]]) -> None: ...


TOOLS: dict[str, Any] = {
    "code_interpreter": CodeInterpreterTool(),
    "computer": ComputerTool(Screen()),
    "file_search": FileSearchTool(["vs_1"]),
    "hosted_mcp": HostedMCPTool(MCP),
    "image_generation": ImageGenerationTool(),
    "local_shell": LocalShellTool(lambda request: ""),
    "web_search": WebSearchTool(),
}

FILTER: ComparisonFilter = {"type": "eq", "key": "year", "value": 2026}


class Browser(Screen):
    @property
    def environment(self) -> Any:
        return "browser"

    @property
    def dimensions(self) -> tuple[int, int]:
        return (1440, 900)


async def sent(wire: Wire, model: str = "gpt-6-astra", **fields: Any) -> Any:
    wire.json(RESPONSE)
    await ask(OpenAIResponsesModel(model, wire.client()), **fields)
    return wire.body()


@pytest.mark.parametrize(
    ("tool", "shape"),
    [
        (WebSearchTool(), {"type": "web_search", "search_context_size": "medium"}),
        (
            WebSearchTool(
                user_location={"type": "approximate", "country": "NO", "city": "Oslo"},
                filters={"allowed_domains": ["who.int"]},
                search_context_size="low",
                external_web_access=False,
            ),
            {
                "type": "web_search",
                "user_location": {"type": "approximate", "country": "NO", "city": "Oslo"},
                "filters": {"allowed_domains": ["who.int"]},
                "search_context_size": "low",
                "external_web_access": False,
            },
        ),
        (FileSearchTool(["vs_1"]), {"type": "file_search", "vector_store_ids": ["vs_1"]}),
        (
            FileSearchTool(
                ["vs_1", "vs_2"], 3, True, {"ranker": "auto", "score_threshold": 0.5}, filters=FILTER
            ),
            {
                "type": "file_search",
                "vector_store_ids": ["vs_1", "vs_2"],
                "max_num_results": 3,
                "ranking_options": {"ranker": "auto", "score_threshold": 0.5},
                "filters": {"type": "eq", "key": "year", "value": 2026},
            },
        ),
        (CodeInterpreterTool(), {"type": "code_interpreter", "container": {"type": "auto"}}),
        (
            CodeInterpreterTool({"type": "code_interpreter", "container": "cntr_1"}),
            {"type": "code_interpreter", "container": "cntr_1"},
        ),
        (ImageGenerationTool({"size": "1024x1024"}), {"type": "image_generation", "size": "1024x1024"}),
        (
            HostedMCPTool(MCP | {"require_approval": "never", "allowed_tools": ["ask"]}),
            {
                "type": "mcp",
                "server_label": "docs",
                "server_url": "https://docs.test/mcp",
                "require_approval": "never",
                "allowed_tools": ["ask"],
            },
        ),
        (ComputerTool(Browser()), {"type": "computer"}),
        (LocalShellTool(lambda request: ""), {"type": "local_shell"}),
    ],
)  # fmt: skip
async def test_each_is_sent_in_todays_shape(wire: Wire, tool: Any, shape: dict[str, Any]) -> None:
    body = await sent(wire, tools=[tool])
    assert body["tools"] == [shape]
    TypeAdapter(ToolParam).validate_python(body["tools"][0])


async def test_the_computer_of_the_preview_model_has_the_shape_of_its_time(wire: Wire) -> None:
    body = await sent(wire, "computer-use-preview", tools=[ComputerTool(Browser())])
    assert body["tools"] == [
        {"type": "computer_use_preview", "environment": "browser", "display_width": 1440, "display_height": 900}
    ]
    with pytest.raises(UserError, match="computer-use-preview needs to know the computer's environment and dimensions"):
        await sent(wire, "computer-use-preview", tools=[ComputerTool(Screen())])


async def test_hosted_and_function_tools_and_handoffs_go_together(wire: Wire) -> None:
    @function_tool
    def look(place: str) -> str:
        """Look."""
        return place

    body = await sent(
        wire, tools=[WebSearchTool(), look, FileSearchTool(["vs_1"])], handoffs=[handoff(Agent(name="b"))]
    )
    assert [tool.get("name", tool["type"]) for tool in body["tools"]] == [
        "web_search",
        "look",
        "file_search",
        "transfer_to_b",
    ]


async def test_passages_that_are_wanted_are_asked_for_once(wire: Wire) -> None:
    tools = [FileSearchTool(["vs_1"], include_search_results=True)]
    settings = ModelSettings(response_include=["reasoning.encrypted_content", "file_search_call.results"])
    assert (await sent(wire, tools=tools))["include"] == ["file_search_call.results"]
    assert (await sent(wire, tools=tools, model_settings=settings))["include"] == [
        "reasoning.encrypted_content",
        "file_search_call.results",
    ]
    assert "include" not in await sent(wire, tools=[FileSearchTool(["vs_1"])])


def only(*tools: dict[str, Any]) -> dict[str, Any]:
    return {"type": "allowed_tools", "mode": "required", "tools": list(tools)}


DOCS = {"type": "mcp", "server_label": "docs"}


@pytest.mark.parametrize(
    ("choice", "shape"),
    [
        ("file_search", {"type": "file_search"}),
        ("code_interpreter", {"type": "code_interpreter"}),
        ("image_generation", {"type": "image_generation"}),
        ("computer", {"type": "computer"}),
        ("computer_use", {"type": "computer"}),
        ("computer_use_preview", {"type": "computer"}),
        ("web_search", only({"type": "web_search"})),
        ("web_search_preview", only({"type": "web_search"})),
        ("local_shell", only({"type": "local_shell"})),
        ("mcp", DOCS),
        ("hosted_mcp", DOCS),
        (MCPToolChoice("docs", "ask"), DOCS | {"name": "ask"}),
        (MCPToolChoice("docs"), DOCS),
        ({"type": "custom", "name": "x"}, {"type": "custom", "name": "x"}),
        ("required", "required"),
        ("look", {"type": "function", "name": "look"}),
    ],
)
async def test_tool_choice_may_name_a_hosted_tool(wire: Wire, choice: Any, shape: Any) -> None:
    body = await sent(wire, tools=list(TOOLS.values()), model_settings=ModelSettings(tool_choice=choice))
    assert body["tool_choice"] == shape


async def test_a_function_of_that_name_comes_first(wire: Wire) -> None:
    @function_tool
    def web_search(query: str) -> str:
        """Search."""
        return query

    settings = ModelSettings(tool_choice="web_search")
    body = await sent(wire, tools=[web_search], model_settings=settings)
    assert body["tool_choice"] == {"type": "function", "name": "web_search"}


async def test_the_preview_models_computer_is_chosen_by_its_older_name(wire: Wire) -> None:
    settings = ModelSettings(tool_choice="computer")
    body = await sent(wire, "computer-use-preview", tools=[ComputerTool(Browser())], model_settings=settings)
    assert body["tool_choice"] == {"type": "computer_use_preview"}


async def test_of_several_mcp_servers_any_may_be_chosen(wire: Wire) -> None:
    tools = [HostedMCPTool(MCP), HostedMCPTool(MCP | {"server_label": "news"})]
    body = await sent(wire, tools=tools, model_settings=ModelSettings(tool_choice="hosted_mcp"))
    assert body["tool_choice"] == only(DOCS, {"type": "mcp", "server_label": "news"})
    with pytest.raises(UserError, match="the agent has no HostedMCPTool"):
        await sent(wire, model_settings=ModelSettings(tool_choice="mcp"))


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("name", sorted(TOOLS))
async def test_chat_completions_refuses_each_before_it_asks(wire: Wire, name: str, streamed: bool) -> None:
    model = OpenAIChatCompletionsModel("m1", wire.client())
    kind = type(TOOLS[name]).__name__
    with pytest.raises(UserError, match=f"OpenAIChatCompletionsModel can't carry the tool '{name}' of type {kind}"):
        await (ask_streamed if streamed else ask)(model, tools=[TOOLS[name]])
    assert wire.requests == []


async def test_chat_completions_refuses_to_choose_an_mcp_server(wire: Wire) -> None:
    settings = ModelSettings(tool_choice=MCPToolChoice("docs"))
    with pytest.raises(UserError, match="OpenAIChatCompletionsModel can't carry tool_choice=MCPToolChoice"):
        await ask(OpenAIChatCompletionsModel("m1", wire.client()), model_settings=settings)
