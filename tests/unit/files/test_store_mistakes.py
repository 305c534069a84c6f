"""What is asked for wrongly is told by its names, with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from agentkit.exceptions import UserError
from agentkit.files.store import VectorStore


@pytest.fixture
def prices(store: VectorStore, folder: Path) -> VectorStore:
    """A store with docs/prices.csv, which is sent as prices.csv.txt."""
    (folder / "docs" / "prices.csv").write_text("item,price\ncoffee,2\n", encoding="utf-8")
    store.add("docs")
    return store


def test_a_file_is_found_by_the_last_part_of_its_name(prices: VectorStore, folder: Path) -> None:
    assert prices.file("prices.csv").filename == "prices.csv.txt"
    assert "coffee,2" in prices.chunks("prices.csv")["text"][0]
    assert prices.evaluate([("What does coffee cost?", "prices.csv")]).metrics["recall@3"] == 1.0
    with pytest.raises(UserError, match=r"has no file 'old/prices.csv'. Did you mean 'docs/prices.csv'\?"):
        prices.chunks("old/prices.csv")
    with pytest.raises(UserError, match=r"no file 'docs/leaves.md', .* 'Days\?'. Did you mean 'docs/leave.md'\?"):
        prices.evaluate([("Days?", "docs/leaves.md")])
    (folder / "old").mkdir()
    (folder / "old" / "prices.csv").write_text("item,price\ncoffee,1\n", encoding="utf-8")
    prices.add("old")
    told = r"2 files of 'handbook' are called 'prices.csv'. .*file-\w+ \('docs/prices.csv'\), file-\w+ \('old/prices"
    with pytest.raises(UserError, match=told):
        prices.file("prices.csv")
    assert prices.file("old/prices.csv").name == "old/prices.csv"


def test_bytes_are_expected_by_the_name_they_were_given(store: VectorStore) -> None:
    store.add(("rules/leave.md", b"Thirty days of leave."))
    assert store.evaluate([("days of leave", "rules/leave.md")]).metrics["recall@1"] == 1.0


@pytest.mark.parametrize("expected", [5, {"file": "leave.md"}, b"leave.md"])
def test_what_answers_a_question_is_no_number(store: VectorStore, expected: Any) -> None:
    store.add("docs")
    with pytest.raises(UserError, match=r"'Days\?' can't be answered by .*Give a file by its name"):
        store.evaluate([("Days?", expected)])


def test_two_sources_of_one_name_are_told_so(store: VectorStore) -> None:
    with pytest.raises(UserError, match="They have the same name, and what is in them differs"):
        store.add(("a.md", b"alpha"), ("a.md", b"beta"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"text": ["text", "id"]}, r"\['text', 'id'\] is no column: only one can be named. It has 'text', 'id'"),
        ({"title": ["id"]}, r"\['id'\] is no column"),
        ({"attributes": [["id"]]}, r"\['id'\] is no column"),
        ({"on_progress": 5}, "on_progress can't be 5. It is a function"),
        ({"wait": "no"}, "wait has to be True or False, not 'no'"),
        ({"allow_private": 1}, "allow_private has to be True or False, not 1"),
    ],
)
def test_wrong_options_of_add_are_told(store: VectorStore, options: dict[str, Any], said: str) -> None:
    frame = pd.DataFrame({"text": ["Trains are booked."], "id": [1]})
    with pytest.raises(UserError, match=said):
        store.add(frame, **options)
    assert len(store.refresh()) == 0


async def test_wrong_options_of_async_add_and_of_sync_are_told(store: VectorStore) -> None:
    with pytest.raises(UserError, match="on_progress can't be 5"):
        await store.aadd("docs", on_progress=5)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="on_progress can't be 5"):
        store.sync("docs", on_progress=5)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="allow_empty has to be True or False, not 'no'"):
        store.sync("docs", allow_empty="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["max_num_results", "top_k", "k"])
def test_what_others_call_the_limit_is_told(store: VectorStore, name: str) -> None:
    with pytest.raises(UserError, match=rf"store.search has no argument '{name}'. Did you mean limit\?"):
        store.search("days", **{name: 3})  # type: ignore[arg-type]


def test_wrong_searches_are_told(store: VectorStore) -> None:
    with pytest.raises(UserError, match=r"A query can't be sent: '\\ud800' at character 4 is half of a pair"):
        store.search("days\ud800")
    with pytest.raises(UserError, match="rewrite has to be True or False, not 'yes'"):
        store.search("days", rewrite="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["ftp://user:secret@example.com/a.pdf", "s3://bucket/*.md", "file:///docs/leave.md"])
def test_addresses_that_nothing_is_fetched_from_are_told(store: VectorStore, source: str) -> None:
    scheme = source.partition(":")[0]
    said = f"Nothing is fetched from {scheme}:// addresses. Addresses begin with http:// or https://"
    with pytest.raises(UserError, match=said) as caught:
        store.add(source)
    assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_told_without_its_number(
    store: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def refusing(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "leave.md":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", refusing)
    report = store.add("docs")
    assert report.problems[["name", "outcome", "reason"]].to_numpy().tolist() == [
        ["docs/leave.md", "failed", "can't be read: Permission denied"]
    ]


def test_a_link_to_nothing_in_a_folder_is_in_the_report(store: VectorStore, folder: Path) -> None:
    (folder / "docs" / "gone.md").symlink_to("nothing.md")
    report = store.add("docs")
    assert report.problems[["name", "outcome", "reason"]].to_numpy().tolist() == [
        ["docs/gone.md", "skipped", "a link to what isn't there"]
    ]
