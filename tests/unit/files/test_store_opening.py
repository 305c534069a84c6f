"""Stores made, found, changed and deleted."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

import agentkit
from agentkit.exceptions import ModelConnectionError, UserError
from agentkit.files.opening import opened_or_made
from agentkit.files.store import VectorStore

from .conftest import Wire, refusal


def test_a_name_opens_the_store_or_makes_it() -> None:
    made = VectorStore("handbook")
    assert repr(made) == "VectorStore('handbook', 0 files)"
    assert VectorStore("handbook").id == made.id
    assert VectorStore(made.id).name == "handbook"
    assert bool(made)


def test_what_a_store_is_made_with_can_be_read_again() -> None:
    made = VectorStore.create("handbook", description="rules", metadata={"team": "hr"}, expires_after_days=7)
    info = VectorStore.open(made.id).info
    assert (info.name, info.description, info.metadata, info.expires_after_days) == (
        "handbook", "rules", {"team": "hr"}, 7,
    )  # fmt: skip
    assert made.expires_at is not None
    assert made.expires_at.timestamp() == info.expires_at


def test_of_several_of_a_name_the_newest_is_opened_and_told() -> None:
    VectorStore.create("handbook")
    newest = VectorStore.create("handbook")
    with pytest.warns(UserWarning, match="2 vector stores are called 'handbook'; this is the newest") as told:
        assert VectorStore.open("handbook").id == newest.id
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match="2 vector stores") as told:
        assert VectorStore("handbook").id == newest.id
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert VectorStore.open(newest.id).id == newest.id


def test_stores_are_listed_newest_first() -> None:
    for name in ("one", "two", "three"):
        VectorStore.create(name)
    assert [store.name for store in VectorStore.list()] == ["three", "two", "one"]


def test_a_name_that_is_not_there_is_told_with_what_is_near() -> None:
    VectorStore.create("handbook")
    with pytest.raises(UserError, match=r"There is no vector store 'handbok'. Did you mean 'handbook'\?"):
        VectorStore.open("handbok")
    with pytest.raises(UserError, match=r"Opening the vector store 'vs_none'.*VectorStore.list\(\)") as caught:
        VectorStore.open("vs_none")
    assert isinstance(caught.value, openai.NotFoundError)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": ""}, "name has to be a text"),
        ({"name": "a", "expires_after_days": 0}, "expires_after_days can't be 0. It is 1 to 365"),
        ({"name": "a", "metadata": {"k": 1}}, "metadata can't hold 'k': 1"),
        ({"name": "a", "metadata": {str(n): "" for n in range(17)}}, "17 entries; at most 16"),
        ({"name": "a", "expire_after_days": 3}, "no argument 'expire_after_days'. Did you mean expires_after_days"),
        ({}, "VectorStore.create needs name"),
    ],
)
def test_wrong_arguments_are_told_by_their_names(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        VectorStore.create(**options)


def test_a_store_is_changed() -> None:
    store = VectorStore.create("draft", metadata={"team": "hr"}, expires_after_days=7)
    assert store.update(name="handbook") is store
    assert (store.name, store.metadata, store.info.expires_after_days) == ("handbook", {"team": "hr"}, 7)
    store.update(metadata=None, expires_after_days=None)
    assert (store.name, store.metadata, store.info.expires_after_days) == ("handbook", {}, None)


def test_deleting_a_store_deletes_the_files_that_were_uploaded_for_it(store: VectorStore, wire: Wire) -> None:
    store.add("docs")
    VectorStore.open(store.id, client=wire.client()).delete()
    assert wire.count("DELETE", store.id) == 1
    assert sum(method == "DELETE" and path.startswith("/files/") for method, path, _ in wire.requests) == 3
    gone = rf"'handbook' \({store.id}\) is gone: .* agentkit.VectorStore.create\('handbook'\)"
    with pytest.raises(UserError, match=gone) as caught:
        store.search("leave")
    assert isinstance(caught.value, openai.NotFoundError)
    assert VectorStore.list() == []


def test_whether_files_are_deleted_is_yes_or_no(store: VectorStore) -> None:
    ids = store.add("docs")["file_id"].tolist()
    with pytest.raises(UserError, match="files has to be True or False, not 'no'. Nothing was deleted"):
        store.delete(files="no")  # type: ignore[arg-type]
    assert agentkit.current_backend().sync_client.files.retrieve(ids[0]).id == ids[0]


def test_files_stay_where_that_is_wanted(store: VectorStore) -> None:
    ids = store.add("docs")["file_id"].tolist()
    store.delete(files=False)
    assert agentkit.current_backend().sync_client.files.retrieve(ids[0]).id == ids[0]


async def test_async_code_makes_opens_and_deletes_stores() -> None:
    made = await VectorStore.acreate("handbook")
    opened = await VectorStore.aopen("handbook")
    assert (await opened.arefresh()).id == made.id
    await opened.adelete()
    with pytest.raises(UserError, match="There is no vector store 'handbook'"):
        await VectorStore.aopen("handbook")


class Racing(Wire):
    """Lets nobody make a store before so many have looked, which then see none."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number, self._looked, self._all_looked = number, 0, asyncio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST" and request.url.path == "/v1/vector_stores":
            await self._all_looked.wait()
        answer = await super().handle_async_request(request)
        if request.method == "GET" and request.url.path == "/v1/vector_stores":
            self._looked += 1
            if self._looked >= self._number:
                self._all_looked.set()
        return answer


def test_of_several_that_make_a_store_at_once_all_take_the_first() -> None:
    client = Racing(3).client()
    with ThreadPoolExecutor(3) as threads:
        opened = list(threads.map(lambda _: VectorStore("race", client=client), range(3)))
    (left,) = VectorStore.list()
    assert {store.id for store in opened} == {left.id}


def test_a_store_made_at_once_is_not_taken_back_where_something_is_in_it_by_then(wire: Wire, folder: Path) -> None:
    """Somebody makes another first, and a third one puts a file into the store before the listing is read."""
    others: list[VectorStore] = []

    def race(request: httpx2.Request) -> None:
        if request.method == "POST" and request.url.path == "/v1/vector_stores" and not others:
            others.append(VectorStore.create("race"))
        elif request.method == "GET" and others and len(others) == 1 and len(stores := VectorStore.list()) == 2:
            others.append(stores[0])
            stores[0].add(("notes.md", b"notes"))

    wire.answers = race
    with ThreadPoolExecutor(1) as thread:
        opened = thread.submit(run_alone, opened_or_made(wire.client(), "race")).result()
    assert opened[0].id == others[0].id
    assert {store.id for store in VectorStore.list()} == {store.id for store in others}


def run_alone(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a loop of its own: the kit's stays free for what the wire does meanwhile."""
    return asyncio.run(coroutine)


def test_a_store_that_is_about_to_be_taken_back_is_not_opened(wire: Wire) -> None:
    first = VectorStore.create("race")
    second = VectorStore.create("race")
    lists = iter(range(9))

    def take_back(request: httpx2.Request) -> None:
        if request.method == "GET" and request.url.path == "/v1/vector_stores" and next(lists) == 1:
            run_alone_in_thread(second)

    wire.answers = take_back
    with ThreadPoolExecutor(1) as thread:
        opened, count = thread.submit(run_alone, opened_or_made(wire.client(), "race")).result()
    assert (opened.id, count) == (first.id, 1)


def run_alone_in_thread(store: VectorStore) -> None:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(store.delete).result()


def test_names_that_cannot_be_used_are_told_and_long_ones_cut() -> None:
    store = VectorStore.create("handbook")
    with pytest.raises(UserError, match="A vector store's name has to be a text, not ''"):
        store.update(name="")
    with pytest.raises(UserError, match=r"A vector store's name can't be sent: '\\ud800' at character 1 is half"):
        VectorStore("a\ud800")
    for do in (VectorStore, VectorStore.create, VectorStore.open):
        with pytest.raises(UserError) as caught:
            do("x" * 300)
        assert "x" * 90 not in str(caught.value)
    assert [each.name for each in VectorStore.list()] == ["handbook"]


@pytest.mark.parametrize("do", ["files", "add", "aadd", "file", "chunks", "evaluate", "sync"])
async def test_a_store_that_is_gone_is_told_wherever_it_is_used(store: VectorStore, do: str) -> None:
    await store.adelete()
    given: dict[str, Any] = {
        "files": lambda: store.files, "add": lambda: store.add("docs"), "file": lambda: store.file("a.md"),
        "chunks": lambda: store.chunks("a.md"), "evaluate": lambda: store.evaluate([("Days?", "a.md")]),
        "sync": lambda: store.sync("docs"),
    }  # fmt: skip
    with pytest.raises(UserError, match=rf"The vector store 'handbook' \({store.id}\) is gone: it was deleted"):
        await (store.aadd("docs") if do == "aadd" else asyncio.to_thread(given[do]))


def test_a_server_without_vector_stores_is_told_so(wire: Wire) -> None:
    wire.answers = lambda request: httpx2.Response(404, json={"detail": "Not Found"})
    with pytest.raises(UserError, match=r"agentkit.local/v1/ has no vector stores: it answered 404"):
        VectorStore("handbook", client=wire.client())


def test_a_platform_that_is_not_there_is_told_so(wire: Wire) -> None:
    def gone(request: httpx2.Request) -> None:
        raise httpx2.ConnectError("connection refused")

    wire.answers = gone
    with pytest.raises(ModelConnectionError, match="No connection to http://agentkit.local/v1/: connection refused"):
        VectorStore.list(client=wire.client())


def test_an_expired_store_is_made_anew_and_not_opened(wire: Wire) -> None:
    old = VectorStore.create("handbook", expires_after_days=1)

    def expired(request: httpx2.Request) -> httpx2.Response | None:
        if request.method == "GET" and request.url.path == "/v1/vector_stores":
            told = openai.types.VectorStore.model_validate(_store_json(old.id)).model_dump()
            return httpx2.Response(200, json={"object": "list", "data": [told], "has_more": False})
        return None

    wire.answers = expired
    with pytest.raises(UserError, match="'handbook' has expired: it was not used for 1 days. Make it anew"):
        VectorStore.open("handbook", client=wire.client())
    assert VectorStore("handbook", client=wire.client()).id != old.id


def _store_json(store_id: str) -> dict[str, Any]:
    counts = dict.fromkeys(("in_progress", "completed", "failed", "cancelled", "total"), 0)
    return {
        "id": store_id, "object": "vector_store", "created_at": 1, "name": "handbook", "status": "expired",
        "file_counts": counts, "usage_bytes": 0, "metadata": None, "last_active_at": 1,
        "expires_after": {"anchor": "last_active_at", "days": 1},
    }  # fmt: skip


def test_a_list_without_an_end_is_read_once(wire: Wire) -> None:
    def again(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"object": "list", "data": [_store_json("vs_1")], "has_more": True})

    wire.answers = again
    assert [store.id for store in VectorStore.list(client=wire.client())] == ["vs_1"]


def test_a_failing_server_is_told_with_its_status(wire: Wire) -> None:
    wire.answers = lambda request: refusal(500, "The disk is full.")
    with pytest.raises(openai.InternalServerError, match="answered 500: The disk is full"):
        VectorStore.create("handbook", client=wire.client())
