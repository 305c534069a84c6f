"""What a model asks of a computer is done in order, and answered with a screenshot."""

import asyncio
import threading
from typing import Any

import pytest

from agentkit import ModelBehaviorError, RunContextWrapper, ToolCallError, UserError
from agentkit.runtime.computer_actions import computer_call_output
from agentkit.runtime.local_shell import local_shell_call_output
from agentkit.tooling import (
    AsyncComputer,
    Computer,
    ComputerTool,
    ComputerToolSafetyCheckData,
    LocalShellCommandRequest,
    LocalShellTool,
)

CONTEXT = RunContextWrapper[Any](context="mine")


class Recorder(Computer):
    """Notes what it is told, and on which thread."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.threads: set[int] = set()

    def note(self, *what: Any) -> None:
        self.threads.add(threading.get_ident())
        self.done.append(what)

    def screenshot(self) -> str:
        self.note("screenshot")
        return "iVBORw0="

    def click(self, x: int, y: int, button: Any, keys: list[str] | None = None) -> None:
        self.note("click", x, y, button, keys)

    def double_click(self, x: int, y: int) -> None:
        self.note("double_click", x, y)

    def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None:
        self.note("scroll", x, y, scroll_x, scroll_y)

    def type(self, text: str) -> None:
        self.note("type", text)

    def wait(self) -> None:
        self.note("wait")

    def move(self, x: int, y: int) -> None:
        self.note("move", x, y)

    def keypress(self, keys: list[str]) -> None:
        self.note("keypress", keys)

    def drag(self, path: list[tuple[int, int]]) -> None:
        self.note("drag", path)


class AsyncRecorder(AsyncComputer):
    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    async def note(self, *what: Any) -> None:
        await asyncio.sleep(0)
        self.done.append(what)

    async def screenshot(self) -> str:
        await self.note("screenshot")
        return "data:image/jpeg;base64,/9j="

    async def click(self, x: int, y: int, button: Any) -> None:
        await self.note("click", x, y, button)

    async def double_click(self, x: int, y: int) -> None:
        await self.note("double_click", x, y)

    async def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None:
        await self.note("scroll", x, y, scroll_x, scroll_y)

    async def type(self, text: str) -> None:
        await self.note("type", text)

    async def wait(self) -> None:
        await self.note("wait")

    async def move(self, x: int, y: int) -> None:
        await self.note("move", x, y)

    async def keypress(self, keys: list[str]) -> None:
        await self.note("keypress", keys)

    async def drag(self, path: list[tuple[int, int]]) -> None:
        await self.note("drag", path)


def call(*actions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "type": "computer_call",
        "id": "cu_1",
        "call_id": "call_1",
        "status": "completed",
        "pending_safety_checks": [],
        "actions": list(actions),
    } | fields


async def test_a_batch_of_actions_is_done_in_order_then_one_screenshot_is_taken() -> None:
    computer = Recorder()
    output = await computer_call_output(
        ComputerTool(computer),
        call(
            {"type": "screenshot"},
            {"type": "move", "x": 1, "y": 2},
            {"type": "click", "x": 3, "y": 4, "button": "right"},
            {"type": "click", "x": 3, "y": 4, "button": "left", "keys": ["CTRL"]},
            {"type": "double_click", "x": 5, "y": 6},
            {"type": "scroll", "x": 7, "y": 8, "scroll_x": 0, "scroll_y": -100},
            {"type": "drag", "path": [{"x": 1, "y": 1}, {"x": 9, "y": 9}]},
            {"type": "keypress", "keys": ["CTRL", "S"]},
            {"type": "type", "text": "hello"},
            {"type": "wait"},
        ),
        CONTEXT,
    )
    assert computer.done == [
        ("move", 1, 2),
        ("click", 3, 4, "right", None),
        ("click", 3, 4, "left", ["CTRL"]),
        ("double_click", 5, 6),
        ("scroll", 7, 8, 0, -100),
        ("drag", [(1, 1), (9, 9)]),
        ("keypress", ["CTRL", "S"]),
        ("type", "hello"),
        ("wait",),
        ("screenshot",),
    ]
    assert output == {
        "type": "computer_call_output",
        "call_id": "call_1",
        "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBORw0="},
    }


async def test_the_older_single_action_and_async_computers_work() -> None:
    computer = AsyncRecorder()
    older = call(action={"type": "click", "x": 3, "y": 4, "button": "left"})
    del older["actions"]
    output = await computer_call_output(ComputerTool(computer), older, CONTEXT)
    assert computer.done == [("click", 3, 4, "left"), ("screenshot",)]
    assert output["output"]["image_url"] == "data:image/jpeg;base64,/9j="


async def test_blocking_methods_run_beside_the_event_loop() -> None:
    computer = Recorder()
    await computer_call_output(ComputerTool(computer), call({"type": "wait"}), CONTEXT)
    assert threading.get_ident() not in computer.threads


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"type": "dance"}, "asked the computer for 'dance', which is no action. Known: click, double_click"),
        ({"type": "click", "x": 1}, "The model's click action can't be read"),
        ({"type": "drag", "path": ["ab"]}, "The model's drag action can't be read"),
    ],
)
async def test_an_action_that_is_none_is_an_error(action: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelBehaviorError, match=said):
        await computer_call_output(ComputerTool(Recorder()), call(action), CONTEXT)


async def test_held_keys_that_the_computer_cannot_hold_are_an_error() -> None:
    action = {"type": "move", "x": 1, "y": 1, "keys": ["SHIFT", "ALT"]}
    with pytest.raises(UserError, match=r"SHIFT\+ALT held during move, which Recorder can't do. Give its move method"):
        await computer_call_output(ComputerTool(Recorder()), call(action), CONTEXT)


async def test_a_computer_that_fails_says_at_what() -> None:
    class Broken(Recorder):
        def type(self, text: str) -> None:
            raise OSError("no display")

    with pytest.raises(ToolCallError, match="The computer failed at type: OSError: no display") as caught:
        await computer_call_output(ComputerTool(Broken()), call({"type": "type", "text": "a"}), CONTEXT)
    assert isinstance(caught.value.__cause__, OSError)


CHECKS = [{"id": "sc_1", "code": "malicious_instructions", "message": "Odd."}, {"id": "sc_2"}]


@pytest.mark.parametrize("is_async", [True, False])
async def test_accepted_safety_checks_are_acknowledged(is_async: bool) -> None:
    asked: list[ComputerToolSafetyCheckData] = []

    def accept(data: ComputerToolSafetyCheckData) -> bool:
        asked.append(data)
        return True

    async def accept_later(data: ComputerToolSafetyCheckData) -> bool:
        return accept(data)

    tool = ComputerTool(Recorder(), on_safety_check=accept_later if is_async else accept)
    output = await computer_call_output(tool, call(pending_safety_checks=CHECKS), CONTEXT, agent="the agent")
    assert output["acknowledged_safety_checks"] == CHECKS
    assert [data.safety_check.id for data in asked] == ["sc_1", "sc_2"]
    assert (asked[0].ctx_wrapper, asked[0].agent, asked[0].tool_call.call_id) == (CONTEXT, "the agent", "call_1")


@pytest.mark.parametrize(
    ("decide", "said"),
    [
        (lambda data: data.safety_check.id == "sc_1", "was refused by on_safety_check: no reason given"),
        (lambda data: False, "was refused by on_safety_check: Odd."),
        (None, "wants a person to look at this step at the computer: Odd. Give ComputerTool an on_safety_check"),
    ],
)
async def test_after_a_refused_safety_check_nothing_is_done(decide: Any, said: str) -> None:
    computer = Recorder()
    with pytest.raises(UserError, match=said):
        await computer_call_output(
            ComputerTool(computer, decide), call({"type": "wait"}, pending_safety_checks=CHECKS), CONTEXT
        )
    assert computer.done == []


SHELL_CALL = {
    "type": "local_shell_call",
    "id": "lsh_1",
    "call_id": "call_1",
    "status": "completed",
    "action": {"type": "exec", "command": ["echo", "hi"], "env": {}},
}


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_shell_command_goes_to_the_executor(is_async: bool) -> None:
    def run(request: LocalShellCommandRequest) -> str:
        return f"ran {request.data.action.command} for {request.ctx_wrapper.context}"

    async def run_later(request: LocalShellCommandRequest) -> str:
        return run(request)

    output = await local_shell_call_output(LocalShellTool(run_later if is_async else run), SHELL_CALL, CONTEXT)
    assert (output["type"], output["call_id"]) == ("local_shell_call_output", "call_1")
    assert output["output"] == "ran ['echo', 'hi'] for mine"


async def test_a_shell_that_fails_is_a_tool_error() -> None:
    def run(request: LocalShellCommandRequest) -> str:
        raise PermissionError("no")

    with pytest.raises(ToolCallError, match="The local shell failed: PermissionError: no"):
        await local_shell_call_output(LocalShellTool(run), SHELL_CALL, CONTEXT)
