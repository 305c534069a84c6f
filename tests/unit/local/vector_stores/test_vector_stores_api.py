"""`/v1/vector_stores` through the client: stores, their ends, and searches in them."""

from __future__ import annotations

import threading
from typing import Any

import openai
import pytest
from api_calls import refusal, wire
from openai.types import VectorStore, VectorStoreDeleted, VectorStoreSearchResponse

DAY_S = 24 * 3600
WORKERS = ("agentkit-indexing", "agentkit-platform")


def filled(api: openai.OpenAI, **texts: str) -> str:
    """Return a store with files, indexed: `name="text"`."""
    store = api.vector_stores.create(name="filled")
    for name, text in texts.items():
        api.vector_stores.files.upload_and_poll(
            vector_store_id=store.id, file=(f"{name}.txt", text.encode()), poll_interval_ms=1
        )
    return store.id


def found(page: Any) -> list[str]:
    return [hit.filename for hit in page.data]


# -- stores -----------------------------------------------------------------------------------------------------------


def test_a_store_has_every_documented_field(api: openai.OpenAI, strictly: Any) -> None:
    file = api.files.create(file=("a.txt", b"alpha"), purpose="assistants")
    raw = api.vector_stores.with_raw_response.create(
        name="Support FAQ",
        file_ids=[file.id],
        chunking_strategy={"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 50}},
        expires_after={"anchor": "last_active_at", "days": 7},
        metadata={"team": "support"},
    )
    body = raw.http_response.json()
    strictly(VectorStore, body)
    assert body == {
        "id": body["id"],
        "object": "vector_store",
        "created_at": 1_800_000_000,
        "name": "Support FAQ",
        "usage_bytes": body["usage_bytes"],
        "file_counts": body["file_counts"],
        "status": body["status"],
        "expires_after": {"anchor": "last_active_at", "days": 7},
        "expires_at": 1_800_000_000 + 7 * DAY_S,
        "last_active_at": 1_800_000_000,
        "metadata": {"team": "support"},
    }
    assert body["file_counts"]["total"] == 1
    polled = api.vector_stores.files.poll(file.id, vector_store_id=body["id"], poll_interval_ms=1)
    assert polled.chunking_strategy.static.max_chunk_size_tokens == 200  # type: ignore[union-attr]
    body = wire(api, f"/vector_stores/{body['id']}")
    assert body["file_counts"] == {"in_progress": 0, "completed": 1, "cancelled": 0, "failed": 0, "total": 1}
    assert (body["status"], body["usage_bytes"]) == ("completed", len("alpha") + 64 * 4)


def test_a_store_needs_no_parameters(api: openai.OpenAI, strictly: Any) -> None:
    body = wire(api, "/vector_stores", {})
    strictly(VectorStore, body)
    assert (body["name"], body["metadata"], body["expires_at"], body["status"]) == ("", {}, None, "completed")


def test_what_is_given_is_changed_and_the_rest_stays(api: openai.OpenAI, strictly: Any) -> None:
    store = api.vector_stores.create(name="a", metadata={"k": "v"}, description="What it is for.")
    changed = api.vector_stores.update(store.id, name="b", expires_after={"anchor": "last_active_at", "days": 1})
    assert (changed.name, changed.metadata, changed.expires_after and changed.expires_after.days) == (
        "b",
        {"k": "v"},
        1,
    )
    cleared = api.vector_stores.update(store.id, metadata=None, expires_after=None)
    assert (cleared.name, cleared.metadata, cleared.expires_at) == ("b", {}, None)
    assert api.vector_stores.retrieve(store.id) == cleared
    assert wire(api, f"/vector_stores/{store.id}")["description"] == "What it is for."


def test_a_deleted_store_is_gone_and_its_files_stay(api: openai.OpenAI, strictly: Any) -> None:
    store_id = filled(api, a="alpha")
    body = api.vector_stores.with_raw_response.delete(store_id).http_response.json()
    strictly(VectorStoreDeleted, body)
    assert body == {"id": store_id, "object": "vector_store.deleted", "deleted": True}
    assert [file.filename for file in api.files.list()] == ["a.txt"]
    for call in (
        lambda: api.vector_stores.retrieve(store_id),
        lambda: api.vector_stores.update(store_id, name="x"),
        lambda: api.vector_stores.delete(store_id),
        lambda: api.vector_stores.search(store_id, query="alpha"),
        lambda: api.vector_stores.files.list(store_id),
        lambda: api.vector_stores.files.retrieve("file-x", vector_store_id=store_id),
        lambda: api.vector_stores.file_batches.create(store_id, file_ids=["file-x"]),
        lambda: api.vector_stores.file_batches.retrieve("vsfb_x", vector_store_id=store_id),
    ):
        error = refusal(call)
        assert (error.status_code, error.code) == (404, "vector_store_not_found")
        assert f"Vector store with id '{store_id}' not found." in error.message


def test_stores_come_newest_first_a_page_at_a_time(api: openai.OpenAI, strictly: Any) -> None:
    made = [api.vector_stores.create(name=str(n)).id for n in range(5)]
    assert [store.id for store in api.vector_stores.list(limit=2)] == made[::-1]
    assert [store.id for store in api.vector_stores.list(order="asc", after=made[2])] == made[3:]
    assert [store.id for store in api.vector_stores.list(order="asc", before=made[2], limit=1).data] == made[1:2]
    body = wire(api, "/vector_stores?limit=2")
    assert (body["object"], body["first_id"], body["last_id"], body["has_more"]) == ("list", made[4], made[3], True)
    for store in body["data"]:
        strictly(VectorStore, store)


# -- ends -------------------------------------------------------------------------------------------------------------


def test_a_store_expires_after_its_last_use(api: openai.OpenAI, clock: Any) -> None:
    store_id = filled(api, a="alpha")
    api.vector_stores.update(store_id, expires_after={"anchor": "last_active_at", "days": 1})
    clock.go_on(DAY_S - 1)
    assert found(api.vector_stores.search(store_id, query="alpha")) == ["a.txt"]
    clock.go_on(DAY_S - 1)  # the search has put the end off
    store = api.vector_stores.retrieve(store_id)
    assert (store.status, store.last_active_at) == ("completed", 1_800_000_000 + DAY_S - 1)
    clock.go_on(1)
    assert api.vector_stores.retrieve(store_id).status == "expired"
    file = api.files.list().data[0]
    for call in (
        lambda: api.vector_stores.search(store_id, query="alpha"),
        lambda: api.vector_stores.files.create(store_id, file_id=file.id),
        lambda: api.vector_stores.file_batches.create(store_id, file_ids=[file.id]),
        lambda: api.vector_stores.update(store_id, name="again"),
    ):
        error = refusal(call)
        assert (error.status_code, error.code) == (400, "vector_store_expired")
    assert api.vector_stores.retrieve(store_id).status == "expired"


def test_an_expired_store_is_emptied_by_the_next_work(api: openai.OpenAI, clock: Any) -> None:
    store_id = filled(api, a="alpha")
    api.vector_stores.update(store_id, expires_after={"anchor": "last_active_at", "days": 1})
    clock.go_on(DAY_S)
    filled(api, b="beta")
    assert api.vector_stores.files.list(store_id).data == []
    assert api.vector_stores.retrieve(store_id).status == "expired"


def test_a_file_that_expires_leaves_its_stores(api: openai.OpenAI, clock: Any) -> None:
    store = api.vector_stores.create()
    file = api.files.create(
        file=("a.txt", b"alpha"), purpose="assistants", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    api.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id, poll_interval_ms=1)
    clock.go_on(3600)
    assert api.files.list().data == []
    assert api.vector_stores.files.list(store.id).data == []
    assert found(api.vector_stores.search(store.id, query="alpha")) == []


# -- searches ---------------------------------------------------------------------------------------------------------


def test_a_search_has_every_documented_field(api: openai.OpenAI, strictly: Any) -> None:
    store = api.vector_stores.create()
    file = api.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.txt", b"The sky is blue."))
    api.vector_stores.files.update(file.id, vector_store_id=store.id, attributes={"year": 2024, "ok": True, "by": "x"})
    body = wire(api, f"/vector_stores/{store.id}/search", {"query": "sky"})
    assert body == {
        "object": "vector_store.search_results.page",
        "search_query": ["sky"],
        "data": [
            {
                "file_id": file.id,
                "filename": "a.txt",
                "score": pytest.approx(0.487, abs=0.001),
                "attributes": {"year": 2024, "ok": True, "by": "x"},
                "content": [{"type": "text", "text": "The sky is blue."}],
            }
        ],
        "has_more": False,
        "next_page": None,
    }
    strictly(VectorStoreSearchResponse, body["data"][0])


def test_details_come_where_they_are_asked_for(api: openai.OpenAI) -> None:
    store_id = filled(api, a="# Colours\n\nThe sky is blue.")
    page = api.vector_stores.search(store_id, query="sky blue", extra_headers={"x-agentkit-details": "true"})
    details = page.data[0].agentkit  # type: ignore[attr-defined]
    assert (details["position"], details["start"], details["page"]) == (0, 0, None)
    assert details["semantic"] > 0
    assert details["keyword"] > 0


def test_several_queries_are_searched_at_once(api: openai.OpenAI) -> None:
    store_id = filled(api, sky="The sky is blue.", grass="The grass is green.", snow="Snow lies white.")
    page = api.vector_stores.search(store_id, query=["sky colour", "green grass"], max_num_results=2)
    assert sorted(found(page)) == ["grass.txt", "sky.txt"]
    assert page.search_query == ["sky colour", "green grass"]  # type: ignore[attr-defined]


def test_a_rewritten_query_is_told(api: openai.OpenAI) -> None:
    store_id = filled(api, sky="The sky is blue.")
    page = api.vector_stores.search(store_id, query="Can you tell me about the colour of the sky?", rewrite_query=True)
    assert (page.search_query, found(page)) == (["colour of the sky"], ["sky.txt"])  # type: ignore[attr-defined]


def test_results_come_a_page_at_a_time(api: openai.OpenAI) -> None:
    store_id = filled(api, **{f"f{n}": f"sky number {n}" for n in range(5)})
    whole = found(api.vector_stores.search(store_id, query="sky"))
    assert len(whole) == 5
    names, page = [], None
    for _ in range(3):
        body = wire(api, f"/vector_stores/{store_id}/search", {"query": "sky", "max_num_results": 2, "page": page})
        names += [hit["filename"] for hit in body["data"]]
        page = body["next_page"]
        assert body["has_more"] is (page is not None)
    assert (names, page) == (whole, None)


def test_the_score_threshold_leaves_out_what_is_below(api: openai.OpenAI) -> None:
    store_id = filled(api, sky="The sky is blue.", grass="The grass is green.")
    scores = [hit.score for hit in api.vector_stores.search(store_id, query="blue sky")]
    assert 0 <= scores[1] < 0.3 < scores[0] <= 1
    page = api.vector_stores.search(store_id, query="blue sky", ranking_options={"score_threshold": 0.3})
    assert found(page) == ["sky.txt"]
    assert found(api.vector_stores.search(store_id, query="tax law", ranking_options={"score_threshold": 0.3})) == []


@pytest.mark.parametrize("ranker", ["none", "auto", "default-2024-11-15"])
def test_every_documented_ranker_is_taken(api: openai.OpenAI, ranker: Any) -> None:
    store_id = filled(api, sky="The sky is blue.")
    assert found(api.vector_stores.search(store_id, query="sky", ranking_options={"ranker": ranker})) == ["sky.txt"]


def test_filters_choose_files_exactly(api: openai.OpenAI) -> None:
    store = api.vector_stores.create()
    for year, region in ((2022, "us"), (2023, "eu"), (2024, "us")):
        file = api.files.create(file=(f"{year}.txt", b"sky"), purpose="assistants")
        api.vector_stores.files.create_and_poll(
            file.id,
            vector_store_id=store.id,
            attributes={"year": year, "region": region},
            poll_interval_ms=1,
        )
    cases: list[tuple[Any, list[str]]] = [
        ({"type": "eq", "key": "region", "value": "us"}, ["2022.txt", "2024.txt"]),
        ({"type": "gte", "key": "year", "value": 2023}, ["2023.txt", "2024.txt"]),
        ({"type": "in", "key": "year", "value": [2022, 2023]}, ["2022.txt", "2023.txt"]),
        ({"type": "nin", "key": "year", "value": [2022, 2023]}, ["2024.txt"]),
        (
            {
                "type": "and",
                "filters": [
                    {"type": "eq", "key": "region", "value": "us"},
                    {"type": "or", "filters": [{"type": "lt", "key": "year", "value": 2023}]},
                ],
            },
            ["2022.txt"],
        ),
        ({"type": "eq", "key": "region", "value": "asia"}, []),
    ]
    for filters, names in cases:
        assert sorted(found(api.vector_stores.search(store.id, query="sky", filters=filters))) == names, filters


SEARCHES: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    ({}, "Missing required parameter: 'query'.", "query", "missing_required_parameter"),
    (
        {"query": ""},
        "Invalid 'query': string too short. Expected a string with minimum length 1, but got one of 0 instead.",
        "query",
        "string_below_min_length",
    ),
    (
        {"query": []},
        "Invalid 'query': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        "query",
        "empty_array",
    ),
    (
        {"query": "x", "max_num_results": 51},
        "Invalid 'max_num_results': integer above maximum value. Expected a value <= 50, but got 51 instead.",
        "max_num_results",
        "integer_above_max_value",
    ),
    (
        {"query": "x", "ranking_options": {"score_threshold": 1.5}},
        "Invalid 'ranking_options.score_threshold': decimal above maximum value. Expected a value <= 1, but got 1.5 "
        "instead.",
        "ranking_options.score_threshold",
        "decimal_above_max_value",
    ),
    (
        {"query": "x", "ranking_options": {"hybrid_search": {"embedding_weight": 0, "text_weight": 0}}},
        "Invalid 'ranking_options.hybrid_search': at least one of embedding_weight and text_weight must be greater "
        "than 0.",
        "ranking_options.hybrid_search",
        "invalid_value",
    ),
    (
        {"query": "x", "filters": {"type": "like", "key": "a", "value": "b"}},
        "Invalid value: 'like'. Supported values are: 'eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'and', and "
        "'or'.",
        "filters.type",
        "invalid_value",
    ),
    (
        {"query": "x", "filters": {"type": "and", "filters": [{"type": "eq", "key": "a"}]}},
        "Missing required parameter: 'filters.filters[0].value'.",
        "filters.filters[0].value",
        "missing_required_parameter",
    ),
    (
        {"query": "x", "filters": {"type": "in", "key": "a", "value": "b"}},
        "Invalid type for 'filters.value': expected an array, but got a string instead.",
        "filters.value",
        "invalid_type",
    ),
    (
        {"query": "x", "filters": {"type": "eq", "key": "a", "value": {"b": 1}}},
        "Invalid type for 'filters.value': expected a string, a number or a boolean, but got an object instead.",
        "filters.value",
        "invalid_type",
    ),
    (
        {"query": "x", "filters": {"type": "gt", "key": "a", "value": True}},
        "Invalid 'filters.value': booleans have no order. Compare them with 'eq' or 'ne'.",
        "filters.value",
        "invalid_value",
    ),
    (
        {"query": "x", "page": "abc"},
        "Invalid 'page': 'abc' is no 'next_page' of a search.",
        "page",
        "invalid_value",
    ),
    ({"query": "x", "limit": 3}, "Unknown parameter: 'limit'.", "limit", "unknown_parameter"),
]


def test_a_weight_has_to_be_finite(api: openai.OpenAI, transports: Any) -> None:
    path = f"/vector_stores/{api.vector_stores.create().id}/search"
    content = b'{"query": "x", "ranking_options": {"hybrid_search": {"embedding_weight": 1, "text_weight": 1e999}}}'
    error = refusal(
        lambda: api.post(
            path, cast_to=object, content=content, options={"headers": {"content-type": "application/json"}}
        )
    )
    assert (error.status_code, error.param) == (400, "ranking_options.hybrid_search.text_weight")


@pytest.mark.parametrize(("query", "param"), [("after=", "after"), ("before=vs_x", "before")])
def test_a_wrong_cursor_is_told_by_its_name(api: openai.OpenAI, query: str, param: str) -> None:
    error = refusal(lambda: wire(api, f"/vector_stores?{query}"))
    assert (error.status_code, error.param) == (400, param)
    error = refusal(lambda: wire(api, f"/vector_stores/{api.vector_stores.create().id}/files?{query}"))
    assert (error.status_code, error.param) == (400, param)


@pytest.mark.parametrize(("body", "message", "param", "code"), SEARCHES)
def test_a_wrong_search_is_refused_with_what_was_wrong(
    api: openai.OpenAI, body: dict[str, Any], message: str, param: str, code: str
) -> None:
    store = api.vector_stores.create()
    error = refusal(lambda: wire(api, f"/vector_stores/{store.id}/search", body))
    assert error.body == {"message": message, "type": "invalid_request_error", "param": param, "code": code}


STORES: list[tuple[dict[str, Any], str, str]] = [
    ({"expires_after": {"anchor": "created_at", "days": 1}}, "expires_after.anchor", "invalid_value"),
    ({"expires_after": {"anchor": "last_active_at", "days": 366}}, "expires_after.days", "integer_above_max_value"),
    ({"metadata": {str(n): "x" for n in range(17)}}, "metadata", "object_above_max_properties"),
    ({"file_ids": ["file-x"] * 501}, "file_ids", "array_above_max_length"),
    ({"colour": "red"}, "colour", "unknown_parameter"),
    ({"chunking_strategy": {"type": "magic"}}, "chunking_strategy.type", "invalid_value"),
]


@pytest.mark.parametrize(("body", "param", "code"), STORES)
def test_a_wrong_store_is_refused(api: openai.OpenAI, body: dict[str, Any], param: str, code: str) -> None:
    error = refusal(lambda: wire(api, "/vector_stores", body))
    assert (error.status_code, error.param, error.code) == (400, param, code)
    assert api.vector_stores.list().data == []


def test_a_store_is_not_made_of_a_file_that_is_not_there(api: openai.OpenAI) -> None:
    error = refusal(lambda: api.vector_stores.create(file_ids=["file-none"]))
    assert (error.status_code, error.param) == (404, "file_ids")
    assert "No such File object: file-none" in error.message
    assert api.vector_stores.list().data == []


def test_a_client_that_is_closed_leaves_no_thread(api: openai.OpenAI) -> None:
    filled(api, **{f"f{n}": "sky" for n in range(3)})
    api.close()
    assert [thread.name for thread in threading.enumerate() if thread.name in WORKERS] == []
