"""From thumbs in a chat, and those given by `agentkit.rate`, to files that a training takes: two cells."""

from __future__ import annotations

from pathlib import Path

from chat_parts import TalkMaker, unseen

from agentkit import Agent, FineTuningDataset, Runner, check_file, rate
from agentkit.testing import ScriptedModel


async def test_likes_are_examples_and_likes_against_dislikes_are_pairs(new_talk: TalkMaker, tmp_path: Path) -> None:
    clerk = Agent(name="clerk", instructions="Be brief.", model=ScriptedModel("No idea.", "In June.", "By bus."))
    talk = new_talk(clerk)
    await talk.say("When?", watch=unseen)
    await talk.rate(talk.tree.path()[-1].id, "down", "it is in the calendar")
    await talk.retry(talk.tree.path()[-1].id, watch=unseen)
    await talk.rate(talk.tree.path()[-1].id, "up", "")
    rate(await Runner.run(clerk, "How do I get there?"), "up")

    likes = FineTuningDataset.from_chats(kind="sft", agent="clerk")
    pairs = FineTuningDataset.from_chats(kind="dpo", agent="clerk")

    assert sorted(line["messages"][-1]["content"] for line in likes) == ["By bus.", "In June."]
    assert {line["messages"][0]["content"] for line in likes} == {"Be brief."}
    (pair,) = pairs
    assert (pair["preferred_output"][0]["content"], pair["non_preferred_output"][0]["content"]) == (
        "In June.",
        "No idea.",
    )
    assert likes.sources is not None
    assert pairs.sources is not None
    assert set(likes.sources["rating"]) == {"up"}
    assert likes.sources["trace_id"].nunique() == 2
    assert pairs.sources["trace_id"].iloc[0] != pairs.sources["other_trace_id"].iloc[0]
    assert set(check_file(likes.to_jsonl(tmp_path / "likes.jsonl")).counts) == {"too-few"}
    assert (tmp_path / "likes.sources.csv").exists()
    assert check_file(pairs.to_jsonl(tmp_path / "pairs.jsonl")).attrs["kind"] == "dpo"
