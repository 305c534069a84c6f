"""What the notebook keeps of a chat."""

from __future__ import annotations

from agentkit.notebook.chat.kept import kept_bundle
from agentkit.notebook.chat.suggestions import suggestions_for
from agentkit.notebook.chat.turns import AttachedFile, Turn, TurnTree
from agentkit.notebook.display.kept_digest import digest_of
from agentkit.notebook.display.transcript import Step
from agentkit.runtime import Agent
from agentkit.tooling import function_tool

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def turn(name: str, parent: str | None = None, question: str = "Hi!", answer: str = "Hello.", **more: object) -> Turn:
    made = Turn(name, parent, 1, question, **more)  # type: ignore[arg-type]
    made.answer, made.agent, made.status = answer, made.agent or "a", "completed"
    return made


def kept(*turns: Turn, title: str = "", part: bool = False) -> dict[str, str]:
    tree = TurnTree()
    for each in turns:
        tree.add(each)
    return kept_bundle(tree, tree.path(), title=title, agent="a", part=part)


def test_the_text_can_be_read_in_a_terminal() -> None:
    first = turn("1", question="What's the weather?", answer="Sunny.", rating="up", remark="nice")
    first.files = [AttachedFile("map.png", "image/png", 12_345)]
    first.steps = [Step("call", "k", "get_weather", arguments='{"city": "Oslo"}', output="sunny", state="ok")]
    second = turn("2", "1", "And then?", "", note="Stopped. Nothing had been answered yet.")
    assert kept(first, second, title="A trip")["text/plain"] == (
        "Chat with a: A trip\n\n"
        "You: What's the weather?\n[with map.png]\n"
        '  ✓ get_weather(city="Oslo") → sunny\n'
        "a: Sunny.\n[rated up: nice]\n\n"
        "You: And then?\n[Stopped. Nothing had been answered yet.]"
    )


def test_a_chat_in_which_nothing_was_said_says_so() -> None:
    assert kept()["text/plain"] == "Chat with a (empty)"
    assert "Nothing has been said yet." in kept()["text/html"]


def test_a_turn_that_is_being_answered_is_not_kept_yet() -> None:
    running = turn("2", "1")
    running.status = "running"
    assert kept(turn("1"), running)["text/html"] == kept(turn("1"))["text/html"]


def test_other_versions_are_folded_with_what_was_said_after_them() -> None:
    shown = kept(turn("1"), turn("2", "1", "Two"), turn("3", "2", "Three"), turn("2b", "1", "Zwei"))
    assert "‹ 2/2 › ▸ other version</summary>" in shown["text/html"]
    assert shown["text/html"].index("Zwei") < shown["text/html"].index("Two") < shown["text/html"].index("Three")
    assert "You: Zwei  ‹ 2/2 ›" in shown["text/plain"]
    assert "Three" not in shown["text/plain"]


def test_no_text_from_anywhere_becomes_an_element() -> None:
    bad = turn("1", question=HOSTILE, answer=HOSTILE, agent=HOSTILE, remark=HOSTILE, rating="down", note=HOSTILE)
    bad.files = [AttachedFile(HOSTILE, "text/plain", 1)]
    bad.usage_line = HOSTILE
    bad.steps = [Step("call", "k", HOSTILE, arguments=HOSTILE, output=HOSTILE, state="ok")]
    shown = kept(bad, title=HOSTILE)["text/html"]
    assert "<script" not in shown
    assert "<img" not in shown


def test_headings_of_an_answer_stay_out_of_the_notebooks_contents() -> None:
    assert '<h2 class="jp-toc-ignore">Part</h2>' in kept(turn("1", answer="## Part"))["text/html"]
    assert "<h2>not a heading" not in kept(turn("1", answer="`<h2>not a heading`"))["text/html"]


def test_a_structured_answer_is_a_table() -> None:
    shown = kept(turn("1", answer='{"city": "Oslo", "celsius": 7}', structured=True))
    assert "<table>" in shown["text/html"] or "<dl" in shown["text/html"]
    assert '{"city": "Oslo", "celsius": 7}' in shown["text/plain"]


def test_a_structured_answer_stands_below_its_class_as_in_a_cell() -> None:
    made = turn("1", answer='{"city": "Oslo"}', structured=True, output_type="Place<b>")
    assert '<div class="agk-h">Place&lt;b&gt;</div><dl class="agk-k">' in kept(made)["text/html"]


def test_what_is_kept_has_a_class_of_its_own_that_is_the_same_each_time() -> None:
    one, again, other = (digest_of(kept(turn("x", answer=text))) for text in ("Hello.", "Hello.", "Bye."))
    assert one == again != other
    assert f'<div class="agk agk-kept {one}">' in kept(turn("1"))["text/html"]
    assert digest_of(kept(turn("1"), part=True)) == ""


def test_suggestions_are_made_of_what_tools_say_they_do() -> None:
    @function_tool
    def get_weather(city: str) -> str:
        """Returns the weather in a city. More."""
        return ""

    @function_tool
    def look_up() -> str:
        return ""

    agent = Agent(name="a", tools=[get_weather, look_up], handoffs=[Agent(name="expert")])
    assert suggestions_for(agent) == [
        "What can you help me with?",
        "Can you return the weather in a city?",
        "Can you use look up?",
        "I'd like to talk to expert.",
    ]
