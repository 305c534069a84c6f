"""What may be named to be put into a store, and by which names it is known."""

from __future__ import annotations

import glob
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentkit.exceptions import UserError
from agentkit.files.attributes import short_name
from agentkit.files.rows import Columns
from agentkit.files.sources import documents_of, scope_of
from agentkit.files.store import VectorStore


def names(*sources: Any, base: Path | None = None, name: str | None = None) -> list[str]:
    found = documents_of(sources, attributes=None, base=base, columns=Columns(), name=name)
    return [document.name for document in found]


def test_paths_are_named_from_the_working_folder(folder: Path) -> None:
    assert names("docs/leave.md") == names(folder / "docs" / "leave.md") == ["docs/leave.md"]
    assert names("docs/**/*.txt", "docs/*.md") == ["docs/office/kitchen.txt", "docs/leave.md", "docs/travel.md"]
    assert names("docs") == names(folder / "docs") == ["docs/leave.md", "docs/travel.md", "docs/office/kitchen.txt"]
    assert names(["docs/leave.md", ("docs/travel.md", "docs/leave.md")]) == ["docs/leave.md", "docs/travel.md"]


def test_paths_elsewhere_are_named_as_they_were_typed_or_from_the_base(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    docs = (folder / "docs").as_posix()
    assert names(folder / "docs") == [f"{docs}/leave.md", f"{docs}/travel.md", f"{docs}/office/kitchen.txt"]
    assert names(folder / "docs" / "office" / "*.txt") == [f"{docs}/office/kitchen.txt"]
    assert names(folder / "docs" / "leave.md") == [f"{docs}/leave.md"]
    assert names("../work/docs/office/../*.md") == ["../work/docs/leave.md", "../work/docs/travel.md"]
    assert names(folder / "docs" / "leave.md", base=folder) == ["docs/leave.md"]
    assert names("../work/docs/leave.md", base=folder / "docs") == ["leave.md"]


def test_a_name_with_signs_of_a_pattern_is_the_file_if_there_is_one(folder: Path) -> None:
    (folder / "notes [1].md").write_text("one", encoding="utf-8")
    assert names("notes [1].md") == ["notes [1].md"]


def test_bytes_files_and_addresses_have_names_of_their_own() -> None:
    with_name = io.BytesIO(b"data")
    with_name.name = "/tmp/report.md"
    assert names(("a.md", b"data"), with_name, "https://user:secret@example.com/a/b.pdf") == [
        "bytes:a.md", "bytes:report.md", "https://example.com/a/b.pdf",
    ]  # fmt: skip
    assert names(b"data", name="notes.md") == names(io.StringIO("data"), name="notes.md") == ["bytes:notes.md"]
    one, other = names("https://example.com/get?key=secret&id=1", "https://example.com/get?key=secret&id=2")
    assert one != other
    assert "secret" not in one + other


def test_names_that_are_too_long_keep_their_end_and_stay_apart() -> None:
    one, other = short_name("a" * 600 + "/end.md"), short_name("b" + "a" * 599 + "/end.md")
    assert (len(one), one.endswith("/end.md"), one == other) == (446, True, False)


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ((), "nothing to add"),
        (("docs/absent.md",), r"'docs/absent.md' isn't there. Paths are told from"),
        (("docs/*.pdf",), r"No file matches 'docs/\*.pdf'"),
        (("absent/*.pdf",), r"No file matches 'absent/\*.pdf'"),
        ((b"data",), "4 bytes have no name"),
        (("",), "'' is no path. Name files or a folder"),
        ((" ",), "' ' is no path"),
        ((3.5,), "float 3.5 can't be added"),
        ((("a.md", b"1"), ("a.md", b"2")), "Two sources are both called 'bytes:a.md'"),
        ((("a.md", "text"),), r"'text' isn't there. .* pass bytes: store.add\(\('a.md', text.encode\(\)\)\)"),
        ((("docs/leave.md", "text"),), "'text' isn't there. .* pass bytes"),
        ((("a.md", "How many?"),), "'a.md' isn't there. .* pass bytes"),
    ],
)
def test_what_is_not_there_is_told_before_anything_is_sent(folder: Path, sources: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        names(*sources)


def test_an_empty_folder_is_told(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match="There is no file in the folder 'empty'"):
        names("empty")


@pytest.mark.parametrize("source", ["docs", "docs/**/*.md"])
def test_links_out_of_the_folder_and_round_in_a_circle_are_not_followed(folder: Path, source: str) -> None:
    (folder / "secret").mkdir()
    (folder / "secret" / "key.md").write_text("key", encoding="utf-8")
    (folder / "docs" / "key.md").symlink_to(folder / "secret" / "key.md")
    (folder / "docs" / "same.md").symlink_to("leave.md")
    (folder / "docs" / "gone.md").symlink_to("nothing.md")
    (folder / "docs" / "self.md").symlink_to("self.md")
    (folder / "docs" / "elsewhere").symlink_to(folder / "secret", target_is_directory=True)
    for name in ("round", "again"):
        (folder / "docs" / "office" / name).symlink_to(folder / "docs", target_is_directory=True)
    found = documents_of([source], attributes=None, base=None, columns=Columns(), name=None)
    taken = {document.name for document in found if not document.refused}
    assert taken - {"docs/office/kitchen.txt"} == {"docs/leave.md", "docs/same.md", "docs/travel.md"}
    assert {document.name: document.refused for document in found if document.refused} == {
        "docs/key.md": "a link to a file outside of the folder; add that by its own name",
        "docs/gone.md": "a link to what isn't there",
        "docs/self.md": "a link to what isn't there",
        "docs/elsewhere": "a link to a folder; add that by its own name",
        "docs/office/again": "a link to a folder; add that by its own name",
        "docs/office/round": "a link to a folder; add that by its own name",
    }
    both = documents_of([source, "docs/key.md"], attributes=None, base=None, columns=Columns(), name=None)
    assert [document.refused for document in both if document.name == "docs/key.md"] == [""]
    assert names("docs/key.md", "docs/elsewhere") == ["docs/key.md", "docs/elsewhere/key.md"]


def refuse_to_list(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """Let folders of an ending be unreadable: who runs tests as root may read all."""
    scandir = os.scandir

    def refusing(path: str) -> Any:
        if str(path).endswith(ending):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)


@pytest.mark.parametrize("source", ["docs", "docs/**/*.md", "docs/*/*.md"])
def test_a_subfolder_that_cannot_be_read_is_named_in_the_report(
    store: VectorStore, folder: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (folder / "docs" / "more").mkdir()
    (folder / "docs" / "more" / "more.md").write_text("more", encoding="utf-8")
    refuse_to_list(monkeypatch, "office")
    report = store.add(source)
    assert "docs/more/more.md" in report["name"].tolist()
    assert report.problems[["name", "outcome", "reason"]].to_numpy().tolist() == [
        ["docs/office", "skipped", "the folder can't be read: Permission denied"]
    ]


def test_only_folders_that_a_pattern_leads_into_have_to_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_to_list(monkeypatch, "office")
    assert names("docs/*.md", "*/leave.md") == ["docs/leave.md", "docs/travel.md"]
    with pytest.raises(UserError, match="The folder 'docs/office' can't be read: Permission denied"):
        names("docs/office")


def test_patterns_find_what_glob_finds(folder: Path) -> None:
    for name in ("a.md", "B.md", ".c.md", "[d].md", "^.md", "x/e.md", "x/y/f.md", "x/.y/g.md", ".z/h.md", "x/y/-.txt"):
        path = folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    patterns = [
        "docs/*", "docs/*.md", "docs/**", "docs/**/*.md", "docs/**/y/*", "docs/**/y/**", "docs/*/**/*.md", "docs/?.md",
        "docs/[a-z].md", "docs/[!a-z].md", "docs/[^a-z].md", "docs/.*", "docs/**/.y/*.md", "docs/[.]z/*.md", "**/*.txt",
        "docs/[[]d].md", "docs/x/*/*", "docs/**/**/f.md", "docs/x*/y/f.md", "d*/x/**/?.md",
    ]  # fmt: skip
    for pattern in patterns:
        expected = {path for path in glob.glob(pattern, recursive=True) if Path(path).is_file()}
        assert (pattern, set(found_by(pattern))) == (pattern, expected)


def found_by(pattern: str) -> list[str]:
    found = documents_of([pattern], attributes=None, base=None, columns=Columns(), name=None, empty=True)
    return [document.name for document in found]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "title": ["leave", "travel", "empty"],
            "text": ["Thirty days of leave.", "Trains are booked.", None],
            "year": [2024, 2025, 2026],
            "rate": [1.5, np.nan, 2.0],
            "day": pd.to_datetime(["2024-01-01", None, None]),
            "draft": pd.array([True, None, False], dtype="boolean"),
        }
    )


def test_each_row_of_a_dataframe_is_a_document_with_columns_as_attributes(
    store: VectorStore, frame: pd.DataFrame
) -> None:
    report = store.add(frame, title="title", attributes=["year", "rate", "day", "draft"])
    assert report[["name", "outcome"]].to_numpy().tolist() == [
        ["row:leave.txt", "uploaded"], ["row:travel.txt", "uploaded"], ["row:empty.txt", "skipped"],
    ]  # fmt: skip
    assert report.problems["reason"].tolist() == ["the row has no text in 'text'"]
    assert store.file("leave.txt").attributes == {"year": 2024, "rate": 1.5, "day": 1704067200, "draft": True}
    assert store.file("travel.txt").attributes == {"year": 2025}
    assert store.add(frame, title="title", attributes=["year", "rate", "day", "draft"]).counts == {
        "unchanged": 2, "skipped": 1,
    }  # fmt: skip


def test_rows_are_named_by_their_index_and_attributes_made_of_the_row(store: VectorStore, frame: pd.DataFrame) -> None:
    report = store.add(frame[:2], attributes=lambda row: {"old": row["year"] < 2025})
    assert report["name"].tolist() == ["row:0.txt", "row:1.txt"]
    assert store.files["old"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"text": "body"}, "The dataframe has no column 'body'. It has 'title', 'text'"),
        ({"title": "name"}, "no column 'name'"),
        ({"attributes": ["years"]}, "no column 'years'"),
        ({"attributes": "year"}, r"one text. Name columns in a list: \['year'\]"),
    ],
)
def test_columns_that_are_not_there_are_told(
    store: VectorStore, frame: pd.DataFrame, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        store.add(frame, **options)


def test_rows_need_names_of_their_own_and_a_column_of_texts(store: VectorStore, frame: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="Two rows are both called 'leave.txt' in the column 'title'"):
        store.add(pd.concat([frame, frame], ignore_index=True), title="title")
    with pytest.raises(UserError, match="Which column has the texts"):
        store.add(frame[["title", "year"]])
    with pytest.raises(UserError, match="attributes names columns, which only dataframes have"):
        store.add("docs", attributes=["year"])
    with pytest.raises(UserError, match=r'name=\'x\' is for bytes.*title="…"'):
        store.add(frame, name="x")
    with pytest.raises(UserError, match="text is for dataframes"):
        store.add("docs", text="body")


def test_a_scope_holds_what_its_folder_or_pattern_stands_for(folder: Path) -> None:
    docs = scope_of("docs", base=None)
    assert [docs.holds(name) for name in ("docs/a.md", "docs/x/b.md", "doc", "other/a.md", "bytes:docs/a.md")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    deep = scope_of("docs/**/*.md", base=None)
    told = ("docs/a.md", "docs/x/y/b.md", "docs/a.txt", "docs/.x/b.md", "docs/x/.b.md")
    assert [deep.holds(name) for name in told] == [True, True, False, False, False]
    assert scope_of("*.md", base=None).holds("a.md")
    assert not scope_of("*.md", base=None).holds("docs/a.md")
    assert scope_of("docs/[a-c]?.md", base=None).holds("docs/b1.md")
    assert not scope_of("docs/[!a-c]?.md", base=None).holds("docs/b1.md")
