"""What went wrong with an MCP server, before it becomes an error that names the server."""

from __future__ import annotations

from dataclasses import dataclass

from agentkit._install import install_command
from agentkit.exceptions import MCPServerError, UserError

__all__ = ["Failure", "RequestFailed", "innermost", "missing_package", "without_secrets"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, and what to do about it."""

    what: str
    """What happened, following "MCP server 'x' ", with the value."""
    hint: str | None = None
    """What to do about it."""
    quote: str = ""
    """The last lines that the server wrote to stderr."""
    exit_code: int | None = None
    """What the server's process ended with."""
    status_code: int | None = None
    """The HTTP status that came."""
    timeout_s: float | None = None
    """Seconds that it didn't keep to."""
    lost: bool = False
    """Whether there was no connection, or it broke."""
    unheard: bool = False
    """Whether the server can't have carried out what it was asked for."""

    def error(self, server: str, tool: str | None, during: str | None) -> MCPServerError:
        """Return the error.

        Args:
            server: The server's name.
            tool: The tool that was called, or None.
            during: What was being done, such as "listing its tools"; None while it was being started.
        """
        doing = f" (calling its tool {tool!r})" if tool is not None else f" ({during})" if during else ""
        hint = "" if self.hint is None else f" {self.hint}"
        quote = f"\nThe last lines of its stderr:\n{self.quote}" if self.quote else ""
        error = MCPServerError(
            f"MCP server {server!r} {self.what}{doing}.{hint}{quote}",
            server_name=server,
            tool_name=tool,
            exit_code=self.exit_code,
            status_code=self.status_code,
            timeout_seconds=self.timeout_s,
            connection_lost=self.lost,
        )
        error.hint = self.hint
        return error


class RequestFailed(Exception):  # noqa: N818 (no error for users: `MCPServer` makes one of it)
    """A request to a server failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.what)
        self.failure = failure


def innermost(error: BaseException) -> BaseException:
    """Return the first exception that a group, of groups, holds."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def missing_package() -> UserError:
    """Return the error for an installation without the `mcp` package."""
    return UserError("MCP servers need the mcp package, which isn't installed.", hint=f"Run {install_command('mcp')}.")


def without_secrets(url: str) -> str:
    """Return an address without its user, password, query and fragment, which may hold secrets."""
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
