"""The embedded platform: OpenAI's paths and shapes, answered inside this process.

`embedded_transports` mounts it behind the `openai` client, `serve` puts it on a port, `create_app` is the ASGI
application itself. Importing this package imports none of the machinery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentkit.local.app import create_app
    from agentkit.local.server import serve
    from agentkit.local.transport import embedded_transports

__all__ = ["create_app", "embedded_transports", "serve"]

_MODULES = {"create_app": "app", "embedded_transports": "transport", "serve": "server"}


def __getattr__(name: str) -> Any:  # one of the public names, whatever its type
    from importlib import import_module

    if (module := _MODULES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
