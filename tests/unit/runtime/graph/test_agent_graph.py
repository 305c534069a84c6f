"""`agent.graph()`: what is drawn of agents, and how it shows itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from agentkit import Agent, AgentGraph, FileSearchTool, FunctionTool, function_tool, handoff
from agentkit.runtime import InputGuardrail, input_guardrail
from agentkit.runtime.guardrails import GuardrailFunctionOutput

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "</text><script>alert(1)</script>",
    'a "quoted" & <b>',
    "tab\tnull\x00",
    "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD",
    "\u202eevil\u2066",
    "$x^2$",
    "\u200b\x07",
    "]]>",
]


@function_tool
def get_weather(city: str) -> str:
    return city


@input_guardrail
def no_secrets(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, False)


class Files:
    """Stands for an MCP server: the drawing asks only for its name."""

    name = "files"


def circle() -> Agent[Any]:
    billing = Agent[Any](name="Billing")
    refund = Agent[Any](name="Refund", handoffs=[billing])
    triage = Agent[Any](name="Triage", handoffs=[billing, handoff(refund)], tools=[get_weather], mcp_servers=[Files()])
    billing.handoffs.append(triage)
    return triage


def titles(graph: AgentGraph) -> list[str]:
    """First lines of what is shown under the mouse."""
    found = [group.find(f"{SVG}title") for group in ET.fromstring(graph.svg).iter(f"{SVG}g")]
    return [(title.text or "").splitlines()[0] for title in found if title is not None]


def names(graph: AgentGraph) -> list[str]:
    """Names of the agents' boxes."""
    groups = [group for group in ET.fromstring(graph.svg).iter(f"{SVG}g") if group.find(f"{SVG}rect") is not None]
    return [(group.findtext(f"{SVG}title") or "").splitlines()[0] for group in groups]


def ways(graph: AgentGraph) -> list[str]:
    return [title for title in titles(graph) if "→" in title or "⇄" in title]


def test_every_agent_is_drawn_once_though_handoffs_go_in_circles() -> None:
    assert names(circle().graph()) == ["Triage", "Billing", "Refund"]


def test_tools_and_servers_stand_in_the_box_of_their_agent() -> None:
    told = titles(circle().graph())
    place = told.index("Triage")
    assert told[place : place + 3] == ["Triage", "tool get_weather", "MCP server files"]


def test_two_that_hand_off_to_each_other_share_one_line_with_two_heads() -> None:
    assert ways(circle().graph()) == ["Triage ⇄ Billing", "Triage → Refund", "Refund → Billing"]


def test_two_handoffs_to_one_agent_are_one_arrow() -> None:
    billing = Agent[Any](name="Billing")
    agent = Agent[Any](name="Desk", handoffs=[billing, handoff(billing, tool_name_override="escalate")])
    assert ways(agent.graph()) == ["Desk → Billing"]
    assert "hands over by transfer_to_billing, escalate" in agent.graph().svg


def test_agents_of_the_same_name_are_two() -> None:
    agent = Agent[Any](name="Desk", handoffs=[Agent(name="Twin"), Agent(name="Twin")])
    assert agent.graph().names == ("Desk", "Twin", "Twin")


def test_a_handoff_that_does_not_say_to_whom_is_drawn_by_its_name() -> None:
    way = handoff(Agent[Any](name="Made late"))
    way.agent = None
    graph = Agent[Any](name="Desk", handoffs=[way]).graph()
    assert names(graph) == ["Desk", "Made late"]
    assert graph.text == "Desk\n└─ hands off to Made late (not known before the handoff)"


def test_an_agent_that_hands_off_to_itself_has_an_arrow_to_itself() -> None:
    agent = Agent[Any](name="Loop")
    agent.handoffs.append(agent)
    assert ways(agent.graph()) == ["Loop → itself"]
    assert agent.graph().text == "Loop\n└─ hands off to Loop ↺"


def test_a_terminal_shows_a_tree_that_ends_where_circles_close() -> None:
    assert circle().graph().text == (
        "Triage\n"
        "├─ tool get_weather\n"
        "├─ MCP server files\n"
        "├─ hands off to Billing\n"
        "│  └─ hands off to Triage ↺\n"
        "└─ hands off to Refund\n"
        "   └─ hands off to Billing (told of elsewhere)"
    )


def test_what_else_is_known_is_told() -> None:
    inner = Agent[Any](name="Translator", input_guardrails=[no_secrets])
    tools = [
        inner.as_tool("translate", "Translates."),
        FileSearchTool(vector_store_ids=["vs_1"]),
        _pay(),
    ]
    agent = Agent[Any](name="Desk", tools=tools)
    assert agent.graph().text == (
        "Desk\n"
        "├─ hosted tool file_search\n"
        "├─ tool pay (may be switched off, needs approval)\n"
        "└─ calls Translator as tool translate (input checked by no_secrets)"
    )
    assert isinstance(no_secrets, InputGuardrail)


def _pay() -> FunctionTool:
    @function_tool(needs_approval=True, is_enabled=lambda context, agent: True)
    def pay(amount: int) -> str:
        return "paid"

    return pay


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_whatever_they_hold(name: str) -> None:
    @function_tool(name_override="tool", is_enabled=False)
    def tool() -> str:
        return ""

    tool.name = name
    graph = Agent[Any](name=name, handoffs=[Agent(name=name)], tools=[tool]).graph()
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(graph.svg).iter()}
    assert tags <= {"svg", "title", "desc", "style", "path", "rect", "circle", "g", "text", "tspan"}
    for shown in (graph.svg, graph.html, graph.text, repr(graph)):
        assert "sk-proj-abc" not in shown
        assert not set(shown) & set("\x00\u202e\u2066")
    assert "<script" not in graph.html


def test_a_long_name_is_cut_and_whole_under_the_mouse() -> None:
    name = "An agent with a name that nobody would want to read in a drawing"
    graph = Agent[Any](name=name).graph()
    texts = [text.text for text in ET.fromstring(graph.svg).iter(f"{SVG}text")]
    assert texts == ["An agent with a name that nob…"]
    assert names(graph) == [name]


def test_two_drawings_on_a_page_share_no_id_and_nothing_comes_from_elsewhere() -> None:
    graph = circle().graph()
    for text in (graph.svg, graph.html):
        assert " id=" not in text
        assert "url(" not in text
        assert "href" not in text
        assert "<script" not in text
        assert "@import" not in text
        assert "@font-face" not in text


def test_the_same_agents_are_drawn_the_same_each_time() -> None:
    assert circle().graph().html == circle().graph().html
    assert circle().graph().svg == circle().graph().svg


def test_it_shows_itself_in_a_notebook_and_in_a_terminal() -> None:
    graph = Agent[Any](name="Desk", handoffs=[Agent(name="Other")]).graph()
    assert graph._repr_mimebundle_() == {"text/html": graph.html, "text/plain": "Desk\n└─ hands off to Other"}
    assert repr(graph) == "AgentGraph(['Desk', 'Other'])"
    assert str(graph) == "Desk\n└─ hands off to Other"  # what print shows
    assert '<pre class="agk-tree">Desk\n└─ hands off to Other</pre>' in graph.html


def test_a_reader_that_does_not_see_it_hears_the_ways() -> None:
    root = ET.fromstring(circle().graph().svg)
    assert root.attrib["role"] == "img"
    assert root.findtext(f"{SVG}title") == "Agents from Triage"
    assert root.findtext(f"{SVG}desc") == (
        "Triage hands off to Billing, Refund; Billing hands off to Triage; Refund hands off to Billing"
    )


def test_it_is_saved_as_a_document(tmp_path: Path) -> None:
    graph = circle().graph()
    assert ET.parse(graph.save(tmp_path / "agents")).getroot().attrib["role"] == "img"


async def test_drawing_asks_no_server_and_no_function() -> None:
    def fails(*_: Any) -> Any:
        raise AssertionError("was asked")

    @function_tool(is_enabled=fails, needs_approval=fails)
    def tool() -> str:
        return ""

    agent = Agent[Any](name="Desk", tools=[tool], mcp_servers=[Files()], instructions=fails)
    assert agent.graph().text.splitlines()[1:] == [
        "├─ tool tool (may be switched off, may need approval)",
        "└─ MCP server files",
    ]
