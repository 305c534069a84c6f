"""Answers that cite files: where the numbers go, what they unfold to, and what is kept of them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agentkit import Agent, Runner, ToolCallItem
from agentkit.notebook.chat.kept import kept_bundle
from agentkit.notebook.chat.store import _changing, _turn
from agentkit.notebook.chat.turns import Turn, TurnTree, steps_from_json, steps_to_json
from agentkit.notebook.display.citations import cited_html, cited_text, sources_line, sources_text
from agentkit.notebook.display.conversation_view import ConversationText
from agentkit.notebook.display.file_search import Citation, FileSearch, Passage, citations_of
from agentkit.notebook.display.passages import passage_row
from agentkit.notebook.display.run_view import run_bundle
from agentkit.notebook.display.spoken import message_text
from agentkit.notebook.display.transcript import Transcript
from agentkit.testing import ScriptedModel

PUMP = Passage("The pump runs at 3 bar.", "pump.pdf", "file-1", 0.9, 2, "Pump › Pressure", "pump pressure")
FAN = Passage("The fan turns at 900 rounds when it is hot.", "pump.pdf", "file-1", 0.8, 3, "", "pump pressure")


def numbers(html: str) -> list[str]:
    """Return the numbers in an answer, in their order."""
    return re.findall(r"<summary[^>]*>\[(\d+)\]</summary>", html)


def text_of(html: str) -> str:
    """Return what is read where nothing is unfolded."""
    closed = re.sub(r'<div class="agk-qp">.*?</div></div></details>', "</details>", html, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", "", closed)


def cited(text: str, *places: int) -> str:
    return cited_html(text, [Citation(place, "file-1", "pump.pdf") for place in places], [PUMP, FAN])


def search_call(*results: Any, **fields: Any) -> dict[str, Any]:
    call: dict[str, Any] = {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["pressure?"]}
    return call | {"results": list(results) or None} | fields


def answer(text: str, *notes: dict[str, Any]) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": list(notes)}
    return {"type": "message", "role": "assistant", "content": [part]}


def note(index: int, file_id: str = "file-1", filename: str = "pump.pdf") -> dict[str, Any]:
    return {"type": "file_citation", "index": index, "file_id": file_id, "filename": filename}


RESULT = {
    "file_id": "file-1",
    "filename": "pump.pdf",
    "score": 0.9,
    "text": "The pump runs at 3 bar.",
    "attributes": {},
}


# -- where numbers stand ----------------------------------------------------------------------------------------------


def test_a_citation_is_a_number_that_unfolds_to_its_passage() -> None:
    html = cited("The pump is set to 3 bar.", 25)
    assert html.startswith('<div class="agk-qt">The pump is set to 3 bar.<details class="agk-q"')
    assert 'aria-label="Source 1: pump.pdf · page 2 · Pump › Pressure"' in html
    assert "The <mark>pump</mark> runs at 3 bar." in html
    assert "<p>" not in html


def test_of_several_passages_of_a_file_the_one_like_the_sentence_is_meant() -> None:
    text = "The pump is set to 3 bar. When it is hot the fan turns at 900 rounds."
    html = cited(text, 25, len(text))
    first, second = re.findall(r'aria-label="Source \d: ([^"]*)"', html)
    assert (first, second) == ("pump.pdf · page 2 · Pump › Pressure", "pump.pdf · page 3")


def test_the_same_passage_has_the_same_number() -> None:
    text = "It runs at 3 bar. The pump runs at 3 bar."
    assert numbers(cited(text, 17, len(text))) == ["1", "1"]


@pytest.mark.parametrize(
    ("text", "index", "read"),
    [
        ("Three bar. It is safe.", 10, "Three bar.[1] It is safe."),
        ("Three bar. It is safe.", 9, "Three bar[1]. It is safe."),
        ("Three bar. It is safe.", 11, "Three bar.[1] It is safe."),
        ("Three bar", 4, "Three[1] bar"),
        ("See [the list](https://example.org/list) now.", 20, "See the list[1] now."),
        ("Type `pump --on` now.", 8, "Type pump --on[1] now."),
        ("- three\n- bar", 8, "three[1]\nbar"),
        ("It is $x + y$ bar.", 8, "It is $x + y$[1] bar."),
        ("東京は晴れです。", 5, "東京は晴れ[1]です。"),
    ],
)
def test_a_number_takes_no_markdown_apart(text: str, index: int, read: str) -> None:
    assert text_of(cited(text, index)).strip().replace("\n\n", "\n") == read


def test_a_number_within_code_stands_behind_it() -> None:
    html = cited("```py\nx = 1\n```\nDone.", 9)
    assert "</code></pre>" in html
    assert html.index("</pre>") < html.index("[1]") < html.index("Done.")


def test_a_number_in_a_table_stands_within_its_cell() -> None:
    html = cited("| a | b |\n|---|---|\n| one | two |\n", 33)
    assert re.search(r"<td>two<details.*</details></td>", html, re.DOTALL)


def test_every_place_in_any_markdown_has_its_number_once() -> None:
    text = "# Head\n\n1. **one** [x](http://e.org/a_b) `c`\n2. two\n\n```\nk\n```\n\n> quote $a$ & <b>\n"
    text += "\n| t |\n|---|\n| u |\n"
    for index in range(len(text) + 1):
        html = cited(text, index)
        assert numbers(html) == ["1"], index
        assert "⟦" not in html
        assert "%E2%9F%A6" not in html


def test_a_number_does_not_take_a_key_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-proj-" + "a1B2" * 10
    text = f"The key is {key} today."
    for index in range(len(text) + 1):
        html = cited(text, index)
        assert not re.search(r"(?:a1B2){2}", html), index
        assert numbers(html) == ["1"]


def test_a_file_without_a_passage_is_named_and_it_is_said_how_to_get_one() -> None:
    html = cited_html("Three bar.", [Citation(10, "file-9", "other.md")], [])
    assert "other.md" in html
    assert "include_search_results=True" in html
    assert "file-9" not in html


def test_a_page_of_the_web_is_a_link_and_no_other_scheme_is() -> None:
    cites = [Citation(3, "", "News", "https://example.org/a?b=1"), Citation(3, "", "Bad", "javascript:alert(1)")]
    html = cited_html("Yes", cites, [])
    assert 'href="https://example.org/a?b=1"' in html
    assert 'href="javascript' not in html
    assert numbers(html) == ["1", "2"]


def test_text_has_the_numbers_and_the_sources_below() -> None:
    assert cited_text("Three bar.", [Citation(10, "file-1", "pump.pdf")], [PUMP]) == (
        "Three bar.[1]\n\n[1] pump.pdf · page 2 · Pump › Pressure: The pump runs at 3 bar."
    )


def test_a_passage_of_two_pages_is_told_by_both_everywhere() -> None:
    search = FileSearch.of(search_call(RESULT | {"agentkit": {"page": 5, "last_page": 6}}))
    (again,) = FileSearch.of(search_call(*search.to_json(100)["results"])).passages or ()
    cites = [Citation(10, "file-1", "pump.pdf")]
    for passage in (*(search.passages or ()), again):
        assert passage.place == "pump.pdf · pages 5–6"
        assert "pages 5–6" in passage_row(passage)
        assert "pump.pdf · pages 5–6" in cited_html("Three bar.", cites, [passage])
        assert sources_line("Three bar.", cites, [passage]).endswith("[1] pump.pdf · pages 5–6</div>")


def test_the_sources_of_a_printed_answer_say_which_sentence_has_which() -> None:
    text = "- The pump runs at 3 bar. **It is red.**\n- The fan turns when it is hot."
    cites = [Citation(text.index(" **"), "file-1", "pump.pdf"), Citation(len(text), "file-1", "pump.pdf")]
    assert sources_text(text, cites, [PUMP, FAN]) == (
        "“The pump runs at 3 bar” [1]\n“The fan turns when it is hot” [2]\n\n"
        "[1] pump.pdf · page 2 · Pump › Pressure: The pump runs at 3 bar.\n"
        "[2] pump.pdf · page 3: The fan turns at 900 rounds when it is hot."
    )
    assert sources_text("Three bar.", [Citation(10, "file-1", "pump.pdf")], [PUMP]) == (
        "[1] pump.pdf · page 2 · Pump › Pressure: The pump runs at 3 bar."
    )
    assert sources_text(text, [], [PUMP]) == ""


def test_the_sources_of_a_printed_answer_show_no_part_of_a_key() -> None:
    key = "sk-proj-" + "a1B2" * 12
    told = sources_text(f"The key. {key}. It is new.", [Citation(12 + len(key) // 2, "file-1", "pump.pdf")], [PUMP])
    assert "a1B2" not in told
    assert told.endswith("[1] pump.pdf · page 2 · Pump › Pressure: The pump runs at 3 bar.")


def test_an_answer_without_citations_is_what_it_was() -> None:
    assert cited_html("**Yes**", [], [PUMP]) == "<p><strong>Yes</strong></p>\n"
    assert cited_text("**Yes**", [], [PUMP]) == "**Yes**"


def test_citations_of_several_parts_count_from_the_beginning_of_the_answer() -> None:
    item = {"content": [{"type": "output_text", "text": "One."}, answer("Two.", note(4))["content"][0]]}
    assert citations_of(item) == [Citation(8, "file-1", "pump.pdf")]


@pytest.mark.parametrize("annotation", [None, 3, {}, {"type": "file_citation", "index": "x", "file_id": 3}])
def test_annotations_that_are_none_do_no_harm(annotation: Any) -> None:
    item = {"content": [{"type": "output_text", "text": "One.", "annotations": [annotation]}]}
    assert [each.file_id for each in citations_of(item)] in ([], [""])


# -- runs, chats, conversations ---------------------------------------------------------------------------------------


async def run_that_cites(*items: dict[str, Any]) -> Any:
    model = ScriptedModel().reply(*items)
    return await Runner.run(Agent(name="desk", model=model), "What is the pressure?")


async def test_a_run_shows_its_search_as_a_card_and_its_answer_with_numbers() -> None:
    result = await run_that_cites(search_call(RESULT), answer("It is 3 bar.", note(12)))
    bundle = run_bundle(result)
    html = bundle["text/html"]
    assert numbers(html) == ["1"]
    assert '<span class="agk-n">file_search</span>' in html
    assert "→ 1 passage</span>" in html
    assert '<span class="agk-n">pump.pdf</span> <span class="agk-fs">0.90</span>' in html
    assert "Sources: [1] pump.pdf" in html
    assert "file-1" not in html
    assert "fs_1" not in html
    assert bundle["text/plain"] == "It is 3 bar.[1]\n\n[1] pump.pdf: The pump runs at 3 bar."


async def test_where_the_platform_sends_no_passages_files_and_queries_are_shown() -> None:
    result = await run_that_cites(search_call(), answer("It is 3 bar.", note(12)))
    html = run_bundle(result)["text/html"]
    assert 'file_search</span> <span class="agk-g">&quot;pressure?&quot;</span>' in html
    assert numbers(html) == ["1"]
    assert "pump.pdf" in html


async def test_citations_of_an_answer_that_became_a_step_are_no_sources_of_the_next() -> None:
    first = answer("I think it is 3 bar.", note(20))
    result = await run_that_cites(first, search_call(RESULT), answer("It is 4 bar."))
    assert numbers(run_bundle(result)["text/html"]) == []


async def test_a_search_that_failed_says_so() -> None:
    result = await run_that_cites(search_call(status="failed"), answer("I don't know."))
    assert '<span class="agk-m agk-no">✗</span> <span class="agk-n">file_search' in run_bundle(result)["text/html"]


async def test_a_search_is_seen_while_it_goes_on() -> None:
    model = ScriptedModel().reply(search_call(RESULT), answer("It is 3 bar.", note(12)))
    streaming = Runner.run_streamed(Agent(name="desk", model=model), "What is the pressure?")
    transcript = Transcript()
    async for event in streaming.stream_events():
        transcript.add_event(event)
    steps = [(step.title, step.state, step.output) for step in transcript.steps]
    assert steps == [("file_search", "ok", "1 passage")]
    assert [each.index for each in transcript.citations] == [12]


def test_a_chat_keeps_searches_with_their_passages() -> None:
    transcript = Transcript()
    transcript.add_items([ToolCallItem(Agent(name="desk"), search_call(RESULT))])
    (kept,) = steps_from_json(steps_to_json(transcript.steps))
    assert kept == transcript.steps[0]
    assert kept.search == FileSearch(
        ("pressure?",), (Passage("The pump runs at 3 bar.", "pump.pdf", "file-1", 0.9, query="pressure?"),)
    )


def test_a_chat_shows_citations_and_still_does_when_it_is_opened_again() -> None:
    transcript = Transcript()
    transcript.add_items([ToolCallItem(Agent(name="desk"), search_call(RESULT))])
    turn = Turn("t1", None, 0, "The pressure?", status="completed", answer="It is 3 bar.", agent="desk")
    turn.steps, turn.citations = transcript.steps, [Citation(12, "file-1", "pump.pdf")]
    status, _, answer_, trace_id, rating, remark, more = _changing(turn)
    again = _turn(("t1", None, 0, 0, status, turn.question, answer_, trace_id, rating, remark, more))
    for each in (turn, again):
        tree = TurnTree([each])
        bundle = kept_bundle(tree, tree.path(), title="", agent="desk")
        assert numbers(bundle["text/html"]) == ["1"]
        assert "[1] pump.pdf: The pump runs at 3 bar." in bundle["text/plain"]


def test_steps_of_earlier_releases_are_read() -> None:
    old = {"kind": "call", "key": "k", "title": "t", "arguments": "", "output": "", "state": "ok", "inner": None}
    assert steps_from_json([old])[0].search is None


def test_a_conversation_shows_searches_and_citations() -> None:
    items = [{"role": "user", "content": "?"}, search_call(RESULT), answer("It is 3 bar.", note(12))]
    bundle = ConversationText("desk", items)._repr_mimebundle_()
    assert numbers(bundle["text/html"]) == ["1"]
    assert '⚙ file_search "pressure?" → 1 passage' in bundle["text/plain"]


def test_a_trace_tells_what_was_searched_found_and_cited() -> None:
    assert message_text(search_call(RESULT)) == "? pressure?\n1. pump.pdf · 0.90\n   The pump runs at 3 bar."
    assert message_text(answer("It is 3 bar.", note(12))) == "It is 3 bar.\n[cites pump.pdf]"
