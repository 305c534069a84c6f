"""The drawing by the name that it has in the SDK; how it looks is tested in tests/unit/runtime/graph."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from agentkit import Agent, UserError
from agentkit.extensions.visualization import AgentGraph, draw_graph


def desk() -> Agent[Any]:
    return Agent[Any](name="Desk", handoffs=[Agent(name="Other")])


def test_it_is_the_drawing_of_the_agent() -> None:
    agent = desk()
    drawn = draw_graph(agent)
    assert (type(drawn), drawn.svg, drawn.text) == (AgentGraph, agent.graph().svg, "Desk\n└─ hands off to Other")


def test_without_a_file_name_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw_graph(desk())
    assert list(tmp_path.iterdir()) == []


def test_it_is_saved_with_an_ending(tmp_path: Path) -> None:
    graph = draw_graph(desk(), filename=tmp_path / "agents")
    assert (tmp_path / "agents.svg").read_text(encoding="utf-8") == graph.svg
    assert graph.save(tmp_path / "again.svg") == tmp_path / "again.svg"


def test_a_file_name_is_the_second_argument_as_in_the_sdk(tmp_path: Path) -> None:
    draw_graph(desk(), str(tmp_path / "agents.svg"))
    assert ET.parse(tmp_path / "agents.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_another_kind_of_picture_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'agents\.png'.*SVG"):
        draw_graph(Agent[Any](name="Desk")).save(tmp_path / "agents.png")


def test_what_is_no_agent_is_refused() -> None:
    with pytest.raises(UserError, match="not str 'Desk'"):
        draw_graph("Desk")  # type: ignore[arg-type]
