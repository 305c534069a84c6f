"""How the kit's objects show themselves when they are a cell's value: registered by type, and taken back on unload."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit.notebook.latest import latest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["register_formatters", "unregister_formatters"]

_RESULT = ("agentkit.runtime.result", "RunResultBase")


def _agent(agent: Any) -> Any:
    from agentkit.notebook.display.cards import agent_bundle

    return agent_bundle(agent)


def _tool(tool: Any) -> Any:
    from agentkit.notebook.display.cards import tool_bundle

    return tool_bundle(tool)


_BUNDLES: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("agentkit.runtime.agent", "Agent"): _agent,
    ("agentkit.tools.tool", "FunctionTool"): _tool,
}


def register_formatters(shell: InteractiveShell) -> None:
    """Let agents, tools and results show themselves. By name: their modules are not imported for it."""
    formatter: Any = shell.display_formatter  # IPython's traits are not all typed
    for (module, name), make in _BUNDLES.items():
        formatter.mimebundle_formatter.for_type_by_name(module, name, make)

    # Not a bundle: a result may have nothing to show, where its run is in the cell already
    def show(result: Any) -> None:
        _show_result(shell, result)

    formatter.ipython_display_formatter.for_type_by_name(*_RESULT, show)


def unregister_formatters(shell: InteractiveShell) -> None:
    """Take back what `register_formatters` did."""
    formatter: Any = shell.display_formatter
    for module, name in _BUNDLES:
        formatter.mimebundle_formatter.pop(f"{module}.{name}", None)
    formatter.ipython_display_formatter.pop(".".join(_RESULT), None)


def _show_result(shell: InteractiveShell, result: Any) -> None:
    from agentkit.notebook.display.publish import publish
    from agentkit.notebook.display.run_view import run_bundle, usage_line

    if not latest.take_shown(result):
        publish(run_bundle(result, asked=latest.asked.get(result)))
    elif getattr(shell, "kernel", None) is None:
        print(usage_line(result, latest.asked.get(result)))  # a terminal has written "Out[3]: " already
