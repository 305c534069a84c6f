from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from agentkit import Agent, AgentOutputSchema, FileSearchTool, ModelSettings, function_tool
from agentkit.notebook.display.cards import AgentsTable, ToolCards, agent_bundle, signature, tool_bundle
from agentkit.testing import ScriptedModel

EVIL = "<script>alert(1)</script>"


class Place(BaseModel):
    city: str


@function_tool
def look(place: Place, days: int = 3, unit: Literal["c", "f"] = "c", tags: list[str] | None = None) -> str:
    """Look at the weather.

    Args:
        place: Where.
    """
    return "sunny"


@pytest.fixture
def agent() -> Agent:
    return Agent(
        name="weather",
        instructions="You help.",
        model=ScriptedModel(),
        tools=[look],
        handoffs=[Agent(name="Spanish agent")],
        handoff_description="For weather",
        output_type=Place,
        model_settings=ModelSettings(temperature=0.2),
    )


def test_a_signature_reads_like_python() -> None:
    expected = 'look(place: Place, days: int = 3, unit: "c" | "f" = \'c\', tags: list[str] | None)'
    assert signature(look) == expected


def test_an_agent_card_shows_what_it_is_told_and_what_it_has(agent: Agent) -> None:
    assert agent_bundle(agent)["text/plain"] == (
        "Agent 'weather'\n  model: scripted\n  tools: look\n  handoffs: Spanish agent\n  handed to for: For weather\n"
        "  answers with: Place\n  settings: temperature=0.2\n  instructions: You help."
    )


def test_a_card_names_the_stores_that_an_agent_searches() -> None:
    stores = [SimpleNamespace(vector_store_id="vs_1", name=EVIL), SimpleNamespace(vector_store_id="vs_2", name="law")]
    agent = Agent(name="clerk", model=ScriptedModel(), tools=[FileSearchTool([*stores, "vs_3"])])
    assert f"  tools: file_search ({EVIL}, law)\n" in agent_bundle(agent)["text/plain"] + "\n"
    html = agent_bundle(agent)["text/html"] + AgentsTable({"clerk": agent}, {})._repr_mimebundle_()["text/html"]
    assert html.count("file_search (&lt;script&gt;alert(1)&lt;/script&gt;, law)") == 2
    assert EVIL not in html


def test_a_tool_card_shows_its_schema_folded() -> None:
    bundle = tool_bundle(look)
    assert bundle["text/plain"].splitlines()[1:] == ["  Look at the weather.", "    place: Where."]
    assert "<details><summary" in bundle["text/html"]
    assert "&quot;additionalProperties&quot;" in bundle["text/html"]


def test_tools_made_together_are_one_output() -> None:
    bundle = ToolCards((look, look))._repr_mimebundle_()
    assert bundle["text/html"].count("<style>") == 1
    assert bundle["text/plain"].count("Tool look(") == 2


def test_the_table_lists_agents_and_tools(agent: Agent) -> None:
    plain = AgentsTable({"weather": agent, "w2": agent}, {"look": look})._repr_mimebundle_()["text/plain"]
    assert plain.splitlines()[:3] == [
        "agent         model     tools  handoffs       instructions",
        "weather       scripted  look   Spanish agent  You help.",
        "w2 (weather)  scripted  look   Spanish agent  You help.",
    ]


def test_an_empty_table_says_how_to_begin() -> None:
    bundle = AgentsTable({}, {})._repr_mimebundle_()
    assert bundle["text/plain"].startswith("No agents yet. Define one: %%agent NAME")


def test_long_instructions_are_folded() -> None:
    bundle = agent_bundle(Agent(name="a", instructions="word " * 200, model=ScriptedModel()))
    assert '<details class="agk-p"><summary>word' in bundle["text/html"]


def test_cards_show_markup_as_text() -> None:
    tool = function_tool(lambda a: a, name_override="t", description_override=EVIL)
    agent = Agent(name=EVIL, instructions=EVIL, handoff_description=EVIL, model=ScriptedModel(), tools=[tool])
    shown = [agent_bundle(agent), tool_bundle(tool), AgentsTable({"a": agent}, {"t": tool})._repr_mimebundle_()]
    assert all("<script" not in bundle["text/html"] for bundle in shown)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (list[int], "list[int]"),
        (int | None, "int | None"),
        (Literal["good", "bad"], "Literal['good', 'bad']"),
        (tuple[int, ...], "tuple[int, ...]"),
        (AgentOutputSchema(dict[str, int], strict_json_schema=False), "dict[str, int]"),
    ],
)
def test_a_card_tells_the_type_of_the_answers(kind: Any, shown: str) -> None:
    card = agent_bundle(Agent(name="a", output_type=kind))
    assert f"answers with: {shown}" in card["text/plain"]
