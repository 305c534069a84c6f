"""Hosted tools whose calls come through here: MCP approvals, computers, shells."""

from typing import Any

import pytest

from agentkit import (
    Agent,
    AsyncComputer,
    ComputerTool,
    HostedMCPTool,
    LocalShellTool,
    ModelBehaviorError,
    RunHooks,
    Runner,
    RunState,
    UserError,
)
from agentkit.testing import ScriptedModel

REQUEST = {
    "type": "mcp_approval_request", "id": "mcpr_1", "server_label": "docs", "name": "search", "arguments": '{"q":"x"}',
}  # fmt: skip
SERVER = {"type": "mcp", "server_label": "docs", "server_url": "https://docs.example/mcp"}


def agent(model: ScriptedModel, **options: Any) -> Agent[Any]:
    return Agent(name="a", model=model, tools=[HostedMCPTool(tool_config=SERVER, **options)])


async def test_a_hosted_mcp_call_waits_for_approval_and_the_answer_goes_back() -> None:
    model = ScriptedModel([REQUEST], "Found.")
    result = await Runner.run(agent(model), "Search")
    assert [(i.name, i.call_id, i.arguments) for i in result.interruptions] == [("search", "mcpr_1", '{"q":"x"}')]
    again = agent(model)
    state = await RunState.from_json(again, result.to_state().to_json())
    state.approve(state.get_interruptions()[0])
    done = await Runner.run(again, state)
    assert done.final_output == "Found."
    assert [item.type for item in done.new_items] == [
        "mcp_approval_request_item", "mcp_approval_response_item", "message_output_item",
    ]  # fmt: skip
    assert done.new_items[1].raw == {
        "type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True,
    }  # fmt: skip


async def test_always_holds_for_one_server_only() -> None:
    other = {**REQUEST, "id": "mcpr_2", "server_label": "mail"}
    asker = agent(ScriptedModel([REQUEST], [{**REQUEST, "id": "mcpr_3"}], [other], "Done."))
    state = (await Runner.run(asker, "Search")).to_state()
    state.approve(state.get_interruptions()[0], always_approve=True)
    result = await Runner.run(asker, state)
    assert [item.call_id for item in result.interruptions] == ["mcpr_2"]


async def test_a_rejected_hosted_mcp_call_says_why() -> None:
    asker = agent(ScriptedModel([REQUEST], "All right."))
    state = (await Runner.run(asker, "Search")).to_state()
    state.reject(state.get_interruptions()[0], rejection_message="Not now.")
    done = await Runner.run(asker, state)
    assert (done.new_items[1].raw["approve"], done.new_items[1].raw["reason"]) == (False, "Not now.")


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_callback_decides_in_place_of_a_person(kind: str) -> None:
    asked = []

    def now(request: Any) -> Any:
        asked.append((request.ctx_wrapper.context, request.data.name))
        return {"approve": False, "reason": "policy"}

    async def later(request: Any) -> Any:
        return now(request)

    asker = agent(ScriptedModel([REQUEST], "Done."), on_approval_request=now if kind == "sync" else later)
    stream = Runner.run_streamed(asker, "Search", context="mine")
    names = [event.name async for event in stream.stream_events() if event.type == "run_item_stream_event"]
    assert names == ["mcp_approval_requested", "mcp_approval_response", "message_output_created"]
    assert asked == [("mine", "search")]
    assert stream.new_items[1].raw["reason"] == "policy"


async def test_a_callback_that_answers_otherwise_is_refused() -> None:
    asker = agent(ScriptedModel([REQUEST]), on_approval_request=lambda request: True)
    with pytest.raises(UserError, match="on_approval_request of 'docs' returned True. Return"):
        await Runner.run(asker, "Search")


class Screen(AsyncComputer):
    def __init__(self) -> None:
        self.done: list[Any] = []

    async def screenshot(self) -> str:
        return "iVBORw0="

    async def click(self, x: int, y: int, button: Any) -> None:
        self.done.append(("click", x, y, button))

    async def double_click(self, x: int, y: int) -> None: ...

    async def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None: ...

    async def type(self, text: str) -> None:
        self.done.append(("type", text))

    async def wait(self) -> None: ...

    async def move(self, x: int, y: int) -> None: ...

    async def keypress(self, keys: list[str]) -> None: ...

    async def drag(self, path: list[tuple[int, int]]) -> None: ...


async def test_a_computers_actions_come_one_after_another_between_the_hooks() -> None:
    screen, seen = Screen(), []

    class Hooks(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            seen.append(("start", tool.name, list(screen.done)))

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
            seen.append(("end", result["type"], list(screen.done)))

    call = {
        "type": "computer_call", "id": "cc_1", "call_id": "call_c", "status": "completed", "pending_safety_checks": [],
        "actions": [{"type": "click", "x": 1, "y": 2, "button": "left"}, {"type": "type", "text": "hi"}],
    }  # fmt: skip
    user = Agent(name="a", model=ScriptedModel([call], "Typed."), tools=[ComputerTool(computer=screen)])
    result = await Runner.run(user, "Type hi", hooks=Hooks())
    assert screen.done == [("click", 1, 2, "left"), ("type", "hi")]
    output = result.new_items[1].raw
    assert (output["type"], output["call_id"]) == ("computer_call_output", "call_c")
    assert output["output"]["image_url"] == "data:image/png;base64,iVBORw0="
    assert seen == [("start", "computer", []), ("end", "computer_screenshot", screen.done)]


async def test_a_shell_command_is_answered_with_what_it_wrote() -> None:
    call = {
        "type": "local_shell_call", "id": "ls_1", "call_id": "call_s", "status": "completed",
        "action": {"type": "exec", "command": ["ls"], "env": {}},
    }  # fmt: skip
    shell = LocalShellTool(executor=lambda request: f"ran {request.data.action.command}")
    result = await Runner.run(Agent(name="a", model=ScriptedModel([call], "Done."), tools=[shell]), "List")
    assert result.new_items[1].raw["output"] == "ran ['ls']"


async def test_a_call_of_a_computer_that_is_not_there_stops_the_run_with_a_valid_history() -> None:
    call = {"type": "computer_call", "id": "cc_1", "call_id": "call_c", "actions": [], "pending_safety_checks": []}
    with pytest.raises(ModelBehaviorError, match="sent a computer_call, but agent 'a' has no such tool") as caught:
        await Runner.run(Agent(name="a", model=ScriptedModel([call])), "Go")
    assert caught.value.run_data is not None
    assert [item["type"] for item in caught.value.run_data.to_input_list()[1:]] == [
        "computer_call", "computer_call_output",
    ]  # fmt: skip
