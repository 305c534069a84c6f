from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from agentkit import Agent, Runner, function_tool
from agentkit.exceptions import MaxTurnsExceeded
from agentkit.notebook.display.run_view import arguments_line, run_bundle, step_html, usage_line, value_html
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.transcript import Step
from agentkit.testing import ScriptedModel, call

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@function_tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


@function_tool
def divide(a: float, b: float) -> float:
    """Divide."""
    return a / b


def body(bundle: dict[str, str]) -> str:
    """Return a bundle's HTML without the stylesheet."""
    assert bundle["text/html"].count(STYLE) == 1
    return bundle["text/html"].replace(STYLE, "")


async def answer(model: ScriptedModel, **fields: Any) -> Any:
    return await Runner.run(Agent(name="weather", model=model, **fields), "What's the weather?")


async def test_the_answer_comes_first_and_the_steps_and_the_usage_follow() -> None:
    model = ScriptedModel().reply(call("get_weather", city="Tokyo")).reply("It is **sunny**.")
    result = await answer(model, tools=[get_weather])
    bundle = run_bundle(result)
    assert bundle["text/plain"] == "It is **sunny**."
    assert usage_line(result).startswith("weather · scripted · 2 model calls · ")
    assert body(bundle) == (
        '<div class="agk"><div class="agk-a"><p>It is <strong>sunny</strong>.</p>\n</div>'
        '<div class="agk-s"><div><span class="agk-m agk-ok">✓</span> <span class="agk-n">get_weather</span>'
        ' <span class="agk-g">city=&quot;Tokyo&quot;</span> <span class="agk-d">→ sunny in Tokyo</span></div></div>'
        f'<div class="agk-f">{usage_line(result)}</div></div>'
    )


async def test_a_run_looks_the_same_each_time() -> None:
    def model() -> ScriptedModel:
        return ScriptedModel().reply(call("get_weather", city="Tokyo")).reply("Sunny.")

    first = run_bundle(await answer(model(), tools=[get_weather]))
    assert first == run_bundle(await answer(model(), tools=[get_weather]))


async def test_text_before_a_call_becomes_a_step() -> None:
    model = ScriptedModel().reply("Let me look.", call("get_weather", city="Oslo")).reply("Snow.")
    bundle = run_bundle(await answer(model, tools=[get_weather]))
    assert bundle["text/plain"] == "Snow."
    assert '<div><span class="agk-m">“</span><span class="agk-d">Let me look.</span></div>' in bundle["text/html"]


async def test_a_handoff_is_a_line_with_both_agents() -> None:
    spanish = Agent(name="Spanish agent", model=ScriptedModel("Hola"))
    model = ScriptedModel().reply(call("transfer_to_spanish_agent"))
    html = body(run_bundle(await answer(model, handoffs=[spanish])))
    assert re.sub("<[^>]+>", "", html).startswith("Hola\n→ weather hands over to Spanish agentSpanish agent · scripted")


async def test_a_failed_call_is_marked() -> None:
    model = ScriptedModel().reply(call("divide", a=1, b=0)).reply(call("nothing")).reply("I can't.")
    html = body(run_bundle(await answer(model, tools=[divide])))
    assert html.count("✗") == 2
    assert "division by zero" in html


async def test_many_steps_are_folded_into_one_line() -> None:
    model = ScriptedModel().reply(*[call("get_weather", city=str(n)) for n in range(9)]).reply("All.")
    html = body(run_bundle(await answer(model, tools=[get_weather])))
    assert '<summary class="agk-d">▸ 9 tool calls</summary>' in html


async def test_a_long_result_is_folded_and_cut() -> None:
    @function_tool
    def read() -> str:
        """Read."""
        return "x" * 100_000

    model = ScriptedModel().reply(call("read")).reply("Read.")
    html = body(run_bundle(await answer(model, tools=[read])))
    assert "… (100,000 characters in all)" in html
    assert len(html) < 10_000


class Event(BaseModel):
    name: str
    participants: list[str]
    priority: int


async def test_a_typed_answer_is_shown_field_by_field() -> None:
    model = ScriptedModel('{"name": "<b>Fair</b>", "participants": ["Ada", "Bo"], "priority": 2}')
    bundle = run_bundle(await answer(model, output_type=Event))
    assert bundle["text/plain"] == "Event(name='<b>Fair</b>', participants=['Ada', 'Bo'], priority=2)"
    assert (
        '<div class="agk-h">Event</div><dl class="agk-k"><dt>name</dt><dd>&lt;b&gt;Fair&lt;/b&gt;</dd>'
        "<dt>participants</dt><dd>Ada, Bo</dd><dt>priority</dt><dd><code>2</code></dd></dl>" in body(bundle)
    )


def test_other_values_are_shown_as_code() -> None:
    @dataclass
    class Point:
        x: int

    assert value_html([1, 2]) == '<pre><code>[<span class="m">1</span>, <span class="m">2</span>]</code></pre>'
    assert "<dt>x</dt><dd><code>1</code></dd>" in value_html(Point(1))


async def test_a_run_that_was_stopped_says_so() -> None:
    model = ScriptedModel().reply("Wait.", call("get_weather", city="Oslo"))
    with pytest.raises(MaxTurnsExceeded) as raised:
        await Runner.run(Agent(name="a", model=model, tools=[get_weather]), "Hi", max_turns=1)
    assert raised.value.run_data is not None
    bundle = run_bundle(raised.value.run_data)
    assert bundle["text/plain"] == "[Stopped: the run took all the turns that it may.]"
    assert "■</span> Stopped: the run took all the turns that it may." in bundle["text/html"]


async def test_nothing_from_outside_acts() -> None:
    tool = function_tool(lambda text: EVIL + text, name_override="evil", description_override=EVIL)
    model = ScriptedModel().reply(EVIL, call("evil", text=EVIL * 20)).reply(EVIL)
    result = await Runner.run(Agent(name=EVIL, model=model, tools=[tool]), EVIL)
    html = body(run_bundle(result, note=EVIL))
    assert "<script" not in html
    assert "<img" not in html


async def test_keys_do_not_reach_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-proj-abcdefgh12345678ijkl"
    monkeypatch.setenv("OPENAI_API_KEY", "hunter2hunter2")

    @function_tool
    def leak(where: str) -> str:
        """Leak."""
        return f"hunter2hunter2 {key}" * 20

    model = ScriptedModel().reply(call("leak", where=key)).reply(f"It is {key} or hunter2hunter2.")
    bundle = run_bundle(await answer(model, tools=[leak]))
    assert bundle["text/plain"] == "It is sk-[redacted] or [redacted]."
    assert key not in bundle["text/html"]
    assert "hunter2" not in bundle["text/html"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ('{"city":"Tokyo","days":3}', 'city="Tokyo", days=3'),
        ('{"place":{"city":"Oslo"},"unit":null}', 'place={"city":"Oslo"}'),
        ("{}", ""),
        ("", ""),
        ("not json", "not json"),
        ("[1]", "[1]"),
    ],
)
def test_arguments_are_shown_on_a_line(arguments: str, line: str) -> None:
    assert arguments_line(arguments) == line


def test_a_running_call_waits_for_its_mark() -> None:
    assert step_html(Step("call", "1", "add", '{"a":1}')) == (
        '<div><span class="agk-m">…</span> <span class="agk-n">add</span> <span class="agk-g">a=1</span></div>'
    )


def test_the_stylesheet_is_small() -> None:
    assert len(STYLE) < 3_500
