"""`file_search` in a response: the searches that an engine asks for, carried out in the request's vector stores."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from agentkit.local.embedding.embedder import EmbedderError
from agentkit.local.engines.base import Prompt
from agentkit.local.engines.quoting import quoted_results
from agentkit.local.errors import storage_failed
from agentkit.local.vector_stores.asked_filters import read_filter
from agentkit.local.vector_stores.details import details_of
from agentkit.local.vector_stores.passages import Found
from agentkit.local.vector_stores.retrieval import Retrieval, ranking_of
from agentkit.local.vector_stores.storage import StorageError

__all__ = ["FileSearcher", "searcher_for"]

_MOST_SEARCHES = 8
"""Searches in one response where the request sets no limit: an engine that never has enough is stopped."""
_MOST_QUERIES = 8


class FileSearcher:
    """Carries out the searches of one response.

    Args:
        retrieval: The vector stores.
        tool: The request's `file_search`, checked and with its defaults.
        most: How many searches there may be.
        detailed: Whether results tell where in its file a passage stands.
    """

    def __init__(self, retrieval: Retrieval, tool: dict[str, Any], *, most: int, detailed: bool) -> None:
        self._retrieval = retrieval
        self._tool = tool
        self._left = most
        self._detailed = detailed

    async def check_stores(self) -> None:
        """Check that the stores are there, so that the request fails before anything is sent.

        Raises:
            ApiError: One isn't, or has expired.
            StorageError: The storage can't be used.
        """
        for store_id in self._tool["vector_store_ids"]:
            await asyncio.to_thread(self._retrieval.live_store, store_id)

    async def search(self, item_id: str, queries: tuple[str, ...]) -> dict[str, Any]:
        """Return the `file_search_call` of a search, with its results and how a model is to read them.

        Raises:
            ApiError: The stores can't be searched.
        """
        self._left -= 1
        try:
            found = await asyncio.to_thread(self._search, list(queries[:_MOST_QUERIES]))
        except (StorageError, EmbedderError) as error:
            raise storage_failed(error) from error
        results = [self._result(hit) for hit in found]
        return {
            "id": item_id,
            "type": "file_search_call",
            "status": "completed",
            "queries": list(queries[:_MOST_QUERIES]),
            "results": results,
            "output": quoted_results(results),
        }

    def goes_on(self, prompt: Prompt, item: dict[str, Any]) -> Prompt:
        """Return the prompt after a search: with what was found, and with no search left to do where that was the last.

        What the request forced has happened.
        """
        choice = prompt.tool_choice
        if choice == "required" or (isinstance(choice, dict) and choice.get("type") == "file_search"):
            choice = "auto"
        elif isinstance(choice, dict) and choice.get("type") == "allowed_tools":
            choice = {**choice, "mode": "auto"}
        tools = prompt.tools
        if self._left <= 0:
            tools = [tool for tool in tools if tool["type"] != "file_search"]
        return replace(prompt, items=[*prompt.items, item], tools=tools, tool_choice=choice)

    def _search(self, queries: list[str]) -> list[Found]:
        weights, threshold = ranking_of(self._tool["ranking_options"])
        filters = self._tool["filters"]
        return self._retrieval.search(
            self._tool["vector_store_ids"],
            queries,
            filters=None if filters is None else read_filter(filters),
            limit=self._tool["max_num_results"],
            weights=weights,
            score_threshold=threshold,
        )

    def _result(self, found: Found) -> dict[str, Any]:
        result = {
            "attributes": found.attributes,
            "file_id": found.file_id,
            "filename": found.filename,
            "score": found.score,
            "text": found.chunk.text,
            "page": found.chunk.page,
            "last_page": found.chunk.last_page,
            "heading": found.chunk.heading,
            "semantic": found.semantic,
        }
        return {**result, **details_of(found)} if self._detailed else result


def searcher_for(
    retrieval: Retrieval, tools: list[dict[str, Any]], *, max_tool_calls: int | None, detailed: bool
) -> FileSearcher | None:
    """Return what carries out the searches of a response; None where the request has no `file_search`."""
    tool = next((tool for tool in tools if tool["type"] == "file_search"), None)
    if tool is None:
        return None
    most = _MOST_SEARCHES if max_tool_calls is None else min(max_tool_calls, _MOST_SEARCHES)
    return FileSearcher(retrieval, tool, most=most, detailed=detailed)
