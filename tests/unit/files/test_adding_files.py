"""Files put into a store: what is uploaded, left, replaced and refused."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import httpx2
import pandas as pd
import pytest

from agentkit.exceptions import ModelConnectionError, ModelStatusError, UserError
from agentkit.files.attributes import SOURCE_KEY
from agentkit.files.progress import StoreProgress
from agentkit.files.report import AddReport
from agentkit.files.store import VectorStore

from .conftest import LEAVE, Wire, refusal


def outcomes(report: AddReport) -> dict[str, str]:
    return dict(zip(report["name"], report["outcome"], strict=True))


ALL = ("docs/leave.md", "docs/office/kitchen.txt", "docs/travel.md")


def test_a_folder_is_uploaded_and_can_be_searched_at_once(store: VectorStore) -> None:
    report = store.add("docs")
    assert outcomes(report) == dict.fromkeys(ALL, "uploaded")
    assert repr(report) == "3 files for 'handbook': 3 uploaded"
    assert dict(zip(report["name"], report["bytes"], strict=True))["docs/leave.md"] == len(LEAVE)
    assert store.search("coffee").files == ["kitchen.txt"]
    assert (len(store), store.status) == (3, "completed")


def test_what_has_not_changed_is_neither_sent_nor_indexed_again(store: VectorStore, wire: Wire) -> None:
    store.add("docs")
    same = VectorStore.open(store.id, client=wire.client())
    assert outcomes(same.add("docs")) == dict.fromkeys(ALL, "unchanged")
    assert {method for method, _, _ in wire.requests} == {"GET"}


def test_a_changed_file_takes_the_place_of_the_earlier_one(store: VectorStore, folder: Path) -> None:
    before = store.add("docs", attributes={"team": "hr"})
    (folder / "docs" / "leave.md").write_text("Everybody has forty days.", encoding="utf-8")
    assert outcomes(store.add("docs")) == dict.fromkeys(ALL, "unchanged") | {"docs/leave.md": "replaced"}
    assert [hit.text for hit in store.search("days")] == ["Everybody has forty days."]
    assert len(store) == 3
    assert store.file("docs/leave.md").attributes == {"team": "hr"}
    with pytest.raises(UserError):
        store.file(before["file_id"][0])


async def test_the_earlier_file_is_removed_only_when_the_new_one_is_ready(
    store: VectorStore, folder: Path, wire: Wire
) -> None:
    await store.aadd("docs")
    (folder / "docs" / "leave.md").write_text("Everybody has forty days.", encoding="utf-8")
    watched = await VectorStore.aopen(store.id, client=wire.client())
    await watched.aadd("docs")
    steps = [f"{method} {path.split('/')[-1][:4]}" for method, path, _ in wire.requests if method != "GET"]
    assert steps == ["POST file", "POST file", "DELETE file", "DELETE file"]


def test_other_attributes_are_changed_without_an_upload(store: VectorStore, wire: Wire) -> None:
    store.add("docs", attributes={"year": 2025})
    again = VectorStore.open(store.id, client=wire.client())
    report = again.add("docs", attributes={"year": 2026})
    assert outcomes(report) == dict.fromkeys(ALL, "updated")
    assert wire.count("POST", "/files") == 0
    assert store.files["year"].tolist() == [2026, 2026, 2026]


def test_the_source_is_kept_as_sha256sum_writes_it(store: VectorStore, wire: Wire) -> None:
    watched = VectorStore.open(store.id, client=wire.client())
    watched.add("docs/leave.md", attributes={"year": 2026})
    (batch,) = [body for _, path, body in wire.requests if path.endswith("/file_batches")]
    digest = hashlib.sha256(LEAVE.encode()).hexdigest()
    assert batch["files"][0]["attributes"] == {"year": 2026, SOURCE_KEY: f"{digest}  docs/leave.md"}


def test_a_file_that_fails_does_not_stop_the_others(store: VectorStore, folder: Path) -> None:
    (folder / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    report = store.add("docs")
    assert outcomes(report) == dict.fromkeys(ALL, "uploaded") | {"docs/broken.pdf": "failed"}
    (reason,) = report.problems["reason"]
    assert reason
    assert f"failed  docs/broken.pdf: {reason}" in repr(report)
    assert store.file("docs/broken.pdf").status == "failed"
    assert store.search("coffee").files == ["kitchen.txt"]


def test_a_file_that_failed_is_tried_again(store: VectorStore, folder: Path) -> None:
    path = folder / "docs" / "broken.pdf"
    path.write_bytes(b"%PDF-1.7 and then nothing")
    assert outcomes(store.add(path)) == {"docs/broken.pdf": "failed"}
    assert outcomes(store.add(path)) == {"docs/broken.pdf": "failed"}
    assert len(store) == 1


def test_a_replacement_that_fails_leaves_the_earlier_file_in_its_place(store: VectorStore) -> None:
    store.add(b"Everybody has thirty days.", name="leave.html")
    report = store.add(b"", name="leave.html")
    assert report["outcome"].tolist() == ["failed"]
    assert [hit.text for hit in store.search("days")] == ["Everybody has thirty days."]
    assert len(store) == 1


def test_pictures_and_archives_in_a_folder_are_skipped_and_unknown_texts_taken_as_text(
    store: VectorStore, folder: Path
) -> None:
    (folder / "docs" / "plan.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (folder / "docs" / "notes.rst").write_text("Ask the librarian.", encoding="utf-8")
    (folder / "docs" / ".hidden.md").write_text("hidden", encoding="utf-8")
    report = store.add("docs")
    assert outcomes(report) == dict.fromkeys(ALL, "uploaded") | {
        "docs/notes.rst": "uploaded", "docs/plan.png": "skipped",
    }  # fmt: skip
    assert report.problems["reason"].tolist() == ["not a document: .png, and no text"]
    assert store.search("librarian").files == ["notes.rst.txt"]


def test_attributes_may_be_made_by_a_function_whose_failure_is_that_files(store: VectorStore) -> None:
    def made(path: Path) -> dict[str, Any]:
        if path.suffix == ".txt":
            raise ValueError("no year in it")
        return {"size": path.stat().st_size, "kind": path.suffix, "owner": None}

    report = store.add("docs", attributes=made)
    assert report.problems[["name", "reason"]].to_numpy().tolist() == [
        ["docs/office/kitchen.txt", "attributes(…) raised ValueError: no year in it"]
    ]
    assert store.file("docs/leave.md").attributes == {"size": len(LEAVE), "kind": ".md"}


def test_a_batch_that_is_refused_is_tried_file_by_file(store: VectorStore, wire: Wire) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path.endswith("/file_batches") and b"docs/travel.md" in request.content:
            return refusal(400, "one of the files is not to our taste")
        return None

    wire.answers = refuse
    watched = VectorStore.open(store.id, client=wire.client())
    report = watched.add("docs")
    assert outcomes(report) == dict.fromkeys(ALL, "uploaded") | {"docs/travel.md": "failed"}
    assert "one of the files is not to our taste" in report.problems["reason"].iloc[0]
    assert wire.count("POST", "/file_batches") == 5
    assert len(watched) == 2


def test_an_upload_that_is_refused_is_that_files_alone(store: VectorStore, wire: Wire) -> None:
    wire.answers = lambda request: (
        refusal(413, "The file is too large.") if b"coffee" in request.content and request.method == "POST" else None
    )
    report = VectorStore.open(store.id, client=wire.client()).add("docs")
    assert report.problems[["name", "reason"]].to_numpy().tolist() == [
        ["docs/office/kitchen.txt", "Uploading 'kitchen.txt': The file is too large."]
    ]


def test_a_wrong_key_ends_it_at_once(store: VectorStore, wire: Wire) -> None:
    wire.answers = lambda request: refusal(401, "Incorrect API key.") if request.method == "POST" else None
    watched = VectorStore.open(store.id, client=wire.client())
    with pytest.raises(ModelStatusError, match="Incorrect API key") as caught:
        watched.add("docs", concurrency=1)
    assert caught.value.status_code == 401
    assert wire.count("POST", "/files") == 1


def test_a_platform_that_stays_away_is_given_up(store: VectorStore, folder: Path, wire: Wire) -> None:
    for number in range(20):
        (folder / "docs" / f"{number}.md").write_text("text", encoding="utf-8")

    def gone(request: httpx2.Request) -> None:
        if request.method == "POST":
            raise httpx2.ConnectError("connection refused")

    wire.answers = gone
    watched = VectorStore.open(store.id, client=wire.client())
    with pytest.raises(ModelConnectionError, match="connection refused"):
        watched.add("docs", concurrency=1)
    assert wire.count("POST", "/files") == 5


def test_a_stop_keeps_what_was_uploaded_and_the_next_call_goes_on(store: VectorStore, folder: Path) -> None:
    for number in range(8):
        (folder / "docs" / f"{number}.md").write_text(f"text {number}", encoding="utf-8")

    def stop(event: StoreProgress) -> None:
        if event.uploaded == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="of 11 files are in 'handbook'.*; the same call goes on") as stopped:
        store.add("docs", concurrency=1, on_progress=stop)
    kept = len(store.files)
    assert str(stopped.value).startswith(f"{kept} of 11 files")
    assert kept >= 4
    report = store.add("docs")
    assert report.counts == {"uploaded": 11 - kept, "unchanged": kept} if kept < 11 else {"unchanged": 11}
    assert len(store) == 11
    assert store.files["status"].tolist() == ["completed"] * 11


def test_a_stop_tells_what_is_in_the_store_and_still_being_indexed(store: VectorStore, wire: Wire) -> None:
    def stop(event: StoreProgress) -> None:
        if event.to_index == 3:
            raise KeyboardInterrupt

    counts = {"in_progress": 3, "completed": 0, "failed": 0, "cancelled": 0, "total": 3}
    wire.answers = lambda request: (
        httpx2.Response(200, json={
            "id": "vsfb_1", "object": "vector_store.files_batch", "created_at": 1, "status": "in_progress",
            "vector_store_id": "vs_1", "file_counts": counts,
        })
        if request.method == "GET" and "/file_batches/" in request.url.path else None
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt) as stopped:
        VectorStore.open(store.id, client=wire.client()).add("docs", on_progress=stop)
    assert str(stopped.value) == (
        "3 of 3 files are in 'handbook', 3 of them still being indexed: store.wait() waits for these; "
        "the same call goes on."
    )
    assert store.wait()
    assert store.add("docs").counts == {"unchanged": 3}


def test_without_waiting_files_are_left_to_the_platform(store: VectorStore) -> None:
    report = store.add("docs", wait=False)
    assert outcomes(report) == dict.fromkeys(ALL, "indexing")
    assert store.wait()
    assert store.files["status"].tolist() == ["completed"] * 3


def test_waiting_ends_where_nothing_becomes_ready(store: VectorStore, wire: Wire) -> None:
    def stuck(request: httpx2.Request) -> httpx2.Response | None:
        path = request.url.path
        if request.method == "GET" and "/file_batches/" in path and not path.endswith("/files"):
            counts = {"in_progress": 3, "completed": 0, "failed": 0, "cancelled": 0, "total": 3}
            return httpx2.Response(200, json={
                "id": "vsfb_1", "object": "vector_store.files_batch", "created_at": 1, "status": "in_progress",
                "vector_store_id": "vs_1", "file_counts": counts,
            })  # fmt: skip
        if request.method == "GET" and "/file_batches/" in path:
            return httpx2.Response(200, json={"object": "list", "data": [], "has_more": False})
        return None

    wire.answers = stuck
    report = VectorStore.open(store.id, client=wire.client()).add("docs", timeout_s=0)
    assert outcomes(report) == dict.fromkeys(ALL, "indexing")
    assert report.problems["reason"].tolist() == ["still being indexed; store.wait() waits for it"] * 3


def test_files_are_cut_as_is_asked_and_anew_when_that_changes(store: VectorStore, folder: Path) -> None:
    (folder / "long.txt").write_text(
        "".join(f"Sentence number {n} says little. " for n in range(400)), encoding="utf-8"
    )
    store.add("long.txt", chunk_tokens=200, overlap_tokens=0)
    small = len(store.chunks("long.txt"))
    assert outcomes(store.add("long.txt")) == {"long.txt": "unchanged"}
    assert outcomes(store.add("long.txt", chunk_tokens=800)) == {"long.txt": "replaced"}
    assert len(store.chunks("long.txt")) < small
    assert len(store) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"chunk_tokens": 99}, "chunk_tokens can't be 99. It is 100 to 4096."),
        ({"chunk_tokens": 400, "overlap_tokens": 201}, "overlap_tokens can't be 201. It is 0 to 200"),
        ({"concurrency": 0}, "concurrency can't be 0"),
        ({"timeout_s": -1}, "timeout_s can't be -1"),
        ({"attributes": {f"k{n}": n for n in range(16)}}, "attributes has 16 attributes; at most 15 are kept"),
        ({"attributes": {SOURCE_KEY: "x"}}, "agentkit keeps 'agentkit_source' for itself"),
        ({"attributes": {"k": "x" * 513}}, "attribute 'k' has 513 characters; at most 512"),
        ({"attributes": {"k": [1]}}, r"attribute 'k' can't be list \[1\]"),
        ({"attributes": {"k" * 65: 1}}, "no key that the API takes"),
        ({"attributes": 3}, "attributes can't be 3"),
        ({"attribute": {"k": 1}}, "store.add has no argument 'attribute'. Did you mean attributes"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(
    store: VectorStore, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        store.add("docs", **options)
    assert len(store.refresh()) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"attributes": "year"}, "attributes='year': attributes names columns, which only dataframes have"),
        ({"base": "absent"}, "base='absent' isn't there. It is the folder"),
        ({"base": "docs/leave.md"}, "base='docs/leave.md' is no folder"),
        ({"base": ""}, "base='' isn't there"),
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(store: VectorStore, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        store.add("docs", **options)
    assert len(store.refresh()) == 0


def test_the_report_is_a_dataframe(store: VectorStore) -> None:
    report = store.add("docs")
    assert isinstance(report, pd.DataFrame)
    assert {name: str(kind) for name, kind in report.dtypes.items()} == {
        "name": "string", "outcome": "category", "reason": "string", "bytes": "Int64", "file_id": "string",
    }  # fmt: skip
    assert type(report[report["bytes"] > 80]) is pd.DataFrame
    assert (report.counts, report.attrs["store"]) == ({"uploaded": 3}, "handbook")


def test_attributes_are_made_in_the_callers_thread(store: VectorStore) -> None:
    threads: list[threading.Thread] = []
    store.add("docs", attributes=lambda path: threads.append(threading.current_thread()) or {"year": 2026})
    assert threads == [threading.current_thread()] * 3
    assert store.files["year"].tolist() == [2026] * 3


def test_attributes_of_a_file_that_cannot_be_kept_are_that_files_failure(store: VectorStore) -> None:
    report = store.add("docs", attributes=lambda path: {"note": "x" * (513 if path.suffix == ".txt" else 1)})
    assert report.problems[["name", "reason"]].to_numpy().tolist() == [
        ["docs/office/kitchen.txt",
         "attribute 'note' has 513 characters; at most 512 are kept."],
    ]  # fmt: skip
