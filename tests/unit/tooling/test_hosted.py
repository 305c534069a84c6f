"""Hosted tools as objects; how they are sent is tested with the models."""

from typing import Any

import pytest

from agentkit import UserError, _secrets
from agentkit.tooling import (
    HOSTED_TOOLS,
    AsyncComputer,
    CodeInterpreterTool,
    Computer,
    ComputerTool,
    FileSearchTool,
    FunctionTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    Tool,
    WebSearchTool,
    function_tool,
)

MCP = {"type": "mcp", "server_label": "docs", "server_url": "https://docs.test/mcp"}


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


TOOLS = {
    "code_interpreter": CodeInterpreterTool({"type": "code_interpreter", "container": {"type": "auto"}}),
    "computer": ComputerTool(Screen()),
    "file_search": FileSearchTool(["vs_1"]),
    "hosted_mcp": HostedMCPTool(MCP),
    "image_generation": ImageGenerationTool({"type": "image_generation"}),
    "local_shell": LocalShellTool(lambda request: ""),
    "web_search": WebSearchTool(),
}


def test_each_has_its_name() -> None:
    assert {name: tool.name for name, tool in TOOLS.items()} == {name: name for name in TOOLS}


def test_tool_is_any_of_them_or_a_function_tool() -> None:
    @function_tool
    def look() -> str:
        return ""

    assert all(isinstance(tool, Tool) and isinstance(tool, HOSTED_TOOLS) for tool in TOOLS.values())
    assert isinstance(look, Tool)
    assert isinstance(look, FunctionTool)
    assert not isinstance(look, HOSTED_TOOLS)


def test_a_text_for_a_list_of_stores_is_refused() -> None:
    with pytest.raises(UserError, match=r"got the text 'vs_1' as vector_store_ids. Pass a list: \['vs_1'\]"):
        FileSearchTool("vs_1")  # type: ignore[arg-type]


def test_a_name_for_a_list_of_stores_is_told_to_be_opened() -> None:
    said = r"""text 'handbook' as .* Pass the store, agentkit.VectorStore\('handbook'\), or a list of ids: \["vs_…"\]"""
    with pytest.raises(UserError, match=said):
        FileSearchTool("handbook")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="FileSearchTool can't search int 3. Pass ids of vector stores"):
        FileSearchTool(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"server_url": "https://docs.test/mcp"}, "needs a server_label"),
        ({"server_label": "docs"}, "'docs' names no server. Give it one of server_url, connector_id and tunnel_id"),
    ],
)
def test_an_mcp_server_without_label_or_address_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        HostedMCPTool(config)


def test_keys_for_mcp_servers_are_kept_out_of_what_is_shown() -> None:
    HostedMCPTool(MCP | {"authorization": "oauth-token-7531", "headers": {"Authorization": "Bearer mcp-token-9642"}})
    assert {"oauth-token-7531", "mcp-token-9642"} <= set(_secrets.known())


def test_something_else_as_a_computer_is_refused() -> None:
    with pytest.raises(UserError, match="ComputerTool got str as its computer"):
        ComputerTool("my laptop")  # type: ignore[arg-type]


def test_a_computer_needs_nine_methods_and_may_tell_environment_and_dimensions() -> None:
    methods = {"click", "double_click", "drag", "keypress", "move", "screenshot", "scroll", "type", "wait"}
    assert Computer.__abstractmethods__ == AsyncComputer.__abstractmethods__ == methods
    assert (Screen().environment, Screen().dimensions) == (None, None)
