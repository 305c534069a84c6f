"""The notebook itself: its front end, its settings, and what other packages did to its kernel."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentkit.exceptions import UserError
from agentkit.notebook.doctor.findings import Finding, trouble, warning, well
from agentkit.notebook.front_end import front_end
from agentkit.notebook.settings import AgentKit, settings

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["check_notebook", "check_settings"]


def check_notebook(shell: InteractiveShell) -> Iterator[Finding]:
    """Look at the front end, and at what makes live views and interrupts fail."""
    from agentkit.notebook.display.modes import render_mode

    try:
        mode = render_mode(shell)
    except UserError:  # told among the settings
        mode = None
    in_kernel = getattr(shell, "kernel", None) is not None
    yield well("front end", front_end(shell) + (f", runs are shown {mode}" if mode else ""))
    if mode == "live":
        yield _widgets()
    if in_kernel and _patched_loop():
        text = "nest_asyncio has patched the kernel's event loop: interrupts end up in whatever code is running."
        yield warning(
            "event loop", text, "# restart the kernel, and leave out nest_asyncio.apply(): agentkit needs none"
        )


def _widgets() -> Finding:
    """Say what is known of the widgets' way to the front end, which can't answer while this cell runs."""
    try:
        import comm
        import ipywidgets  # noqa: F401
    except ImportError as error:
        return trouble("widgets", f"{error.name} can't be imported: no buttons.", "%pip install -U ipywidgets")
    if type(comm.get_comm_manager()).__module__.startswith("comm"):  # the stand-in that sends nothing
        return warning("widgets", "this kernel has no way to send widgets: answers come without buttons.")
    from agentkit.notebook.latest import latest

    heard = latest.front_end_answered
    return well("widgets", "a live run's view has answered" if heard else "can be sent; no live run has tried yet")


def _patched_loop() -> bool:
    if "nest_asyncio" not in sys.modules and "nest_asyncio2" not in sys.modules:
        return False
    return bool(getattr(asyncio, "_nest_patched", False) or getattr(asyncio.run, "__module__", "").startswith("nest_"))


def check_settings() -> Iterator[Finding]:
    """Look whether the environment gives settings values that can't be."""
    current, given = settings(), 0
    for name in AgentKit.names():
        setting = AgentKit.setting(name)
        try:
            if current.own(name) is None:
                setting.from_environment()
            given += current.origin(name) != "default"
        except UserError as error:
            yield trouble(setting.variable, str(error), f"unset {setting.variable}", f"%agentkit config {name}=…")
    yield well("settings", f"{given} of {len(AgentKit.names())} are not the default; see %agentkit config")
