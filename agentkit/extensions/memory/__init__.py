"""More sessions: with branches by turn, and in any database."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentkit.extensions.memory.advanced_sqlite_session import AdvancedSQLiteSession
    from agentkit.extensions.memory.sqlalchemy_session import SQLAlchemySession

__all__ = ["AdvancedSQLiteSession", "SQLAlchemySession"]

_MODULES = {"AdvancedSQLiteSession": "advanced_sqlite_session", "SQLAlchemySession": "sqlalchemy_session"}


def __getattr__(name: str) -> Any:  # the name's own type is told above
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
