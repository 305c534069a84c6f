"""No file takes the place of another that merely has the same last part, or the same number, for a name."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from agentkit.exceptions import UserError
from agentkit.files.naming import path_name
from agentkit.files.sources import scope_of
from agentkit.files.store import VectorStore


@pytest.fixture
def reports(folder: Path) -> Path:
    """The folder beside the working one, with xx/rep/r.md and yy/rep/r.md."""
    for name in ("xx", "yy"):
        (folder.parent / name / "rep").mkdir(parents=True)
        (folder.parent / name / "rep" / "r.md").write_text(f"The report of {name}.", encoding="utf-8")
    return folder.parent


def test_folders_elsewhere_of_one_name_keep_their_files_apart(store: VectorStore, reports: Path) -> None:
    for name in ("xx", "yy"):
        assert store.add(reports / name / "rep").counts == {"uploaded": 1}
        assert store.add(f"../{name}/rep/r.md").counts == {"uploaded": 1}
    outside = reports.as_posix()
    assert store.files["name"].tolist() == sorted(
        ["../xx/rep/r.md", "../yy/rep/r.md", f"{outside}/xx/rep/r.md", f"{outside}/yy/rep/r.md"]
    )
    assert store.chunks(reports / "yy" / "rep" / "r.md")["text"].tolist() == ["The report of yy."]


def test_a_file_elsewhere_is_found_by_its_path_however_it_was_typed(store: VectorStore, reports: Path) -> None:
    store.add("../xx/rep", reports / "yy" / "rep")
    assert store.file(reports / "xx" / "rep" / "r.md").name == "../xx/rep/r.md"
    assert store.file(Path("../yy/rep/r.md")).name == f"{reports.as_posix()}/yy/rep/r.md"


def test_names_outside_have_no_detours(reports: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert path_name(Path(f"../../{reports.name}/xx/../yy/rep/r.md")) == "../yy/rep/r.md"
    assert path_name(reports / "xx" / ".." / "r.md") == (reports / "r.md").as_posix()
    assert path_name(Path("docs/leave.md"), folder / "docs" / "office") == "../leave.md"
    assert path_name(Path("a:b.md")) == "./a:b.md"


def test_a_home_is_named_from_the_root(store: VectorStore, reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(reports / "xx"))
    monkeypatch.setenv("USERPROFILE", str(reports / "xx"))
    assert store.add("~/rep")["name"].tolist() == [f"{reports.as_posix()}/xx/rep/r.md"]
    assert store.file(Path("~/rep/r.md")).filename == "r.md"


@pytest.mark.parametrize("relative", [True, False])
def test_what_is_gone_from_a_folder_elsewhere_is_removed_and_nothing_else(
    store: VectorStore, reports: Path, relative: bool
) -> None:
    where = Path("..") if relative else reports
    (reports / "xx" / "rep" / "more.md").write_text("more", encoding="utf-8")
    store.add(where / "xx", where / "yy", "docs")
    (reports / "xx" / "rep" / "more.md").unlink()
    (reports / "yy" / "rep" / "r.md").unlink()
    report = store.sync(where / "xx")
    assert report.counts == {"unchanged": 1, "removed": 1}
    assert report["name"].tolist()[-1] == (where / "xx" / "rep" / "more.md").as_posix()
    assert len(store) == 5


def test_a_scope_around_the_working_folder_holds_what_is_in_it(folder: Path) -> None:
    around = scope_of("..", base=None)
    told = ("docs/a.md", "../other.md", "../../other.md", f"{folder.parent.as_posix()}/other.md", "bytes:a.md")
    assert [around.holds(name) for name in told] == [True, True, False, False, False]
    whole = scope_of(folder.parent, base=None)
    assert [whole.holds(name) for name in told] == [True, False, False, True, False]


def test_an_open_file_is_named_as_its_path(store: VectorStore, reports: Path, folder: Path) -> None:
    with open("docs/leave.md", "rb") as one, open(reports / "xx" / "rep" / "r.md", encoding="utf-8") as other:
        report = store.add(one, other, attributes=lambda path: {"kind": path.suffix})
    assert report["name"].tolist() == ["docs/leave.md", f"{reports.as_posix()}/xx/rep/r.md"]
    assert store.file("r.md").attributes == {"kind": ".md"}
    assert store.add("docs/leave.md").counts == {"unchanged": 1}
    with open("docs/leave.md", "rb") as file:
        assert store.add(file, base="docs")["name"].tolist() == ["leave.md"]
    with open("docs/leave.md", "rb") as file:
        assert store.add(file, name="other.md")["name"].tolist() == ["bytes:other.md"]


def test_what_only_has_the_name_of_a_file_is_named_as_bytes(store: VectorStore, folder: Path) -> None:
    memory = io.BytesIO(b"other text")
    memory.name = "docs/leave.md"
    with open("docs/travel.md", "rb") as moved:
        (folder / "docs" / "travel.md").rename(folder / "docs" / "moved.md")
        assert store.add(memory, moved)["name"].tolist() == ["bytes:leave.md", "bytes:travel.md"]


def test_a_row_that_only_has_a_number_takes_no_other_rows_place(store: VectorStore) -> None:
    first = pd.DataFrame({"text": ["Trains are booked.", "Coffee is made."]})
    other = pd.DataFrame({"text": ["Trains are booked.", "Bicycles are lent.", "Cars are not."]})
    store.add(first)
    report = store.add(other)
    assert report[["name", "outcome"]].to_numpy().tolist() == [
        ["row:0.txt", "unchanged"], ["row:1.txt", "failed"], ["row:2.txt", "uploaded"],
    ]  # fmt: skip
    assert report.problems["reason"].tolist() == [
        "the store has another text of this name, which is but the number of a row: pass title= with a column that "
        "names the rows"
    ]
    assert store.chunks("1.txt")["text"].tolist() == ["Coffee is made."]
    with pytest.raises(UserError, match="Both are named by numbers of rows: pass title="):
        store.add(first, other)


def test_a_row_whose_name_was_chosen_takes_the_place_of_the_earlier_one(store: VectorStore) -> None:
    frame = pd.DataFrame({"id": [7], "text": ["Trains are booked."]})
    changed = frame.assign(text="Buses are booked.")
    store.add(frame.set_index("id"))
    assert store.add(changed.set_index("id")).counts == {"replaced": 1}
    assert store.add(frame, title="id").counts == {"replaced": 1}
    assert store.add(frame[:1].set_axis(["7"]), chunk_tokens=100).counts == {"replaced": 1}


def test_a_numbered_row_is_cut_anew_where_its_text_is_the_same(store: VectorStore) -> None:
    frame = pd.DataFrame({"text": ["Trains are booked."]})
    store.add(frame)
    assert store.add(frame, chunk_tokens=100).counts == {"replaced": 1}
