"""Marks and comments on traces and spans."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from agentkit import Agent, Runner, custom_span, open_trace, trace
from agentkit.exceptions import UserError
from agentkit.testing import ScriptedModel
from agentkit.tracing.notes import annotate, notes


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path))


def recorded() -> Any:
    with trace("Work") as work, custom_span("first"), custom_span("second"):
        pass
    return open_trace(work)


def noted() -> list[tuple[Any, ...]]:
    frame = notes()[["span_id", "mark", "comment"]].astype(object)
    return [tuple(row) for row in frame.where(frame.notna(), None).values.tolist()]


def test_a_trace_and_a_span_each_have_a_mark_and_a_comment() -> None:
    work = recorded()
    annotate(work, mark="check", comment="Why twice?")
    annotate(work.all_spans[1], comment="here")
    assert noted() == [(work.all_spans[1].span_id, None, "here"), (None, "check", "Why twice?")]
    again = work.refresh()
    assert [(note.span_id, note.mark, note.comment) for note in again.notes] == [
        ("", "check", "Why twice?"),
        (again.all_spans[1].span_id, "", "here"),
    ]


def test_what_is_not_given_stays_and_nothing_takes_it_away() -> None:
    work = recorded()
    annotate(work, mark="bug", comment="broken")
    annotate(work, mark="good")
    assert noted() == [(None, "good", "broken")]
    annotate(work, comment="")
    assert noted() == [(None, "good", None)]
    annotate(work, mark="")
    assert noted() == []


def test_notes_made_at_once_keep_what_each_other_noted() -> None:
    work = recorded()
    together = Barrier(2)

    def note(**given: str) -> None:
        for _ in range(20):
            together.wait(20)
            annotate(work, **given)
            together.wait(20)
            kept.append(noted())
            together.wait(20)
            annotate(work, mark="", comment="")

    kept: list[Any] = []
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(note, mark="bug"), pool.submit(note, comment="broken")]:
            done.result(60)
    assert kept == [[(None, "bug", "broken")]] * 40


async def test_a_result_and_the_beginning_of_an_id_will_do() -> None:
    result = await Runner.run(Agent(name="a", model=ScriptedModel().reply("Hi.")), "hi")
    assert result.trace_id is not None
    annotate(result, mark="good")
    annotate(result.trace_id[:14], comment="by its id")
    assert noted() == [(None, "good", "by its id")]


def test_notes_are_found_by_trace_by_mark_and_by_time() -> None:
    first, second = recorded(), recorded()
    annotate(first, mark="check")
    annotate(second, mark="bug")
    assert list(notes(first)["mark"]) == ["check"]
    assert list(notes(mark="bug")["trace_id"]) == [second.trace_id]
    assert len(notes(since="1h")) == 2
    assert notes(since="2100-01-01").empty
    assert list(notes(limit=1)["mark"]) == ["bug"]


def test_an_empty_frame_has_the_same_columns() -> None:
    empty = notes()
    annotate(recorded(), mark="check")
    assert dict(empty.dtypes) == dict(notes().dtypes)


def test_keys_are_taken_out_of_comments() -> None:
    key = "sk-proj-" + "a1B2" * 12
    annotate(recorded(), comment=f"it used {key}")
    assert key not in noted()[0][2]


def test_half_an_emoji_is_kept_as_what_it_is() -> None:
    annotate(recorded(), comment="half \ud83d of one")
    assert noted()[0][2] == "half \\ud83d of one"


@pytest.mark.parametrize(
    ("target", "given", "message"),
    [
        ("trace", {}, "There is nothing to note."),
        ("trace", {"mark": "two words"}, "A mark is a word of at most 20 characters, not 'two words'."),
        ("trace", {"mark": "x" * 21}, "A mark is a word of at most 20 characters"),
        ("trace", {"comment": 3}, "A comment is text, not int."),
        ("trace", {"comment": "x" * 4_001}, "The comment has 4,001 characters; at most 4,000 are kept."),
        (3, {"mark": "x"}, "Notes are on traces and spans, not on int."),
        ("span_123", {"mark": "x"}, "A span is told by itself, not by its id alone ('span_123')."),
        ("trace_0000", {"mark": "x"}, "No trace 'trace_0000' in"),
    ],
)
def test_mistakes_say_what_to_do(target: Any, given: dict[str, Any], message: str) -> None:
    work = recorded()
    with pytest.raises(UserError) as caught:
        annotate(work if target == "trace" else target, **given)
    assert str(caught.value).startswith(message)
    assert noted() == []


def test_a_folder_that_is_full_or_closed_is_told(tmp_path: Path) -> None:
    work = recorded()
    store = tmp_path / "traces.sqlite3"
    store.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        if not _writes_are_refused(tmp_path):
            pytest.skip("This user may write everywhere.")
        with pytest.raises(UserError, match="The note isn't kept"):
            annotate(work, mark="check")
    finally:
        tmp_path.chmod(0o700)
        store.chmod(0o600)


def _writes_are_refused(folder: Path) -> bool:
    try:
        (folder / "probe").touch()
    except OSError:
        return True
    (folder / "probe").unlink()
    return False


def test_a_mark_that_cannot_be_there_is_told_when_looking_for_it() -> None:
    for wrong in ("two words", 3):
        with pytest.raises(UserError, match="A mark is a word of at most 20 characters"):
            notes(mark=wrong)  # type: ignore[arg-type]
