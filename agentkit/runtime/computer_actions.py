"""Carrying out what a model asks of a computer: the actions in their order, then a screenshot."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from agentkit.exceptions import AgentsException, ModelBehaviorError, ToolCallError, UserError
from agentkit.models.typed import typed_item
from agentkit.tooling import AsyncComputer, Computer, ComputerTool, ComputerToolSafetyCheckData, RunContextWrapper
from agentkit.tooling.executor import call_in_thread

__all__ = ["computer_call_output"]


async def computer_call_output(
    tool: ComputerTool, call: dict[str, Any], context: RunContextWrapper[Any], *, agent: Any = None
) -> dict[str, Any]:
    """Do what a `computer_call` asks for, and return the item that answers it.

    The platform's doubts are settled first, before anything is done. Then the actions are done one by one, and one
    screenshot is taken at the end.

    Args:
        tool: The computer tool.
        call: The item: today's with a list of `actions`, or the older one with a single `action`.
        context: The run's context, for `on_safety_check`.
        agent: The agent that the step is for.

    Returns:
        A `computer_call_output` item, with the screenshot as a data URL and the checks that were accepted.

    Raises:
        UserError: A safety check was refused, or there is nobody to ask; or the computer can't hold modifier keys.
        ModelBehaviorError: An action is of no known kind or lacks something.
        ToolCallError: The computer failed; its exception is the `__cause__`.
    """
    accepted = await _settle_safety_checks(tool, call, context, agent)
    single = call.get("action")
    for action in call.get("actions") or ([single] if single else []):
        await _do(tool.computer, action)
    picture: str = await _call(tool.computer.screenshot, {}, "screenshot")
    output = {
        "type": "computer_call_output",
        "call_id": call["call_id"],
        "output": {
            "type": "computer_screenshot",
            "image_url": picture if picture.startswith("data:") else f"data:image/png;base64,{picture}",
        },
    }
    return output | ({"acknowledged_safety_checks": accepted} if accepted else {})


async def _settle_safety_checks(
    tool: ComputerTool, call: dict[str, Any], context: RunContextWrapper[Any], agent: Any
) -> list[dict[str, Any]]:
    """Return the checks, all accepted."""
    checks: list[dict[str, Any]] = call.get("pending_safety_checks") or []
    if not checks:
        return []
    typed = typed_item(call)
    for check, typed_check in zip(checks, typed.pending_safety_checks, strict=True):
        said = check.get("message") or check.get("code") or "no reason given"
        if tool.on_safety_check is None:
            raise UserError(
                f"The platform wants a person to look at this step at the computer: {said}",
                hint="Give ComputerTool an on_safety_check that asks one. Nothing has been done.",
            )
        answer = tool.on_safety_check(ComputerToolSafetyCheckData(context, agent, typed, typed_check))
        if not (await answer if inspect.isawaitable(answer) else answer):
            raise UserError(
                f"A step at the computer was refused by on_safety_check: {said}", hint="Nothing has been done."
            )
    return [{key: check[key] for key in ("id", "code", "message") if key in check} for check in checks]


def _place(action: dict[str, Any]) -> dict[str, Any]:
    return {"x": int(action["x"]), "y": int(action["y"])}


def _path(action: dict[str, Any]) -> list[tuple[int, int]]:
    return [(int(p["x"]), int(p["y"])) if isinstance(p, dict) else (int(p[0]), int(p[1])) for p in action["path"]]


_ARGUMENTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "click": lambda a: {**_place(a), "button": a.get("button") or "left"},
    "double_click": _place,
    "move": _place,
    "scroll": lambda a: {
        **_place(a),
        "scroll_x": int(a.get("scroll_x") or 0),
        "scroll_y": int(a.get("scroll_y") or 0),
    },
    "drag": lambda a: {"path": _path(a)},
    "keypress": lambda a: {"keys": list(a["keys"])},
    "type": lambda a: {"text": a["text"]},
    "wait": lambda _: {},
}
"""What each kind of action, which is the name of the method too, is called with."""


async def _do(computer: Computer | AsyncComputer, action: dict[str, Any]) -> None:
    kind = str((action.get("type") if isinstance(action, dict) else action) or "")
    if kind == "screenshot":  # one is taken at the end in any case
        return
    if kind not in _ARGUMENTS:
        raise ModelBehaviorError(
            f"The model asked the computer for {kind!r}, which is no action. Known: {', '.join(sorted(_ARGUMENTS))}."
        )
    try:
        arguments = _ARGUMENTS[kind](action)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelBehaviorError(f"The model's {kind} action can't be read: {action!r:.200}") from error
    method = getattr(computer, kind)
    held = action.get("keys") if kind != "keypress" else None
    if held:
        if "keys" not in inspect.signature(method).parameters:
            raise UserError(
                f"The model wants {'+'.join(held)} held during {kind}, which {type(computer).__name__} can't do.",
                hint=f"Give its {kind} method a keyword argument: keys: list[str] | None = None.",
            )
        arguments["keys"] = list(held)
    await _call(method, arguments, kind)


async def _call(method: Callable[..., Any], arguments: dict[str, Any], kind: str) -> Any:  # what the method returns
    try:
        if inspect.iscoroutinefunction(method):
            return await method(**arguments)
        result = await call_in_thread(method, **arguments)
        return await result if inspect.isawaitable(result) else result
    except AgentsException:
        raise
    except Exception as error:  # foreign code: whatever drives the screen
        raise ToolCallError(f"The computer failed at {kind}: {type(error).__name__}: {error}") from error
