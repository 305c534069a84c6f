"""A server of conversations, at the other end of the real client."""

import json
from typing import Any
from urllib.parse import parse_qs

import httpx2
import openai


class Conversations:
    """Keeps conversations and compacts, as the platform does."""

    def __init__(self) -> None:
        self.items: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.compacted: list[dict[str, Any]] = [{"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}]
        self.failing: dict[str, int] = {}
        """Which request of a method and path fails: of `POST /items` the second, say."""
        self.endless = False
        """Whether pages always say that there are more."""
        self._made = 0

    def client(self) -> openai.AsyncOpenAI:
        transport = httpx2.MockTransport(self.answer)
        http = openai.DefaultAsyncHttpx2Client(transport=transport)
        return openai.AsyncOpenAI(api_key="k", base_url="http://platform/v1", http_client=http, max_retries=0)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content) if request.content else None
        path = request.url.path.removeprefix("/v1")
        self.requests.append((request.method, path, body))
        kind = f"{request.method} /{path.split('/')[3] if path.count('/') > 2 else path.lstrip('/')}"
        if kind in self.failing:
            self.failing[kind] -= 1
            if not self.failing[kind]:
                return httpx2.Response(503, json={"error": {"message": "Overloaded", "type": "server_error"}})
        if path == "/responses/compact":
            return httpx2.Response(200, json={
                "id": "resp_c", "object": "response.compaction", "created_at": 1, "output": self.compacted,
                "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
                          "input_tokens_details": {"cached_tokens": 0},
                          "output_tokens_details": {"reasoning_tokens": 0}},
            })  # fmt: skip
        if path == "/conversations":
            name = f"conv_{len(self.items) + 1}"
            self.items[name] = []
            return httpx2.Response(200, json={"id": name, "object": "conversation", "created_at": 1, "metadata": {}})
        _, _, conversation, *rest = path.split("/")
        kept = self.items[conversation]
        if request.method == "DELETE" and not rest:
            del self.items[conversation]
            return httpx2.Response(200, json={"id": conversation, "object": "conversation.deleted", "deleted": True})
        if request.method == "DELETE":
            kept[:] = [item for item in kept if item["id"] != rest[-1]]
            return httpx2.Response(200, json={"id": conversation, "object": "conversation", "created_at": 1})
        if request.method == "POST":
            assert len(body["items"]) <= 20
            self._made += 1
            new = [{"id": f"item_{self._made}_{number}", **item} for number, item in enumerate(body["items"])]
            kept += new
            return httpx2.Response(200, json=_page(new, more=False))
        query = {key: values[0] for key, values in parse_qs(request.url.query.decode()).items()}
        ordered = kept[::-1] if query.get("order", "desc") == "desc" else kept
        start = next((i + 1 for i, item in enumerate(ordered) if item["id"] == query.get("after")), 0)
        limit = int(query.get("limit", "20"))
        return httpx2.Response(
            200, json=_page(ordered[start : start + limit], more=self.endless or len(ordered) > start + limit)
        )


def _page(items: list[Any], *, more: bool) -> dict[str, Any]:
    ids = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {"first_id": "", "last_id": ""}
    return {"object": "list", "data": items, "has_more": more, **ids}
