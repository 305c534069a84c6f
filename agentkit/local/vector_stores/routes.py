"""The paths below `/v1/vector_stores` that are about the stores themselves, and searches in them."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentkit.local.checking import check, read_json
from agentkit.local.errors import ApiError
from agentkit.local.files.store import FileStore
from agentkit.local.ids import new_id
from agentkit.local.replies import json_reply
from agentkit.local.vector_stores.asked_filters import read_filter
from agentkit.local.vector_stores.attaching import attached_files
from agentkit.local.vector_stores.details import details_of, wants_details, with_ranking
from agentkit.local.vector_stores.objects import found_object, store_object
from agentkit.local.vector_stores.pages import answer_page
from agentkit.local.vector_stores.requests import (
    ListQuery,
    SearchRequest,
    StoreRequest,
    StoreUpdate,
    check_weights,
    each_file,
)
from agentkit.local.vector_stores.retrieval import Retrieval, ranking_of, store_not_found
from agentkit.local.vector_stores.rewriting import rewrite_query
from agentkit.local.vector_stores.storage import StoreRecord

__all__ = ["VectorStoreRoutes"]

_DEFAULT_RESULTS = 10
_DEEPEST_RESULT = 1000
"""Pages of results end here: ranking deeper says nothing any more."""


class VectorStoreRoutes:
    """Answers requests about vector stores.

    Args:
        retrieval: The stores.
        files: The uploaded files.
    """

    def __init__(self, retrieval: Retrieval, files: FileStore) -> None:
        self._retrieval = retrieval
        self._files = files

    def routes(self) -> list[Route]:
        """Return the paths."""
        one = "/v1/vector_stores/{store_id}"
        return [
            Route("/v1/vector_stores", self.create, methods=["POST"]),
            Route("/v1/vector_stores", self.list_stores, methods=["GET"]),
            Route(one, self.retrieve, methods=["GET"]),
            Route(one, self.update, methods=["POST"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/search", self.search, methods=["POST"]),
        ]

    async def create(self, http: Request) -> Response:
        """Make a store, with files where the request names some."""
        body = read_json(await http.body())
        request = check(StoreRequest, body)
        return json_reply(await self._told(http, self._create, request))

    async def list_stores(self, http: Request) -> Response:
        """Return a page of stores."""
        query = check(ListQuery, dict(http.query_params))
        return json_reply(await self._told(http, self._list, query))

    async def retrieve(self, http: Request) -> Response:
        """Return a store."""
        self._retrieval.nudge()
        return json_reply(await self._told(http, self._stored, http.path_params["store_id"]))

    async def update(self, http: Request) -> Response:
        """Change a store's name, metadata or end."""
        body = read_json(await http.body())
        request = check(StoreUpdate, body)
        return json_reply(await self._told(http, self._update, http.path_params["store_id"], request))

    async def delete(self, http: Request) -> Response:
        """Delete a store; its files stay."""
        store_id = http.path_params["store_id"]
        if not await asyncio.to_thread(lambda: self._retrieval.storage.delete_store(store_id)):
            raise store_not_found(store_id)
        return json_reply({"id": store_id, "object": "vector_store.deleted", "deleted": True})

    async def search(self, http: Request) -> Response:
        """Return the passages that answer a query."""
        body = read_json(await http.body())
        request = check(SearchRequest, body)
        page = await asyncio.to_thread(self._search, http.path_params["store_id"], request, body, wants_details(http))
        return json_reply(page)

    async def _told(self, http: Request, answer: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
        return await asyncio.to_thread(lambda: with_ranking(http, answer(*given), lambda: self._retrieval.embedder))

    # -- in a thread --------------------------------------------------------------------------------------------------

    def _create(self, request: StoreRequest) -> dict[str, Any]:
        now = self._retrieval.now()
        store = StoreRecord(
            id=new_id("vs"),
            name=request.name or "",
            created_at=now,
            last_active_at=now,
            description=request.description,
            metadata=dict(request.metadata or {}),
            expires_after_days=None if request.expires_after is None else request.expires_after.days,
        )
        asked = each_file(request.file_ids or [], request.chunking_strategy)
        attached = attached_files(self._files, store.id, asked, now=now, param="file_ids", must_exist=True)
        self._retrieval.storage.create_store(store)
        if attached:
            self._retrieval.storage.add_files(attached)
            self._retrieval.wake()
        return self._object(store)

    def _list(self, query: ListQuery) -> dict[str, Any]:
        return answer_page("vector store", query, self._retrieval.storage.list_stores, self._object)

    def _stored(self, store_id: str) -> dict[str, Any]:
        return self._object(self._retrieval.store(store_id))

    def _update(self, store_id: str, request: StoreUpdate) -> dict[str, Any]:
        store = self._retrieval.live_store(store_id)
        changes: dict[str, Any] = {}
        given = request.model_fields_set
        if "name" in given:
            changes["name"] = request.name or ""
        if "description" in given:
            changes["description"] = request.description
        if "metadata" in given:
            changes["metadata"] = dict(request.metadata or {})
        if "expires_after" in given:
            changes["expires_after_days"] = None if request.expires_after is None else request.expires_after.days
        changed = replace(store, **changes, last_active_at=self._retrieval.now())
        if not self._retrieval.storage.put_store(changed):
            raise store_not_found(store_id)
        return self._object(changed)

    def _object(self, store: StoreRecord) -> dict[str, Any]:
        storage = self._retrieval.storage
        return store_object(store, storage.count_files(store.id), storage.usage_bytes(store.id), self._retrieval.now())

    def _search(self, store_id: str, request: SearchRequest, body: dict[str, Any], detailed: bool) -> dict[str, Any]:
        asked = [request.query] if isinstance(request.query, str) else list(request.query)
        queries = [rewrite_query(query) for query in asked] if request.rewrite_query else asked
        ranking = body.get("ranking_options")
        check_weights(ranking)
        weights, threshold = ranking_of(ranking)
        limit = request.max_num_results or _DEFAULT_RESULTS
        start = _start_of(request.page)
        found = self._retrieval.search(
            [store_id],
            queries,
            filters=None if request.filters is None else read_filter(request.filters),
            limit=start + limit + 1,
            weights=weights,
            score_threshold=threshold,
        )
        page = found[start : start + limit]
        more = len(found) > start + limit and start + limit < _DEEPEST_RESULT
        return {
            "object": "vector_store.search_results.page",
            "search_query": queries,
            "data": [{**found_object(hit), **(details_of(hit) if detailed else {})} for hit in page],
            "has_more": more,
            "next_page": _page_token(start + limit) if more else None,
        }


def _page_token(start: int) -> str:
    return base64.urlsafe_b64encode(f"results:{start}".encode()).decode()


def _start_of(token: str | None) -> int:
    if token is None:
        return 0
    try:
        label, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
        start = int(number) if label == "results" else -1
    except (binascii.Error, ValueError):
        start = -1
    if not 0 <= start < _DEEPEST_RESULT:
        raise ApiError(f"Invalid 'page': {token!r} is no 'next_page' of a search.", param="page", code="invalid_value")
    return start
