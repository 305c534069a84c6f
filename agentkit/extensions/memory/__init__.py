"""More sessions, which need more packages."""

from agentkit.extensions.memory.sqlalchemy_session import SQLAlchemySession

__all__ = ["SQLAlchemySession"]
