"""What tests of agents need: a scripted model, kernels to run cells in, and a browser to look at them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentkit.testing.scripted import ScriptedModel, ScriptedRequest, call, message

__all__ = ["ScriptedModel", "ScriptedRequest", "call", "message"]


def __getattr__(
    name: str,
) -> Any:  # loaded when asked for: the browser and the kernel need packages of their own
    if name in __all__:
        return getattr(importlib.import_module("agentkit.testing.scripted"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
