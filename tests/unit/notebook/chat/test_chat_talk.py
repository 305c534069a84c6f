"""What is said in a chat, and what the model is given of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from chat_parts import Listener, TalkMaker, said, unseen

from agentkit import Agent, RunConfig, feedback, function_tool
from agentkit.exceptions import UserError
from agentkit.notebook.attachments import Attachment
from agentkit.notebook.chat.exchange import Terms
from agentkit.testing import ScriptedModel, call


def shown(talk: Any) -> list[tuple[str, str]]:
    return [(turn.question, turn.answer) for turn in talk.tree.path()]


async def test_each_message_goes_with_all_that_was_said_before(new_talk: TalkMaker) -> None:
    model = ScriptedModel("Hello.", "Fine.")
    talk = new_talk(Agent(name="a", model=model))
    await talk.say("Hi!", watch=unseen)
    await talk.say("How are you?", watch=unseen)
    assert said(model) == ["Hi!", "Hello.", "How are you?"]
    assert shown(talk) == [("Hi!", "Hello."), ("How are you?", "Fine.")]


async def test_an_edited_message_begins_a_branch_that_knows_nothing_of_the_other(new_talk: TalkMaker) -> None:
    model = ScriptedModel("Hello.", "Second.", "Third.", "Other.")
    talk = new_talk(Agent(name="a", model=model))
    for text in ("One", "Two", "Three"):
        await talk.say(text, watch=unseen)
    await talk.edit(talk.tree.path()[1].id, "Two, but better", watch=unseen)
    assert said(model) == ["One", "Hello.", "Two, but better"]
    assert shown(talk) == [("One", "Hello."), ("Two, but better", "Other.")]
    assert talk.tree.place(talk.tree.path()[1]) == (2, 2)


async def test_the_first_message_can_be_edited_too(new_talk: TalkMaker) -> None:
    model = ScriptedModel("Hello.", "Other.")
    talk = new_talk(Agent(name="a", model=model))
    await talk.say("One", watch=unseen)
    await talk.edit(talk.tree.path()[0].id, "Uno", watch=unseen)
    assert said(model) == ["Uno"]
    assert shown(talk) == [("Uno", "Other.")]


async def test_going_back_to_a_version_goes_on_from_what_was_said_after_it(new_talk: TalkMaker) -> None:
    model = ScriptedModel("1", "2", "3", "other", "4")
    talk = new_talk(Agent(name="a", model=model))
    for text in ("One", "Two", "Three"):
        await talk.say(text, watch=unseen)
    first = talk.tree.path()[1]
    await talk.edit(first.id, "Zwei", watch=unseen)
    await talk.choose(first.id)
    assert shown(talk) == [("One", "1"), ("Two", "2"), ("Three", "3")]
    await talk.say("Four", watch=unseen)
    assert said(model) == ["One", "1", "Two", "2", "Three", "3", "Four"]


async def test_retry_asks_the_same_again_with_the_same_files(new_talk: TalkMaker) -> None:
    model = ScriptedModel("A note.", "A short note.")
    talk = new_talk(Agent(name="a", model=model))
    await talk.say("What is it?", [Attachment.of("note.txt", b"hello")], watch=unseen)
    first = model.requests[-1].input
    await talk.retry(talk.tree.path()[0].id, watch=unseen)
    assert model.requests[-1].input == first
    assert [file.name for file in talk.tree.path()[0].files] == ["note.txt"]
    assert shown(talk) == [("What is it?", "A short note.")]


@pytest.mark.parametrize("text", ["", " \n"])
async def test_an_empty_message_is_refused_and_nothing_is_kept(new_talk: TalkMaker, text: str) -> None:
    talk = new_talk(Agent(name="a", model=ScriptedModel()))
    with pytest.raises(UserError, match="There is nothing to send"):
        await talk.say(text, watch=unseen)
    assert (len(talk.tree), talk.busy, talk.store.chats()) == (0, False, [])


async def test_one_message_is_answered_at_a_time_and_stop_keeps_what_there_is(new_talk: TalkMaker) -> None:
    started, listener = asyncio.Event(), Listener()

    @function_tool
    async def wait() -> str:
        """Wait."""
        started.set()
        await asyncio.Event().wait()
        return ""

    model = ScriptedModel().reply(call("wait")).reply("Done.")
    talk = new_talk(Agent(name="a", model=model, tools=[wait]), listener=listener)
    answering = asyncio.ensure_future(talk.say("Wait!", watch=unseen))
    await started.wait()
    with pytest.raises(UserError, match="A message is being answered"):
        await talk.say("And?", watch=unseen)
    talk.stop()
    answered = await answering
    assert (answered.turn.status, answered.turn.note) == ("cancelled", "Stopped. Nothing had been answered yet.")
    assert listener.changes == [[("Wait!", "running")], [("Wait!", "cancelled")]]
    assert (talk.busy, listener.rests) == (False, 1)
    await talk.say("Go on", watch=unseen)
    assert talk.tree.path()[-1].answer == "Done."


async def test_a_run_that_fails_is_a_turn_that_says_so(new_talk: TalkMaker) -> None:
    talk = new_talk(Agent(name="a", model=ScriptedModel().reply(RuntimeError("boom"))))
    answered = await talk.say("Hi!", watch=unseen)
    assert answered.turn.status == "error"
    assert answered.turn.note == "Failed: RuntimeError: boom"
    assert [turn.note for turn in talk.store.turns("chat-1")] == ["Failed: RuntimeError: boom"]


async def test_a_call_that_nobody_decides_on_rests(new_talk: TalkMaker) -> None:
    @function_tool(needs_approval=True)
    def send() -> str:
        """Send."""
        return "sent"

    talk = new_talk(Agent(name="a", model=ScriptedModel().reply(call("send")), tools=[send]))
    answered = await talk.say("Send it", watch=unseen)
    assert (answered.turn.status, answered.turn.steps[0].state) == ("waiting", "waiting")


async def test_who_took_over_answers_the_next_message(new_talk: TalkMaker) -> None:
    model = ScriptedModel().reply(call("transfer_to_expert")).reply("I know.").reply("Still me.")
    expert = Agent(name="expert", model=model)
    talk = new_talk(Agent(name="front", model=model, handoffs=[expert]))
    await talk.say("An expert, please", watch=unseen)
    await talk.say("And now?", watch=unseen)
    assert [turn.agent for turn in talk.tree.path()] == ["expert", "expert"]


async def test_the_chosen_model_answers(new_talk: TalkMaker) -> None:
    own, other = ScriptedModel("Mine."), ScriptedModel("Other's.")
    talk = new_talk(Agent(name="a", model=own), find_model={"other": other}.__getitem__)
    await talk.use_model(" other ")
    await talk.say("Hi!", watch=unseen)
    await talk.use_model("")
    await talk.say("Hi!", watch=unseen)
    assert shown(talk) == [("Hi!", "Other's."), ("Hi!", "Mine.")]


async def test_a_rating_is_kept_beside_the_trace_and_can_be_taken_back(new_talk: TalkMaker) -> None:
    talk = new_talk(Agent(name="a", model=ScriptedModel("Hello.")))
    await talk.say("Hi!", watch=unseen)
    turn = talk.tree.path()[0]
    await talk.rate(turn.id, "down", " too short ")
    kept = feedback()
    assert kept[["trace_id", "rating", "remark", "question", "answer", "agent", "session_id"]].values.tolist() == [
        [turn.trace_id, "down", "too short", "Hi!", "Hello.", "a", "chat-1"]
    ]
    assert [(each.rating, each.remark) for each in talk.store.turns("chat-1")] == [("down", "too short")]
    await talk.rate(turn.id, None)
    assert (len(feedback()), turn.rating, turn.remark) == (0, None, "")


async def test_a_rating_leaves_out_what_traces_leave_out(new_talk: TalkMaker) -> None:
    terms = Terms(config=RunConfig(trace_include_sensitive_data=False))
    talk = new_talk(Agent(name="a", model=ScriptedModel("Hello.")), terms=terms)
    await talk.say("Hi!", watch=unseen)
    await talk.rate(talk.tree.path()[0].id, "up", "good")
    kept = feedback()[["rating", "remark", "question", "answer", "agent"]].astype(object)
    assert kept.where(kept.notna(), None).to_numpy().tolist() == [["up", "good", None, None, "a"]]


async def test_a_message_that_is_not_there_is_named(new_talk: TalkMaker) -> None:
    talk = new_talk(Agent(name="a", model=ScriptedModel()))
    with pytest.raises(UserError, match="This chat has no message 'x'"):
        await talk.choose("x")
