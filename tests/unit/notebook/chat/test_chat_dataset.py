"""From a chat's thumbs to training data."""

from __future__ import annotations

from chat_parts import TalkMaker, unseen

from agentkit import Agent, traces
from agentkit.testing import ScriptedModel


async def test_an_answer_and_a_better_one_are_a_pair_with_all_that_was_said_before(new_talk: TalkMaker) -> None:
    talk = new_talk(Agent(name="a", model=ScriptedModel("Hello.", "No idea.", "In June.")))
    await talk.say("Hi!", watch=unseen)
    await talk.say("When?", watch=unseen)
    await talk.rate(talk.tree.path()[-1].id, "down", "")
    await talk.retry(talk.tree.path()[-1].id, watch=unseen)
    await talk.rate(talk.tree.path()[-1].id, "up", "")

    dataset = traces(group="chat-1").to_dataset("preferences")

    assert dataset.examples == [
        {
            "input": {
                "messages": [
                    {"role": "user", "content": "Hi!"},
                    {"role": "assistant", "content": "Hello."},
                    {"role": "user", "content": "When?"},
                ]
            },
            "preferred_output": [{"role": "assistant", "content": "In June."}],
            "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
        }
    ]
    assert [example["messages"][-1]["content"] for example in traces(group="chat-1").to_dataset()] == ["In June."]
