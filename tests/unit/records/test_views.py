"""How comparisons, replays and requests show themselves in a notebook: readable, and safe."""

from __future__ import annotations

from typing import Any

from agentkit import Agent, Runner, function_tool
from agentkit.notebook.display.diff_view import diff_bundle, replay_bundle, sent_bundle
from agentkit.records.opened import RecordedTrace, open_trace
from agentkit.testing import ScriptedModel, call
from tests.unit.records.conftest import Platform

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@function_tool
def look_up(what: str) -> str:
    """Look something up."""
    return f"found {what}"


async def run(*replies: Any, name: str = "a") -> RecordedTrace:
    model = ScriptedModel()
    for reply in replies:
        model.reply(reply)
    return open_trace(await Runner.run(Agent(name=name, model=model, tools=[look_up]), "Hi"))


def assert_harmless(html: str) -> None:
    assert "<script" not in html
    assert "<img" not in html


async def test_a_comparison_shows_steps_and_answers() -> None:
    before = await run(call("look_up", what="tea"), "Tea.\nHot.")
    after = await run(call("look_up", what=EVIL), f"{EVIL}\nHot.", name=EVIL)
    bundle = diff_bundle(before.diff(after))
    assert_harmless(bundle["text/html"])
    assert "What differs" in bundle["text/html"]
    assert '<span class="d">-Tea.</span>' in bundle["text/html"]
    assert "arguments" in bundle["text/plain"]
    assert "-Tea." in bundle["text/plain"]
    same = diff_bundle(before.diff(before))
    assert "Nothing differs" in same["text/html"]
    assert same["text/plain"].splitlines()[0] == "The same 4 steps, the same answer."


async def test_a_long_comparison_says_how_much_more_there_is() -> None:
    before = await run("\n".join(f"line {number}" for number in range(400)))
    after = await run("\n".join(f"row {number}" for number in range(400)))
    bundle = diff_bundle(before.diff(after))
    assert "more lines" in bundle["text/html"]
    assert len(bundle["text/html"]) < 60_000
    assert len(bundle["text/plain"].splitlines()) < 250


async def test_a_replay_shows_the_answer_and_what_changed(platform: Platform) -> None:
    platform.connect("responses").reply("Tea.").reply(EVIL)
    before = open_trace(await Runner.run(Agent(name="a", model="m-1"), "Hi")).calls[0]
    replay = await before.replay_async()
    bundle = replay_bundle(replay)
    assert_harmless(bundle["text/html"])
    assert "m-1" in bundle["text/html"]
    assert bundle["text/plain"].splitlines()[0] == EVIL


async def test_a_request_shows_its_json_without_ids_that_change(platform: Platform) -> None:
    platform.connect("responses").reply("Tea.")
    agent = Agent(name="a", model="m-1", instructions=EVIL, tools=[look_up])
    request = open_trace(await Runner.run(agent, "Hi")).calls[0].request
    bundle = sent_bundle(request)
    assert_harmless(bundle["text/html"])
    assert bundle["text/plain"].splitlines()[:3] == ["POST http://server.test/v1/responses", "{", '  "model": "m-1",']


async def test_the_arguments_of_a_model_of_the_users_own_are_shown() -> None:
    bundle = sent_bundle((await run("Hello.")).calls[0].request)
    assert bundle["text/plain"].startswith("What ScriptedModel was called with\nScriptedModel makes its request itself")
