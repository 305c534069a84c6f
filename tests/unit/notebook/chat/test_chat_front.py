"""What the chat's widget is told, and what comes of what it says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from chat_parts import TalkMaker

from agentkit import Agent, function_tool
from agentkit.notebook.chat import front, turn_html
from agentkit.notebook.chat.front import Frame, FrontEnd
from agentkit.notebook.chat.listeners import Listeners
from agentkit.testing import ScriptedModel, call


class Page:
    """The widget's script: it keeps what it is sent, and says what a reader does."""

    def __init__(self, talk: TalkMaker, agent: Agent[Any], frame: Frame | None = None) -> None:
        listeners = Listeners()
        self.messages: list[dict[str, Any]] = []
        self.front = FrontEnd(self, asyncio.get_running_loop(), frame or Frame(""))
        self.talk = self.front.talk = talk(agent, listener=listeners)
        listeners.front = self.front

    def send(self, content: dict[str, Any]) -> None:
        self.messages.append(content)

    def say(self, *buffers: bytes, **message: Any) -> None:
        self.front.says(message, buffers)

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                await asyncio.sleep(0)

    async def answered(self, **message: Any) -> dict[str, Any]:
        """Say something that is answered, and return the turn as it is shown."""
        before = len(self.messages)
        self.say(**message)
        await self.until(lambda: any("turns" in each for each in self.messages[before:]))
        await self.until(lambda: not self.talk.busy)
        shown: dict[str, Any] = [each for each in self.messages if "turns" in each][-1]["turns"][-1]
        return shown

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(each["told"], each["back"]) for each in self.messages if "told" in each]


async def test_a_page_that_comes_is_told_everything(new_talk: TalkMaker) -> None:
    page = Page(new_talk, Agent(name="weather"), Frame("A trip", ["Hi!"], lambda: ["rehearsal-1"], "resume()", 300))
    page.say(kind="ready")
    await page.until(lambda: page.messages)
    whole = page.messages[0]["all"]
    assert {name: whole[name] for name in ("agent", "title", "suggestions", "models", "resume", "height", "turns")} == {
        "agent": "weather",
        "title": "A trip",
        "suggestions": ["Hi!"],
        "models": ["rehearsal-1"],
        "resume": "resume()",
        "height": 300,
        "turns": [],
    }
    assert page.messages[0]["path"] == []


async def test_a_message_is_taken_and_its_answer_is_shown_with_what_it_took(new_talk: TalkMaker) -> None:
    @function_tool
    def look(at: str) -> str:
        """Look."""
        return "seen"

    model = ScriptedModel().reply(call("look", at="it")).reply("**Yes** and $x^2$.")
    page = Page(new_talk, Agent(name="a", model=model, tools=[look]))
    shown = await page.answered(kind="send", text="Is <b>it</b> there?")
    assert shown["question"] == "Is &lt;b&gt;it&lt;/b&gt; there?"
    assert shown["source"] == "**Yes** and $x^2$."
    assert "<strong>Yes</strong>" in shown["answer"]
    assert "<math" in shown["answer"]
    assert [("look" in html, time.endswith(" ms")) for html, time in shown["steps"]] == [(True, True)]
    assert "2 model calls" in shown["usage"]
    assert {"taken": True, "files": []}.items() <= next(each for each in page.messages if "taken" in each).items()


async def test_the_page_is_told_what_the_notebook_keeps(new_talk: TalkMaker) -> None:
    page = Page(new_talk, Agent(name="a"), Frame("", again="agentkit.chat.resume('c')"))
    page.front.kept_as("agk-k0")
    page.say(kind="ready")
    await page.until(lambda: len(page.messages) == 2)
    assert page.messages[0] == {"n": 0, "kept": "agk-k0"}
    assert (page.messages[1]["kept"], page.messages[1]["all"]["again"]) == ("agk-k0", "agentkit.chat.resume('c')")


async def test_a_page_that_asks_again_is_answered_once_even_where_the_first_request_was_lost(
    new_talk: TalkMaker,
) -> None:
    page = Page(new_talk, Agent(name="a"))
    for view, again in (("one", False), ("one", True), ("two", True), ("two", True), ("one", False)):
        page.say(kind="ready", view=view, again=again)
    await page.until(lambda: len(page.messages) == 3)
    page.say(kind="ready", view="three")
    await page.until(lambda: len(page.messages) == 4)
    assert [("all" in message, message["n"]) for message in page.messages] == [(True, n) for n in range(4)]


@pytest.mark.parametrize(("answer", "in_thread"), [("Short.", False), ("Long. " * 1_000, True)])
async def test_a_long_answer_is_not_rendered_on_the_loops_thread(
    new_talk: TalkMaker, monkeypatch: pytest.MonkeyPatch, answer: str, in_thread: bool
) -> None:
    rendered_in: set[threading.Thread] = set()

    def answer_html(*args: Any, **options: Any) -> str:
        rendered_in.add(threading.current_thread())
        return turn_html.answer_html(*args, **options)

    monkeypatch.setattr(front, "answer_html", answer_html)
    page = Page(new_talk, Agent(name="a", model=ScriptedModel(answer)))
    shown = await page.answered(kind="send", text="Hi!")
    page.say(kind="ready")
    await page.until(lambda: "all" in page.messages[-1])
    assert page.messages[-1]["all"]["turns"] == [shown]
    assert (threading.current_thread() not in rendered_in) == in_thread


async def test_what_changes_while_a_long_answer_is_rendered_is_not_overtaken(
    new_talk: TalkMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(new_talk, Agent(name="a", model=ScriptedModel("Long. " * 1_000)))
    shown = await page.answered(kind="send", text="Hi!")
    go_on, rendering = threading.Event(), threading.Event()

    def answer_html(*args: Any, **options: Any) -> str:
        if threading.current_thread() is not loop_thread and not rendering.is_set():
            rendering.set()
            go_on.wait(30)
        return "rendered"

    loop_thread = threading.current_thread()
    monkeypatch.setattr(front, "answer_html", answer_html)
    page.say(kind="ready")
    await page.until(rendering.is_set)
    page.say(kind="rate", turn=shown["id"], rating="up")
    await page.until(lambda: page.messages[-1].get("turns", [{}])[0].get("rating") == "up")
    go_on.set()
    await page.until(lambda: "all" in page.messages[-1])
    assert page.messages[-1]["all"]["turns"][0]["rating"] == "up"


async def test_numbers_of_messages_have_no_gaps(new_talk: TalkMaker) -> None:
    page = Page(new_talk, Agent(name="a", model=ScriptedModel("One.", "Two.")))
    page.say(kind="ready")
    shown = await page.answered(kind="send", text="Hi!")
    await page.answered(kind="retry", turn=shown["id"])
    numbers = [each["n"] for each in page.messages if "n" in each]
    assert numbers == list(range(len(numbers)))


async def test_versions_can_be_edited_and_chosen(new_talk: TalkMaker) -> None:
    page = Page(new_talk, Agent(name="a", model=ScriptedModel("One.", "Two.")))
    first = await page.answered(kind="send", text="Hi!")
    second = await page.answered(kind="edit", turn=first["id"], text="Hello!")
    assert page.messages[-1]["places"] == [(2, 2)]
    assert page.messages[-1]["versions"] == [[first["id"], second["id"]]]
    page.say(kind="choose", turn=first["id"])
    await page.until(lambda: page.messages[-1]["path"] == [first["id"]] and not page.messages[-1]["busy"])


async def test_a_message_that_cannot_be_sent_comes_back(new_talk: TalkMaker) -> None:
    page = Page(new_talk, Agent(name="a", model=ScriptedModel()))
    page.say(kind="send", text=" ")
    await page.until(lambda: page.told)
    assert page.told == [("There is nothing to send. Write a message, or attach a file.", " ")]


async def test_a_message_is_not_sent_without_the_file_that_is_on_its_way(new_talk: TalkMaker) -> None:
    model = ScriptedModel("Read.")
    page = Page(new_talk, Agent(name="a", model=model))
    page.say(b"hel", kind="upload", key="k", name="note.txt", last=False)
    page.say(kind="send", text="Read it")
    await page.until(lambda: page.told)
    assert page.told[0][0].startswith("A file is still on its way.")
    page.say(b"lo", kind="upload", key="k", name="note.txt", last=True)
    await page.answered(kind="send", text="Read it")
    assert "hello" in str(model.requests[-1].input)


async def test_what_cannot_be_begun_leaves_no_message_and_gives_the_files_back(
    new_talk: TalkMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(new_talk, Agent(name="a", model=ScriptedModel()))
    page.say(b"hello", kind="upload", key="k", name="note.txt", last=True)
    monkeypatch.setenv("AGENTKIT_APPROVE", "maybe")
    page.say(kind="send", text="Read it")
    await page.until(lambda: page.told and not page.talk.busy)
    assert page.told[0][1] == "Read it"
    assert "maybe" in page.told[0][0]
    assert list(page.talk.tree) == []
    await page.until(lambda: page.messages[-1].get("files"))
    assert page.messages[-1]["files"][0]["name"] == "note.txt"


async def test_a_chosen_model_is_answered(new_talk: TalkMaker) -> None:
    page = Page(new_talk, Agent(name="a", model=ScriptedModel()))
    page.say(kind="model", name="big")
    await page.until(lambda: page.messages)
    assert page.talk.record.model == "big"


async def test_what_is_not_there_is_told_and_ends_nothing(new_talk: TalkMaker) -> None:
    page = Page(new_talk, Agent(name="a", model=ScriptedModel("Hello.")))
    page.say(kind="retry", turn="x")
    page.say(kind="no such kind")
    await page.until(lambda: page.told)
    assert page.told == [("This chat has no message 'x'.", "")]
    assert (await page.answered(kind="send", text="Hi!"))["source"] == "Hello."


async def test_files_come_in_parts_and_go_with_the_next_message(new_talk: TalkMaker) -> None:
    model = ScriptedModel("Read.")
    page = Page(new_talk, Agent(name="a", model=model))
    page.say(b"hel", kind="upload", key="k", name="note.txt", last=False)
    page.say(b"lo", kind="upload", key="k", name="note.txt", last=True)
    page.say(b"x", kind="upload", key="l", name="other.txt", last=True)
    page.say(kind="drop", key="l")
    await page.until(lambda: len(page.messages) == 3)
    assert page.messages[-1]["files"] == [{"key": "k", "name": "note.txt", "size": "5 B"}]
    shown = await page.answered(kind="send", text="Read it")
    assert "note.txt · 5 B" in shown["files"]
    assert "hello" in str(model.requests[-1].input)


@pytest.mark.parametrize(("data", "said"), [(b"", "is empty"), (b"PK\x03\x04....", "a ZIP archive")])
async def test_a_file_that_cannot_be_attached_is_refused(new_talk: TalkMaker, data: bytes, said: str) -> None:
    page = Page(new_talk, Agent(name="a", model=ScriptedModel()))
    page.say(data, kind="upload", key="k", name="thing", last=True)
    await page.until(lambda: page.told)
    assert said in page.told[0][0]


async def test_approvals_are_asked_for_and_obeyed(new_talk: TalkMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTKIT_APPROVE", raising=False)
    done: list[str] = []

    @function_tool(needs_approval=True)
    def send(to: str) -> str:
        """Send."""
        done.append(to)
        return "sent"

    model = ScriptedModel().reply(call("send", to="Ada"), call("send", to="Bob")).reply("Done.")
    page = Page(new_talk, Agent(name="a", model=model, tools=[send]))
    page.say(kind="send", text="Write to both")
    await page.until(lambda: any("run" in each for each in page.messages))
    [turn] = {each["turn"] for each in page.messages if "run" in each}
    page.say(kind="run", turn=turn, content={"kind": "ready"})
    await page.until(lambda: "['ask', '2'" in str(page.messages))
    page.say(kind="run", turn="earlier", content={"kind": "decide", "key": "2", "verdict": "approve"})
    page.say(kind="run", turn=turn, content={"kind": "decide", "key": "1", "verdict": "approve"})
    page.say(kind="run", turn=turn, content={"kind": "decide", "key": "2", "verdict": "reject", "reason": "not him"})
    await page.until(lambda: not page.talk.busy)
    assert done == ["Ada"]
    assert "not him" in str(model.requests[-1].input)


async def test_a_policy_decides_where_there_is_one(new_talk: TalkMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    @function_tool(needs_approval=True)
    def send() -> str:
        """Send."""
        return "sent"

    monkeypatch.setenv("AGENTKIT_APPROVE", "approve")
    model = ScriptedModel().reply(call("send")).reply("Done.")
    page = Page(new_talk, Agent(name="a", model=model, tools=[send]))
    assert (await page.answered(kind="send", text="Send"))["source"] == "Done."
