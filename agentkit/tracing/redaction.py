"""Takes API keys out of what is stored."""

from agentkit._secrets import Redactor

__all__ = ["Redactor"]
