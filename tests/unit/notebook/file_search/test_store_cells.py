"""`%vector_store`, the views of stores, and what a cell shows while and after files are put in."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.completer import provisionalcompleter

from agentkit.exceptions import UserError
from agentkit.files.progress import FileOutcome, StoreProgress
from agentkit.files.search import Hit, SearchResult
from agentkit.files.store import VectorStore
from agentkit.notebook import options
from agentkit.notebook.completion import MagicCompleter
from agentkit.notebook.display.found_view import passage_of
from agentkit.notebook.display.store_view import outcomes_bundle
from agentkit.notebook.filling_watch import FillingWatch, filling_html
from agentkit.notebook.magics.vector_store import VECTOR_STORE
from agentkit.notebook.store_browser.rows import found_rows
from agentkit.notebook.stores import as_typed, attributes_of, condition_of

if TYPE_CHECKING:
    from conftest import Mistake, Run
    from IPython.core.interactiveshell import InteractiveShell

LEAVE = "# Leave\n\nEvery employee has 25 days of annual leave.\n"


@pytest.fixture
def docs(loaded: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three files, one of which can't be read, as `docs` in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTKIT_RENDER", "static")
    monkeypatch.setenv("AGENTKIT_EMBEDDER", "none")
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "leave.md").write_text(LEAVE, encoding="utf-8")
    (folder / "travel.html").write_text("<h1>Travel</h1><p>The desk books trains.</p>", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    return folder


@pytest.fixture
def filled(run: Run, docs: Path) -> VectorStore:
    """A store with these files, as `handbook`."""
    run("%vector_store create handbook")
    cell = run("%vector_store add handbook docs --set year=2026 --set lang=en;")
    assert cell.error is None
    store: VectorStore = run("handbook").value
    return store


def plain(value: Any, loaded: InteractiveShell) -> str:
    formatter: Any = loaded.display_formatter
    return str(formatter.format(value)[0]["text/plain"])


# -- filling ----------------------------------------------------------------------------------------------------------


def test_what_became_of_files_is_shown_once_and_the_same_each_time(run: Run, docs: Path) -> None:
    run("%vector_store create handbook")
    cell = run("%vector_store add handbook docs")
    (shown,) = cell.outputs
    lines = shown["text/plain"].splitlines()
    assert lines[0] == "handbook · 3 files: 2 uploaded, 1 failed"
    assert lines[1].startswith("  ✗ failed    docs/broken.pdf   25 B  'broken.pdf' is damaged, or no PDF")
    assert lines[2:] == ["  ✓ uploaded  docs/leave.md     53 B", "  ✓ uploaded  docs/travel.html  44 B"]
    assert "✗\u00a0failed" in shown["text/html"]
    again = run("report = handbook.add('docs')")
    assert again.outputs[0]["text/plain"].splitlines()[0] == "handbook · 3 files: 2 unchanged, 1 failed"
    assert run("report").outputs[0]["text/plain"] == again.outputs[0]["text/plain"]


def test_an_add_that_is_interrupted_says_how_far_it_came(run: Run, docs: Path) -> None:
    run("%vector_store create handbook")
    run("def stop(event, told=[]):\n    told.append(event)\n    if len(told) == 1: raise KeyboardInterrupt")
    cell = run("handbook.add('docs', on_progress=stop)")
    assert isinstance(cell.error, KeyboardInterrupt)
    assert re.fullmatch(r"\d of 3 files are in 'handbook'.*; the same call goes on\.", str(cell.error))
    assert cell.stdout == f"Interrupted: {cell.error} %tb shows where.\n"


@pytest.mark.parametrize(
    ("stop", "more"), [("Interrupted", ""), ("KeyboardInterrupt", " %tb shows where.")], ids=["button", "kernel"]
)
def test_how_far_a_stopped_add_came_is_said_once(
    run: Run, docs: Path, loaded: InteractiveShell, stop: str, more: str
) -> None:
    event = StoreProgress("handbook", "stopped", 3, to_index=2, in_store=2)
    loaded.user_ns |= {"watch": FillingWatch(loaded, "handbook", live=False), "event": event}
    run("import asyncio\nfrom agentkit.notebook.failures import Interrupted")
    run("from agentkit.runtime.background import run_blocking")
    run(f"def stop():\n    watch(event)\n    raise {stop}(event.stopped_text)")
    cell = run("run_blocking(asyncio.sleep(0.01), while_waiting=stop)")
    assert [shown["text/plain"] for shown in cell.outputs] == [f"handbook\nStopped: {event.stopped_text}"]
    assert cell.stdout == f"Interrupted: what is in the store is said above.{more}\n"
    run("def stop():\n    raise KeyboardInterrupt(event.stopped_text)")
    again = run("run_blocking(asyncio.sleep(0.01), while_waiting=stop)")
    assert again.stdout == f"Interrupted: {event.stopped_text} %tb shows where.\n"


def test_the_heading_of_a_stopped_add_counts_only_what_is_known() -> None:
    outcomes = [FileOutcome("a.md", "uploaded", "", 3), FileOutcome("b.md", "failed", "It is damaged.", 3)]
    told = outcomes_bundle("handbook", outcomes, "Stopped: 2 of 3 files are there.")["text/plain"].splitlines()
    assert (told[0], told[-1]) == ("handbook · 1 uploaded, 1 failed", "Stopped: 2 of 3 files are there.")


def test_more_files_than_are_shown_are_where_the_text_says(run: Run, docs: Path) -> None:
    for number in range(14):
        (docs / f"note-{number:02}.txt").write_text(f"Note {number}.", encoding="utf-8")
    run("%vector_store create handbook")
    assert run("%vector_store add handbook docs --out class").error is not None
    shown = run("%vector_store add handbook docs --out report").outputs[0]["text/plain"]
    assert shown.splitlines()[-1] == "… 8 more: _.to_dataframe() has all, --out NAME keeps it"
    assert run("len(_.to_dataframe()), len(report.to_dataframe())").value == (17, 17)
    shown = run("handbook.add('docs')").outputs[0]["text/plain"]
    assert shown.splitlines()[-1] == "… 8 more: the report's to_dataframe() has all"


def test_files_may_be_variables(run: Run, docs: Path, mistake: Mistake) -> None:
    run("import pandas as pd\nnotes = pd.DataFrame({'text': ['The key is under the mat.']}, index=['key'])")
    run("%vector_store create handbook")
    assert "1 uploaded" in run("%vector_store add handbook {{notes}}").outputs[0]["text/plain"]
    assert "1 unchanged" in run("%vector_store add handbook notes").outputs[0]["text/plain"]
    assert mistake("%vector_store add handbook {{nothing}}") == (
        "%vector_store add: {{nothing}}: nothing here is named 'nothing'."
    )


def test_sync_removes_what_is_gone(run: Run, docs: Path, filled: VectorStore) -> None:
    (docs / "travel.html").unlink()
    shown = run("%vector_store sync handbook docs").outputs[0]["text/plain"]
    assert "  − removed    docs/travel.html" in shown.splitlines()


def test_progress_says_what_goes_on_and_what_failed() -> None:
    event = StoreProgress("handbook", "uploading", 9, 2, 4, 3, 1, 1, bytes_sent=12_300, file="docs/a.md")
    html = filling_html(event, [FileOutcome("b<1>.pdf", "failed", "It has <no> text.")])
    said = "Uploading, parsing and indexing · 2 of 9 · indexing 1 of 3 · 1 failed · 12.3 kB"
    assert f'value="6" max="18" aria-label="{said}"' in html
    assert f"<div>{said}</div>" in html
    assert "docs/a.md" in html
    assert "<code>b&lt;1&gt;.pdf</code> It has &lt;no&gt; text." in html
    told = replace(event, parsing=1, passages=40, passages_ready=8)
    said = "Uploading · 2 of 9 · parsing 1 · indexing 1 of 3, 8 of 40 passages · 1 failed · 12.3 kB"
    assert f"<div>{said}</div>" in filling_html(told, [])
    said = said.removeprefix("Uploading · ")
    assert f"<div>{said}</div>" in filling_html(replace(told, stage="indexing"), [])


# -- views ------------------------------------------------------------------------------------------------------------


def test_a_store_says_what_is_in_it_and_by_what_it_is_found(loaded: InteractiveShell, filled: VectorStore) -> None:
    assert plain(filled, loaded).splitlines()[:2] == ["Vector store 'handbook'", "  files: 3 (2 ready, 1 failed)"]
    assert "  found by: words alone" in plain(filled, loaded)
    assert 'AGENTKIT_EMBEDDER is "none"' in plain(filled, loaded)
    assert filled.id not in str(loaded.display_formatter.format(filled))


def test_a_search_shows_numbered_passages_with_marks(run: Run, filled: VectorStore, loaded: InteractiveShell) -> None:
    found = run("%vector_store search handbook --limit 1 How many days of annual leave?").value
    bundle = loaded.display_formatter.format(found)[0]
    assert bundle["text/plain"].splitlines()[0] == '"How many days of annual leave?" · 1 passage in handbook'
    assert re.fullmatch(r"  1\. docs/leave\.md · Leave · [01]\.\d\d", bundle["text/plain"].splitlines()[1])
    assert "<mark>annual</mark> <mark>leave</mark>" in bundle["text/html"]
    hit = loaded.display_formatter.format(found[0])[0]["text/plain"]
    assert "  Every employee has 25 days of annual leave." in hit
    assert "year=2026" in hit


def test_quotes_of_a_question_are_not_doubled(run: Run, filled: VectorStore, loaded: InteractiveShell) -> None:
    found = run('%vector_store search handbook --limit 1 "annual leave"').value
    assert plain(found, loaded).splitlines()[0] == '"annual leave" · 1 passage in handbook'
    found = run('%vector_store search handbook --limit 1 what is "annual" leave').value
    assert plain(found, loaded).splitlines()[0] == '“what is "annual" leave” · 1 passage in handbook'


def test_a_hit_of_two_pages_is_told_by_both(loaded: InteractiveShell) -> None:
    result = SearchResult("text", "h", [Hit("Text.", 0.5, "file-1", "a.pdf", {}, "text", page=5, last_page=6)])
    assert plain(result, loaded).splitlines()[1] == "  1. a.pdf · pages 5–6 · 0.50"
    assert plain(result[0], loaded).splitlines()[0] == "a.pdf · pages 5–6 · 0.50"
    assert found_rows(result)[0]["told"] == "pages 5–6 · 0.50"
    assert passage_of(result[0]).place == "a.pdf · pages 5–6"


def test_a_search_that_finds_nothing_says_so(run: Run, filled: VectorStore, loaded: InteractiveShell) -> None:
    found = run("%vector_store search handbook --where 'year < 2000' annual leave").value
    assert plain(found, loaded) == '"annual leave" · nothing found in handbook'


def test_an_evaluation_shows_what_was_not_found_first(run: Run, filled: VectorStore, loaded: InteractiveShell) -> None:
    told = plain(filled.evaluate([("annual leave", "leave.md"), ("xyzzy", "travel.html")], k=1), loaded)
    assert told.splitlines()[:3] == [
        "handbook · 2 questions",
        "  recall@1  mrr@1  ndcg@1",
        "  0.50      0.50   0.50",
    ]
    assert [line.split()[0] for line in told.splitlines()[5:]] == ["not", "1."]


# -- the magic --------------------------------------------------------------------------------------------------------


def test_stores_are_made_opened_and_listed(run: Run, docs: Path, loaded: InteractiveShell) -> None:
    assert plain(run("%vector_store").value, loaded).splitlines()[0] == "No vector stores yet."
    told = run('%vector_store create "Team handbook" --expires-after 7')
    assert told.stdout.startswith("'Team handbook' is in the variable team_handbook.")
    assert run("team_handbook").value.info.expires_after_days == 7
    first = run("team_handbook").value.id
    assert run('%vector_store create "Team handbook" --out h').value.id == first
    assert run('%vector_store open "Team handbook" --out o').value.id == first
    listed = plain(run("%vector_store list").value, loaded).splitlines()
    assert listed[0] == "1 vector store"
    assert listed[2].split("  ")[1] == "Team handbook"


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("len", "store_len"),
        ("class", "store_class"),
        ("None", "store_None"),
        ("2024", "store_2024"),
        ("Len!", "store_len"),
        ("my-store", "my_store"),
        ("***", "store"),
    ],
)
def test_no_store_hides_a_builtin(run: Run, docs: Path, name: str, variable: str) -> None:
    told = run(f"%vector_store create {name}")
    assert told.stdout.startswith(f"{name!r} is in the variable {variable}.")
    assert run(f"{variable}.name, len('abc')").value == (name, 3)
    assert run(f"%vector_store add {name} docs/leave.md").error is None


def test_a_store_that_can_not_be_made_so_is_not_made(mistake: Mistake, docs: Path) -> None:
    for days in ("-1", "0", "366"):
        assert mistake(f"%vector_store create y2 --expires-after {days}") == (
            f"%vector_store create: --expires-after can't be {days}. It is 1 to 365."
        )
    assert VectorStore.list() == []


def test_files_and_chunks_are_dataframes(run: Run, filled: VectorStore) -> None:
    files = run("%vector_store files handbook").value
    assert list(files.columns) == ["name", "status", "error", "usage_bytes", "year", "lang"]
    assert run("%vector_store chunks handbook leave.md").value["text"].tolist() == [LEAVE.strip()]


@pytest.mark.parametrize(
    ("where", "condition"),
    [
        ("year >= 2024", "attr('year') >= 2024"),
        ("2020 <= year < 2024", "(attr('year') >= 2020) & (attr('year') < 2024)"),
        ("lang in ['en', 'de'] and not draft == True", "(attr('lang').isin(['en', 'de'])) & (attr('draft') != True)"),
        ("lang not in ('en',) or year == 1", "(attr('lang').notin(['en'])) | (attr('year') == 1)"),
    ],
)
def test_filters_are_written_as_python(where: str, condition: str) -> None:
    assert repr(condition_of(VECTOR_STORE.command, where)) == condition


@pytest.mark.parametrize("where", ["year", "year >", "f(1) == 2", "year == month", "__import__('os')", "x is None"])
def test_what_is_no_filter_is_refused(where: str) -> None:
    from IPython.core.error import UsageError

    with pytest.raises(UsageError, match="Write conditions as"):
        condition_of(VECTOR_STORE.command, where)


@pytest.mark.parametrize(
    ("where", "condition"),
    [
        ("year == {{y}}", "attr('year') == 2024"),
        ("lang in ['en', {{ text }}]", """attr('lang').isin(['en', "x' or year == 1 or '"])"""),
        ("draft == {{row.draft}} or {{y}} < year", "(attr('draft') == False) | (attr('year') > 2024)"),
        ("share >= {{share}}", "attr('share') >= 0.5"),
    ],
)
def test_values_of_the_notebook_take_their_places_in_filters(where: str, condition: str) -> None:
    import numpy as np

    names = {"y": 2024, "text": "x' or year == 1 or '", "row": SimpleNamespace(draft=False), "share": np.float64(0.5)}
    assert repr(condition_of(VECTOR_STORE.command, where, names)) == condition


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("year == {{nothing}}", "{{nothing}}: nothing here is named 'nothing'."),
        ("year == {{frame}}", "{{frame}} can't be SimpleNamespace"),
        ("year == {{frame._x}}", "names that begin with an underscore can't be read"),
        ("year == {{1 + 1}}", "{{…}} takes names, and computes nothing"),
        ("lang == '{{text}}'", "{{…}} stands for a value, texts included: write it without quotes around it"),
    ],
)
def test_what_can_not_take_a_place_in_a_filter_is_refused(where: str, said: str) -> None:
    from IPython.core.error import UsageError

    with pytest.raises(UsageError) as told:
        condition_of(VECTOR_STORE.command, where, {"frame": SimpleNamespace(), "text": "en"})
    assert said in str(told.value)


@pytest.mark.parametrize(
    "line",
    [
        "--where year >= 2024 annual leave",
        "annual leave --where year >= 2024",
        "--where year in [2024] annual leave",
        "--where year>=2024 and lang == 'en' annual leave",
        "--where not draft == True annual leave",
    ],
)
def test_a_condition_without_its_quotes_says_so(mistake: Mistake, filled: VectorStore, line: str) -> None:
    told = mistake(f"%vector_store search handbook {line}")
    assert 'A condition with spaces stands in quotes: --where "year >= 2024".' in told


def test_a_filter_is_filled_in_a_cell(run: Run, filled: VectorStore) -> None:
    run("y = 2026")
    assert len(run('%vector_store search handbook --where "year == {{y}}" annual leave').value) > 0
    assert len(run('%vector_store search handbook --where "year > {{y}}" annual leave').value) == 0


@pytest.mark.parametrize(
    ("line", "question"),
    [
        ("annual leave --limit 1", "annual leave"),
        ("annual --limit 1 leave;", "annual leave"),
        ('"annual leave", isn\'t it? --limit=1', '"annual leave", isn\'t it?'),
        ("annual leave --verbose --limit 1", "annual leave --verbose"),
        ("--limit 1 -- annual leave --limit 3", "annual leave --limit 3"),
    ],
)
def test_options_may_stand_after_the_question(run: Run, filled: VectorStore, line: str, question: str) -> None:
    found = run(f"found = %vector_store search handbook {line}")
    assert found.error is None
    assert (run("found.query").value, run("len(found)").value) == (question, 1)


def test_a_wrong_option_after_the_question_says_so(mistake: Mistake, filled: VectorStore) -> None:
    assert mistake("%vector_store search handbook leave --limit few") == (
        "%vector_store search: --limit has to be a whole number, not 'few'."
    )


def test_the_advice_on_options_names_only_magics_that_there_are() -> None:
    from IPython.core.error import UsageError

    option = options.Option("--limit", "", "N")
    for kinds, said in ((("line",), False), (("line", "cell"), True)):
        command = options.Command(name="x", summary="", kinds=kinds, options=(option,), takes_rest=True)  # type: ignore[arg-type]
        with pytest.raises(UsageError) as told:
            command.parse("words --limit 1")
        assert ("%%x" in str(told.value)) is said


def test_attributes_are_what_they_look_like() -> None:
    pairs = ["year=2026", "share=0.5", "draft=True", "lang=en", "id='007'", "odd=[1]", "eq=a=b", "odder={[1]}"]
    assert attributes_of(VECTOR_STORE.command, pairs) == {
        "year": 2026, "share": 0.5, "draft": True, "lang": "en", "id": "007", "odd": "[1]", "eq": "a=b",
        "odder": "{[1]}",
    }  # fmt: skip


def test_true_and_false_are_switches_however_written_and_dates_stay_text(run: Run) -> None:
    pairs = ["a=true", "b=false", "c=TRUE", "d=False", "e='false'", "when=2024-01-01", "then=2024-10-11"]
    made = attributes_of(VECTOR_STORE.command, pairs)
    assert list(map(repr, (made or {}).values())) == [
        "True", "False", "True", "False", "'false'", "'2024-01-01'", "'2024-10-11'",
    ]  # fmt: skip
    told = " ".join(run("%vector_store add --help").stdout.split())
    assert "all else is text, dates too: when=2024-01-31 is found by when >= '2024-01-01'." in told


def test_a_store_is_not_deleted_where_nobody_is_there(run: Run, mistake: Mistake, filled: VectorStore) -> None:
    assert mistake("%vector_store delete handbook") == (
        "%vector_store delete: Nobody is there to be asked whether 'handbook' with 3 files may be deleted: add --yes."
    )
    assert [store.name for store in VectorStore.list()] == ["handbook"]
    assert run("%vector_store delete handbook --yes").stdout == "Deleted 'handbook' with 3 files.\n"
    assert VectorStore.list() == []
    assert "handbook" not in run("list(globals())").value


@pytest.mark.parametrize(
    ("said", "deleted"), [("y", True), ("yes ", True), ("", False), ("n", False), ("delete", False)]
)
def test_somebody_is_asked_before_a_store_is_deleted(
    run: Run, loaded: InteractiveShell, filled: VectorStore, monkeypatch: pytest.MonkeyPatch, said: str, deleted: bool
) -> None:
    monkeypatch.setattr(loaded, "kernel", SimpleNamespace(_allow_stdin=True), raising=False)
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or said)
    run("%vector_store delete handbook")
    assert asked == ["Delete the vector store 'handbook' with 3 files, for good? [y]es, [n]o: "]
    assert (VectorStore.list() == []) is deleted


def test_agents_take_stores_as_tools(run: Run, filled: VectorStore) -> None:
    agent = run("%%agent desk --tools handbook\nAnswer from the handbook.").value
    assert [tool.name for tool in agent.tools] == ["file_search"]
    shown = run("%ask desk How many days of annual leave does every employee have?").outputs[0]
    assert "Every employee has 25 days of annual leave.[1]" in shown["text/plain"]
    assert "[1] docs/leave.md · Leave" in shown["text/plain"]
    assert filled.id not in shown["text/html"]


def test_wrong_lines_say_what_is_wrong(mistake: Mistake, docs: Path) -> None:
    assert mistake("%vector_store serch x") == "%vector_store: There is no %vector_store serch. Did you mean search?"
    assert mistake("%vector_store add") == (
        "%vector_store add: It needs STORE: a variable that holds a vector store, or the name of one."
    )
    assert mistake("%vector_store search nowhere x").startswith(
        "%vector_store search: There is no vector store 'nowhere'."
    )
    assert mistake("%vector_store files docs_") != ""


def test_a_terminal_gets_the_sources_below_the_answer(
    run: Run, filled: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTKIT_RENDER", "console")
    run("%%agent desk --tools handbook\nAnswer from the handbook.")
    lines = run("%ask desk How many days of annual leave does every employee have?").stdout.splitlines()
    assert any("Every employee has 25 days of annual leave." in line for line in lines)
    (source,) = (line for line in lines if line.startswith("[1] "))
    assert source.startswith("[1] docs/leave.md · Leave: ")
    chat = run("import agentkit\nchat = agentkit.chat(desk)\nchat.ask('How many days of annual leave do we have?');")
    assert [line[:19] for line in chat.stdout.splitlines() if line.startswith("[1] ")] == ["[1] docs/leave.md ·"]


def test_a_variable_that_holds_no_store_is_named(run: Run, mistake: Mistake) -> None:
    run("number = 3")
    assert mistake("%vector_store files number") == ("%vector_store files: number is an int, and no vector store.")


@pytest.mark.parametrize("part", ["create", "open"])
@pytest.mark.parametrize("line", ["pd", "handbook --out pd", "x --out pd"])
def test_a_variable_with_something_else_is_kept(
    run: Run, mistake: Mistake, filled: VectorStore, part: str, line: str
) -> None:
    run("import pandas as pd")
    name = line.split()[0]
    assert mistake(f"%vector_store {part} {line}") == (
        f"%vector_store {part}: pd is a module here, and would be lost. Name another variable: "
        f"%vector_store {part} {name} --out pd_store."
    )
    assert run("pd.__name__").value == "pandas"
    assert [store.name for store in VectorStore.list()] == ["handbook"]
    assert run("%vector_store create pd --out pd_store").value.name == "pd"
    assert run(f"%vector_store {part} pd --out pd_store").error is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("files nowhere", "There is no vector store 'nowhere'. %vector_store create nowhere makes it. "
         "%vector_store list has those there are."),
        ("files 'No where'", "There is no vector store 'No where'. %vector_store create 'No where' makes it. "
         "%vector_store list has those there are."),
        ("chunks handbook x.md", "'handbook' has no file 'x.md'. %vector_store files handbook lists those there are."),
        ("search handbook leave --limit 99", "--limit can't be 99. It is 1 to 50."),
        ("add handbook docs --chunk-tokens 5", "--chunk-tokens can't be 5. It is 100 to 4096."),
        ("add handbook {{none}}", "There is nothing to add. Name files: %vector_store add handbook docs/**/*.pdf."),
        ("create brief --expires-after 0", "--expires-after can't be 0. It is 1 to 365."),
    ],
)  # fmt: skip
def test_errors_advise_what_is_typed_in_magics(
    run: Run, mistake: Mistake, filled: VectorStore, line: str, said: str
) -> None:
    run("none = []")
    assert mistake(f"%vector_store {line}") == f"%vector_store {line.split()[0]}: {said}"


def test_a_store_that_is_gone_is_made_anew_by_the_magic() -> None:
    advice = "Make it anew: agentkit.VectorStore.create('handbook')."
    for error in (UserError("It is gone.", hint=advice), UserError(f"It is gone. {advice}")):
        assert as_typed(error, "handbook") == "It is gone. Make it anew: %vector_store create handbook."


def test_two_stores_of_a_name_are_told_without_ids(run: Run, filled: VectorStore) -> None:
    run("%vector_store create handbook --new")
    with pytest.warns(UserWarning, match="2 vector stores are called 'handbook'") as told:
        run("%vector_store open handbook")
    assert [str(each.message) for each in told] == [
        "2 vector stores are called 'handbook'; this is the newest. Others are opened by their ids."
    ]


@pytest.mark.parametrize("part", ["", " add", " search", " delete", " sync", " chunks"])
def test_each_part_has_its_help(run: Run, part: str) -> None:
    told = run(f"%vector_store{part} --help").stdout
    assert f"%vector_store{part}" in told
    assert "Usage:" in told


def test_tab_offers_parts_stores_and_files(run: Run, filled: VectorStore, loaded: InteractiveShell) -> None:
    completer = MagicCompleter(loaded, {"vector_store": VECTOR_STORE.command})

    def offered(line: str) -> list[str]:
        return [each.text for each in completer.complete(line, len(line))["completions"]]

    assert offered("%vector_store se") == ["search"]
    assert offered("%vector_store search ha") == ["handbook"]
    assert offered("%vector_store add handbook do") == ["docs/"]
    assert offered("%vector_store search handbook --li") == ["--limit"]
    assert offered("%vector_store chunks handbook ") == ["docs/broken.pdf", "docs/leave.md", "docs/travel.html"]
    assert offered("%vector_store remove handbook docs/l") == ["docs/leave.md"]
    assert offered("%vector_store search handbook leave --li") == ["--limit"]
    run("%vector_store create bare")
    with provisionalcompleter():
        for line in ("%vector_store chunks bare ", "%vector_store chunks nowhere ", "%vector_store chunks handbook i"):
            (only,) = loaded.Completer.completions(line, len(line))  # and none of Python's words
            assert only.text == line.rpartition(" ")[2]
    VectorStore.create("Team handbook")
    VectorStore.create("2024")
    assert offered("%vector_store search ") == ["bare", "handbook", "2024", '"Team handbook"']
    assert offered("%vector_store open 20") == ["2024"]
    VectorStore("2024").add(("a.md", b"Text."), on_progress=lambda event: None)
    assert offered("%vector_store chunks 2024 ") == ["bytes:a.md"]
    os.makedirs("empty", exist_ok=True)
    assert offered("%vector_store sync handbook em") == ["empty/"]


def test_words_after_the_subject_may_stand_around_options() -> None:
    command = options.Command(
        name="x", summary="", kinds=("line",), subject=options.Subject("A", "a"), words=options.Subject("B …", "b"),
        options=(options.Option("--set", "", "N", many=True),),
    )  # fmt: skip
    found = command.parse('s one --set a=1,b=2 "two words" three;')
    assert (found.subject, found.words, found["set"]) == ("s", ["one", "two words", "three"], ["a=1", "b=2"])
