"""Lists that servers send in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from agentkit.mcp.failures import Failure, RequestFailed

if TYPE_CHECKING:
    from mcp import ClientSession
    from mcp import Tool as MCPTool
    from mcp_types import ListPromptsResult

__all__ = ["all_prompts", "all_tools", "page"]


async def all_tools(session: ClientSession, most_pages: int | None) -> list[MCPTool]:
    """Return a server's tools; none where it doesn't know of tools.

    Raises:
        RequestFailed: They are more than `most_pages` pages.
    """
    if session.server_capabilities is not None and session.server_capabilities.tools is None:
        return []
    return [tool async for each in _pages(session.list_tools, "tools", most_pages) for tool in each.tools]


async def all_prompts(session: ClientSession, most_pages: int | None) -> ListPromptsResult:
    """Return a server's prompts; none where it doesn't know of prompts.

    Raises:
        RequestFailed: They are more than `most_pages` pages.
    """
    from mcp_types import ListPromptsResult

    if session.server_capabilities is not None and session.server_capabilities.prompts is None:
        return ListPromptsResult(prompts=[])
    pages = _pages(session.list_prompts, "prompts", most_pages)
    return ListPromptsResult(prompts=[prompt async for each in pages for prompt in each.prompts])


def page(cursor: str | None) -> Any:
    """Return what asks for the page at `cursor`; for the first one where it is None."""
    from mcp_types import PaginatedRequestParams

    return PaginatedRequestParams(cursor=cursor) if cursor else None


async def _pages(ask: Callable[..., Awaitable[Any]], what: str, most: int | None) -> AsyncIterator[Any]:
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        answer = await ask(params=page(cursor))
        yield answer
        cursor = answer.next_cursor
        if not cursor or cursor in seen:  # a server that repeats itself would never end
            return
        seen.add(cursor)
        if most is not None and len(seen) >= most:
            raise RequestFailed(Failure(f"has more than {most} pages of {what}", "Raise max_list_pages."))
