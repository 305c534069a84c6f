"""The views of file search, with one text in each place that takes a text from outside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
from every_view import Bundle

from agentkit import Agent, Runner
from agentkit.files.comparing import Comparison, Tried
from agentkit.files.evaluation import Evaluation
from agentkit.files.listing import StoreFile
from agentkit.files.opening import StoreInfo
from agentkit.files.progress import FileOutcome, StoreProgress
from agentkit.files.search import Hit, SearchResult
from agentkit.files.store import VectorStore
from agentkit.notebook.display.citations import cited_html, cited_text, sources_line
from agentkit.notebook.display.file_search import Citation, FileSearch, Passage
from agentkit.notebook.display.found_view import citation_bundle, hit_bundle, result_bundle
from agentkit.notebook.display.passages import search_html
from agentkit.notebook.display.run_view import run_bundle
from agentkit.notebook.display.store_view import (
    comparison_bundle,
    evaluation_bundle,
    outcomes_bundle,
    store_bundle,
)
from agentkit.notebook.filling_watch import filling_html
from agentkit.notebook.store_browser.front import StoreFront
from agentkit.notebook.store_browser.kept import kept_store
from agentkit.runtime.citations import Citation as Citation_
from agentkit.testing import ScriptedModel

__all__ = ["citing_items", "citing_runs", "store_bundles", "store_fragments", "store_messages"]


def store_for(text: str) -> VectorStore:
    """Return a store that nothing is asked of."""
    store = object.__new__(VectorStore)
    store._info = StoreInfo(
        text, text, cast("Any", text), 1, text, {text: text}, 1_234, 1, 3, 1, 1, 1, 1, 1, text or None, text
    )
    return store


def words_only(text: str) -> VectorStore:
    store = store_for(text)
    store._info = StoreInfo("vs_1", text, "expired", 1, failed=2, why_words_only=text)
    return store


def hit_for(text: str) -> Hit:
    return Hit(text, 0.5, text, text, {text: text, "b": text}, text, None, 3, text, 0)


def file_for(text: str, status: Any = "failed") -> StoreFile:
    return StoreFile(text, text, status, text, text, 12, 1, {text: text}, None, None, None)


def evaluation_for(text: str) -> Evaluation:
    row = {"question": text, "expected": text, "rank": 2, "recall@1": 0.0, "reciprocal_rank": 0.5, "ndcg@1": 0.0}
    rows = [row | {"first": text, "score": 0.5}, row | {"rank": None, "first": None, "score": None}]
    frame = pd.DataFrame(rows).astype({"rank": "Int64"})
    return Evaluation(frame, (1,), text)


def store_bundles(text: str) -> Iterator[tuple[str, Bundle]]:
    """Yield every kept output of file search."""
    yield "store", store_bundle(store_for(text))
    yield "store, words only", store_bundle(words_only(text))
    kinds = ("failed", "skipped", "uploaded", "replaced", "indexing")
    yield "report", outcomes_bundle(text, [FileOutcome(text, cast("Any", kind), text, 3) for kind in kinds], text)
    result = SearchResult(text, text, [hit_for(text), hit_for(f"{text} {'and more words ' * 40}")], [f"{text} again"])
    yield "found", result_bundle(result)
    yield "nothing found", result_bundle(SearchResult(text, text, []))
    yield "hit", hit_bundle(hit_for(text))
    yield "citation", citation_bundle(Citation_(1, "file", text, text, text, text, 0.5, 2, text, 0, {}, text))
    yield "evaluation", evaluation_bundle(evaluation_for(text))
    yield "comparison", comparison_bundle(Comparison([Tried(text, text, evaluation_for(text))]))
    files = [file_for(text), file_for(text, "completed"), file_for(text, text)]
    yield "kept store", kept_store(store_for(text), files, result)


def call_for(text: str) -> dict[str, Any]:
    """Return a search as the platform tells of it."""
    result = {"file_id": "f", "filename": text, "score": 0.5, "text": text, "attributes": {text: text}}
    more = {"agentkit": {"page": 2, "heading": text}}
    odd = {"file_id": 3, "filename": None, "score": text, "text": [text], "attributes": text, "agentkit": text}
    found = [result, result | more, odd, text, None]
    return {"type": "file_search_call", "id": "fs", "status": "completed", "queries": [text, text], "results": found}


def message_for(text: str) -> dict[str, Any]:
    """Return an answer that cites, at each of its first places and where none can be."""
    places = [*range(min(len(text), 12)), len(text), len(text) * 2, -5]
    notes: list[Any] = [{"type": "file_citation", "file_id": "f", "filename": text, "index": at} for at in places]
    notes += [{"type": "file_citation", "file_id": text, "filename": text, "index": text}, {"type": text}, text]
    notes += [
        {"type": "url_citation", "url": url, "title": text, "end_index": 3} for url in (text, f"https://a/{text}")
    ]
    part = {"type": "output_text", "text": text, "annotations": notes}
    return {"type": "message", "role": "assistant", "content": [part]}


def citing_items(text: str) -> list[dict[str, Any]]:
    """Return the items of a conversation with a search and an answer that cites."""
    return [{"role": "user", "content": text}, call_for(text), message_for(text)]


async def citing_runs(text: str) -> AsyncIterator[tuple[str, Bundle]]:
    """Yield the kept outputs of runs that searched and cite."""
    model = ScriptedModel().reply(call_for(text), message_for(text))
    result = await Runner.run(Agent(name="a", model=model), "Hi")
    yield "citing run", run_bundle(result)


def store_fragments(text: str) -> Iterator[str]:
    """Yield the pieces of HTML that widgets are sent."""
    failed = [FileOutcome(text, "failed", text)] * 9
    yield filling_html(StoreProgress(text, "uploading", 3, 1, 1, 1, 0, 1, file=text), failed)
    yield search_html(FileSearch.of(call_for(text)), 4_000)
    passages = [Passage(text, text, "f", 0.5, 2, text, text), Passage(text, text, text)]
    cited = [Citation(at, "f", text) for at in range(0, len(text) + 1, max(1, len(text) // 9))]
    for math in ("tex", "mathml"):
        yield cited_html(text, cited, passages, math=cast("Any", math))
    yield sources_line(text, cited, passages)
    assert cited_text(text, cited, passages)


async def store_messages(text: str) -> list[dict[str, Any]]:
    """Return what the front end of a store's browser is sent."""
    sent: list[dict[str, Any]] = []
    front = StoreFront(
        cast("Any", SimpleNamespace(send=sent.append)), asyncio.get_running_loop(), store_for(text), [file_for(text)]
    )
    front._found = SearchResult(text, text, [hit_for(text)])
    front.says({"kind": "upload", "key": "1", "name": text or "a", "last": False}, [b"some text"])
    await asyncio.sleep(0)
    front._jobs["1"].state, front._jobs["1"].reason = "failed", text
    front.says({"kind": "ready"})
    await asyncio.sleep(0)
    front.tell(text)
    front._send_files()
    front._send_jobs()
    json.dumps(sent)
    return sent
