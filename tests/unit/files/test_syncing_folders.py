"""A store that has what folders have, and nothing of theirs that is gone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from agentkit.exceptions import UserError
from agentkit.files.store import VectorStore


def test_what_is_gone_from_the_folder_is_removed_and_nothing_else(store: VectorStore, folder: Path) -> None:
    (folder / "other.md").write_text("other", encoding="utf-8")
    store.add("docs", "other.md", ("notes.md", b"notes"))
    (folder / "docs" / "leave.md").unlink()
    (folder / "docs" / "new.md").write_text("new", encoding="utf-8")
    report = store.sync("docs")
    assert report[["name", "outcome"]].to_numpy().tolist() == [
        ["docs/new.md", "uploaded"], ["docs/travel.md", "unchanged"], ["docs/office/kitchen.txt", "unchanged"],
        ["docs/leave.md", "removed"],
    ]  # fmt: skip
    assert store.files["name"].tolist() == [
        "bytes:notes.md", "docs/new.md", "docs/office/kitchen.txt", "docs/travel.md", "other.md",
    ]  # fmt: skip
    assert len(store.search("leave")) == 0


def test_a_pattern_removes_only_what_it_stands_for(store: VectorStore, folder: Path) -> None:
    store.add("docs")
    (folder / "docs" / "leave.md").unlink()
    (folder / "docs" / "office" / "kitchen.txt").unlink()
    assert store.sync("docs/*.md").counts == {"unchanged": 1, "removed": 1}
    assert store.files["name"].tolist() == ["docs/office/kitchen.txt", "docs/travel.md"]


def test_a_folder_that_is_gone_or_empty_empties_nothing(store: VectorStore, folder: Path) -> None:
    store.add("docs")
    shutil.rmtree(folder / "docs")
    with pytest.raises(UserError, match="sync needs a folder, and 'docs' isn't there. Nothing was changed"):
        store.sync("docs")
    with pytest.raises(UserError, match="sync needs a folder, and 'docs' isn't there. Nothing was changed"):
        store.sync("docs/**/*.md", allow_empty=True)
    (folder / "docs").mkdir()
    with pytest.raises(UserError, match=r"no file in the folder 'docs'. Nothing was removed.*allow_empty=True"):
        store.sync("docs")
    assert len(store.refresh()) == 3
    assert store.sync("docs", allow_empty=True).counts == {"removed": 3}
    assert len(store) == 0


def test_of_several_folders_only_those_that_are_empty_are_emptied(store: VectorStore, folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "more.md").write_text("more", encoding="utf-8")
    store.sync("more", "docs")
    (folder / "more" / "more.md").unlink()
    with pytest.raises(UserError, match=r"no file in the folder 'more'. Nothing was removed"):
        store.sync("more", "docs")
    report = store.sync("more", "docs", allow_empty=True)
    assert report.counts == {"unchanged": 3, "removed": 1}


def test_a_wrong_argument_empties_nothing(store: VectorStore) -> None:
    store.add("docs")
    with pytest.raises(UserError, match=r"attributes can't be 3. Use a dictionary"):
        store.sync("docs", attributes=3, allow_empty=True)  # type: ignore[arg-type]
    assert len(store.refresh()) == 3


def test_a_folder_of_links_alone_is_empty(store: VectorStore, folder: Path) -> None:
    store.add("docs")
    shutil.move(folder / "docs", folder / "moved")
    (folder / "docs").mkdir()
    (folder / "docs" / "leave.md").symlink_to(folder / "moved" / "leave.md")
    with pytest.raises(UserError, match="no file in the folder 'docs'. Nothing was removed"):
        store.sync("docs")
    report = store.sync("docs", allow_empty=True)
    assert report.counts == {"removed": 2, "skipped": 1}
    assert store.files["name"].tolist() == ["docs/leave.md"]


def test_what_was_added_through_a_link_stays(store: VectorStore, folder: Path) -> None:
    (folder / "shared").mkdir()
    (folder / "shared" / "rule.md").write_text("rule", encoding="utf-8")
    (folder / "docs" / "linked").symlink_to(folder / "shared", target_is_directory=True)
    store.add("docs", "docs/linked")
    assert store.sync("docs").counts == {"unchanged": 3, "skipped": 1}
    assert "docs/linked/rule.md" in store.files["name"].tolist()


def test_files_are_removed_from_the_platform_too(store: VectorStore, folder: Path) -> None:
    first = store.add("docs")
    (folder / "docs" / "leave.md").unlink()
    store.sync("docs")
    gone = first.set_index("name")["file_id"]["docs/leave.md"]
    other = VectorStore.create("other")
    with pytest.raises(UserError, match=gone):
        other.remove(gone)


@pytest.mark.parametrize("source", ["docs", "docs/**/*.txt", "docs/office/*.txt"])
def test_what_cannot_be_read_is_not_taken_to_be_gone(
    store: VectorStore, folder: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    store.add("docs")
    scandir = os.scandir

    def refusing(path: str) -> Any:
        if str(path).endswith("office"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(UserError, match=r"The folder 'docs/office' can't be read: Permission denied"):
        store.sync(source)
    assert len(store.refresh()) == 3


@pytest.mark.parametrize("source", [b"data", "https://example.com/docs", 3])
def test_only_folders_and_patterns_can_be_synced(store: VectorStore, source: object) -> None:
    with pytest.raises(UserError, match="sync takes folders and patterns"):
        store.sync(source)


def test_a_file_is_no_folder(store: VectorStore) -> None:
    with pytest.raises(UserError, match=r"'docs/leave.md' is a file"):
        store.sync("docs/leave.md")
    with pytest.raises(UserError, match="'' is no path"):
        store.sync("")
    with pytest.raises(UserError, match="nothing to sync with"):
        store.sync()
