"""What is in a store: its files as a dataframe, one by one, their passages and attributes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import agentkit
from agentkit.exceptions import UserError
from agentkit.files.store import VectorStore

from .conftest import LEAVE, Wire


@pytest.fixture
def filled(store: VectorStore, folder: Path) -> VectorStore:
    (folder / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    store.add("docs/leave.md", attributes={"year": 2024, "rate": 0.5, "draft": False, "name": "x"})
    store.add("docs/broken.pdf")
    return store


def test_files_are_a_dataframe_with_nullable_columns(filled: VectorStore) -> None:
    frame = filled.files
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "name": "string", "filename": "string", "status": "category", "error": "string", "error_code": "string",
        "usage_bytes": "Int64", "created_at": "datetime64[s, UTC]", "file_id": "string", "year": "Int64",
        "rate": "Float64", "draft": "boolean", "attribute_name": "string",
    }  # fmt: skip
    assert frame[["name", "filename", "status", "error_code", "year"]].astype(object).to_numpy().tolist() == [
        ["docs/broken.pdf", "broken.pdf", "failed", "invalid_file", pd.NA],
        ["docs/leave.md", "leave.md", "completed", pd.NA, 2024],
    ]
    assert repr(filled) == "VectorStore('handbook', 2 files, 1 failed)"


def test_an_empty_store_has_an_empty_dataframe(store: VectorStore) -> None:
    assert (len(store.files), "name" in store.files.columns) == (0, True)


def test_a_file_is_found_by_any_of_its_names(filled: VectorStore) -> None:
    file = filled.file("docs/leave.md")
    (hit,) = filled.search("leave", limit=1)
    assert [filled.file(each).id for each in ("leave.md", file.id, file, hit)] == [file.id] * 4
    assert (file.status, file.filename, file.name) == ("completed", "leave.md", "docs/leave.md")
    assert file.attributes == {"year": 2024, "rate": 0.5, "draft": False, "name": "x"}


def test_a_file_is_found_by_its_path(filled: VectorStore, folder: Path) -> None:
    file = filled.file("docs/leave.md")
    paths = [Path("docs/leave.md"), folder / "docs" / "leave.md", Path("docs/office/../leave.md"), Path("leave.md")]
    assert [filled.file(path).id for path in paths] == [file.id] * 4
    filled.add(("file-plan.md", b"The plan."))
    assert filled.file(Path("file-plan.md")).filename == "file-plan.md"
    with pytest.raises(UserError, match="'handbook' has no file 'docs/absent.md'"):
        filled.file(Path("docs/absent.md"))
    filled.remove(Path("docs/leave.md"))
    assert "docs/leave.md" not in filled.files["name"].tolist()


def test_a_name_may_begin_as_ids_do(store: VectorStore) -> None:
    store.add(("file-plan.md", b"The plan."))
    assert store.file("file-plan.md").filename == "file-plan.md"
    with pytest.raises(UserError, match="'handbook' has no file 'file-other.md'"):
        store.file("file-other.md")


def test_a_file_that_is_not_there_or_not_the_only_one_is_told(filled: VectorStore) -> None:
    with pytest.raises(UserError, match="'handbook' has no file 'absent.md'. store.files lists"):
        filled.file("absent.md")
    with pytest.raises(UserError, match="'handbook' has no file 'file-none'. store.files lists"):
        filled.file("file-none")
    with pytest.raises(UserError, match="by its id, name or path, not by 3"):
        filled.file(3)
    filled.add(("other/leave.md", b"another"))
    with pytest.raises(UserError, match="2 files of 'handbook' are called 'leave.md'. Tell one by its id: file-"):
        filled.file("leave.md")


def test_passages_are_a_dataframe(filled: VectorStore) -> None:
    chunks = filled.chunks("leave.md")
    assert {name: str(kind) for name, kind in chunks.dtypes.items()} == {
        "chunk": "Int64", "text": "string", "page": "Int64", "last_page": "Int64", "heading": "string",
        "tokens": "Int64",
    }  # fmt: skip
    assert chunks[["chunk", "text", "heading"]].to_numpy().tolist() == [[0, LEAVE.strip(), "Leave"]]
    assert chunks["tokens"][0] > 10
    assert filled.chunks("broken.pdf").empty


def test_attributes_are_changed_one_by_one_or_all(filled: VectorStore) -> None:
    filled.set_attributes("leave.md", {"rate": None}, year=2026)
    assert filled.file("leave.md").attributes == {"year": 2026, "draft": False, "name": "x"}
    filled.set_attributes("leave.md", {"lang": "en"}, replace=True)
    assert filled.file("leave.md").attributes == {"lang": "en"}
    assert filled.search("leave", filters=agentkit.tooling.file_filters.attr("lang") == "en").files == ["leave.md"]
    assert filled.add("docs/leave.md").counts == {"unchanged": 1}


def test_wrong_attributes_are_told(filled: VectorStore) -> None:
    with pytest.raises(UserError, match=r"attribute 'year' can't be list \[1\]"):
        filled.set_attributes("leave.md", year=[1])
    with pytest.raises(UserError, match=r"docs/leave.md has 16 attributes; at most 15"):
        filled.set_attributes("leave.md", {f"k{n}": n for n in range(12)})


def test_files_are_removed_with_what_was_uploaded(filled: VectorStore) -> None:
    file_id = filled.file("leave.md").id
    filled.remove("leave.md", "docs/broken.pdf")
    assert len(filled) == 0
    with pytest.raises(Exception, match=file_id):
        agentkit.current_backend().sync_client.files.retrieve(file_id)


def test_files_of_others_are_only_taken_out(store: VectorStore) -> None:
    client = agentkit.current_backend().sync_client
    file = client.files.create(file=("mine.md", b"mine alone"), purpose="assistants")
    client.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id)
    assert store.files[["name", "filename"]].to_numpy().tolist() == [["mine.md", "mine.md"]]
    store.remove("mine.md")
    assert len(store) == 0
    assert client.files.retrieve(file.id).id == file.id


def test_a_file_that_is_not_there_does_not_keep_the_others(filled: VectorStore) -> None:
    with pytest.raises(UserError, match="no file 'absent.md'"):
        filled.remove("absent.md", "leave.md")
    assert filled.files["filename"].tolist() == ["broken.pdf"]
    with pytest.raises(UserError, match="nothing to remove"):
        filled.remove()


def test_names_of_many_files_are_looked_up_together(store: VectorStore, wire: Wire) -> None:
    store.add(*[(f"{number:02}.md", f"text {number}".encode()) for number in range(60)])
    watched = VectorStore.open(store.id, client=wire.client())
    wire.requests.clear()
    frame = watched.files
    assert frame["filename"].tolist() == [f"{number:02}.md" for number in range(60)]
    assert [path for _, path, _ in wire.requests] == [f"/vector_stores/{store.id}/files", "/files"]
