"""Drawings of agents."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from agentkit import Agent, UserError, function_tool, handoff
from agentkit.extensions.visualization import AgentGraph, draw_graph

SVG = "{http://www.w3.org/2000/svg}"


@function_tool
def get_weather(city: str) -> str:
    return city


class Files:
    """Stands for an MCP server: the drawing asks only for its name."""

    name = "files"


def boxes(graph: AgentGraph) -> list[tuple[str, str]]:
    """Kind and name of each box."""
    found = []
    for group in ET.fromstring(graph.svg).iter(f"{SVG}g"):
        title, box = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        assert title is not None
        assert box is not None
        found.append((box.attrib["class"], title.text or ""))
    return found


def ways(graph: AgentGraph) -> list[str]:
    titles = [path.find(f"{SVG}title") for path in ET.fromstring(graph.svg).iter(f"{SVG}path")]
    return [title.text or "" for title in titles if title is not None]


def circle() -> Agent[Any]:
    billing = Agent[Any](name="Billing")
    refund = Agent[Any](name="Refund", handoffs=[billing])
    triage = Agent[Any](name="Triage", handoffs=[billing, handoff(refund)], tools=[get_weather], mcp_servers=[Files()])
    billing.handoffs.append(triage)
    return triage


def test_every_agent_tool_and_server_is_drawn_once_though_handoffs_go_in_circles() -> None:
    assert boxes(draw_graph(circle())) == [
        ("agent start", "Triage"),
        ("tool", "get_weather"),
        ("server", "files"),
        ("agent", "Billing"),
        ("agent", "Refund"),
    ]


def test_every_handoff_is_an_arrow() -> None:
    assert ways(draw_graph(circle())) == ["Triage → Billing", "Triage → Refund", "Billing → Triage", "Refund → Billing"]


def test_two_handoffs_to_one_agent_are_one_arrow() -> None:
    billing = Agent[Any](name="Billing")
    agent = Agent[Any](name="Desk", handoffs=[billing, handoff(billing, tool_name_override="escalate")])
    assert ways(draw_graph(agent)) == ["Desk → Billing"]


def test_agents_of_the_same_name_are_two() -> None:
    agent = Agent[Any](name="Desk", handoffs=[Agent(name="Twin"), Agent(name="Twin")])
    assert draw_graph(agent).names == ("Desk", "Twin", "Twin")


def test_a_handoff_that_does_not_say_to_whom_is_drawn_by_its_name() -> None:
    way = handoff(Agent[Any](name="Made late"))
    way.agent = None
    assert boxes(draw_graph(Agent(name="Desk", handoffs=[way])))[1] == ("agent other", "Made late")


def test_an_agent_that_hands_off_to_itself_has_an_arrow_to_itself() -> None:
    agent = Agent[Any](name="Loop")
    agent.handoffs.append(agent)
    assert ways(draw_graph(agent)) == ["Loop → Loop"]


@pytest.mark.parametrize("name", ["</text><script>alert(1)</script>", 'a "quoted" & <b>', "tab\tnull\x00"])
def test_names_are_text_in_the_drawing_whatever_they_hold(name: str) -> None:
    graph = draw_graph(Agent[Any](name=name, handoffs=[Agent(name=name)]))
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(graph.svg).iter()}
    assert tags <= {"svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "text"}


def test_a_long_name_is_cut_and_whole_under_the_mouse() -> None:
    name = "An agent with a name that nobody would want to read in a drawing"
    graph = draw_graph(Agent[Any](name=name))
    texts = [text.text for text in ET.fromstring(graph.svg).iter(f"{SVG}text")]
    assert texts == ["An agent with a name that nobod…"]
    assert boxes(graph) == [("agent start", name)]


def test_boxes_do_not_overlap_and_lie_in_the_drawing() -> None:
    drawing = ET.fromstring(draw_graph(circle()).svg)
    rects = [group.find(f"{SVG}rect") for group in drawing.iter(f"{SVG}g")]
    areas = [[float(rect.attrib[key]) for key in ("x", "y", "width", "height")] for rect in rects if rect is not None]
    for number, (x, y, width, height) in enumerate(areas):
        assert x >= 0
        assert y >= 0
        assert x + width <= float(drawing.attrib["width"])
        assert y + height <= float(drawing.attrib["height"])
        for other_x, other_y, other_width, other_height in areas[:number]:
            apart = x >= other_x + other_width or other_x >= x + width
            assert apart or y >= other_y + other_height or other_y >= y + height


def test_it_shows_itself_in_a_notebook() -> None:
    graph = draw_graph(Agent[Any](name="Desk", handoffs=[Agent(name="Other")]))
    assert graph._repr_mimebundle_() == {
        "image/svg+xml": graph.svg,
        "text/plain": "AgentGraph(['Desk', 'Other'])",
    }


def test_it_is_saved_with_an_ending(tmp_path: Path) -> None:
    graph = draw_graph(Agent[Any](name="Desk"), filename=tmp_path / "agents")
    assert (tmp_path / "agents.svg").read_text(encoding="utf-8") == graph.svg
    assert graph.save(tmp_path / "again.svg") == tmp_path / "again.svg"


def test_another_kind_of_picture_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'agents\.png'.*SVG"):
        draw_graph(Agent[Any](name="Desk")).save(tmp_path / "agents.png")


def test_what_is_no_agent_is_refused() -> None:
    with pytest.raises(UserError, match="not str 'Desk'"):
        draw_graph("Desk")  # type: ignore[arg-type]
