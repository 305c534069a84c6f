"""Where boxes and lines go: nothing overlaps, nothing is cut off, and no line runs through a box that isn't its own."""

from __future__ import annotations

import random
from typing import Any

import pytest

from agentkit import Agent, Tool, function_tool, handoff
from agentkit.runtime.graph.agents import graph_of
from agentkit.runtime.graph.layout import Box, Curve, Link, lay_out
from agentkit.runtime.graph.ordering import crossings
from agentkit.runtime.graph.spacing import place_apart
from agentkit.runtime.graph.svg import _Drawer


def look(city: str) -> str:
    return city


LOOKS: list[Tool] = [function_tool(look, name_override=name) for name in ("look", "peer", "gaze")]


def team(size: int, seed: int, *, loops: bool = True) -> Agent[Any]:
    """Return agents of which each but the first is reached from an earlier one; other ways at random."""
    chance = random.Random(seed)
    agents: list[Agent[Any]] = []
    for number in range(size):
        agents.append(Agent[Any](name=f"Agent {number} " + "long " * chance.randrange(5), tools=LOOKS[: number % 4]))
        if number:
            chance.choice(agents[:-1]).handoffs.append(agents[-1])
    for _ in range(size if loops else 0):
        one, other = chance.choice(agents), chance.choice(agents)
        if chance.random() < 0.3:
            one.tools.append(other.as_tool(f"ask_{len(one.tools)}", "Asks."))
        else:
            one.handoffs.append(handoff(other, is_enabled=lambda *_: True) if chance.random() < 0.3 else other)
    return agents[0]


def points(curve: Curve) -> list[tuple[float, float]]:
    """Return places along a path of cubic curves."""
    found = []
    for number in range(0, len(curve) - 1, 3):
        a, b, c, d = curve[number : number + 4]
        for step in range(21):
            t = step / 20
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            found.append(
                (
                    sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True)),
                    sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True)),
                )
            )
    return found


@pytest.mark.parametrize("sideways", [True, False], ids=["sideways", "down"])
@pytest.mark.parametrize(("size", "seed"), [(1, 0), (2, 1), (4, 2), (7, 3), (12, 4), (12, 5), (20, 6), (40, 7)])
def test_boxes_do_not_overlap_and_no_line_runs_through_a_box(size: int, seed: int, sideways: bool) -> None:
    drawer = _Drawer(graph_of([team(size, seed)]))
    layout = drawer.laid_out(sideways=sideways)
    areas = [
        (along, along + length, across, across + (card.height if sideways else card.width))
        for (along, across), length, card in zip(layout.places, layout.sizes, drawer.cards, strict=True)
    ]
    for number, (a, b, c, d) in enumerate(areas):
        assert a >= 0
        assert c >= 0
        assert b <= layout.along + 0.01
        assert d <= layout.across + 0.01
        for other_a, other_b, other_c, other_d in areas[:number]:
            assert a >= other_b or other_a >= b or c >= other_d or other_c >= d
    for (way, _), curve in zip(drawer.pairs, layout.curves, strict=True):
        for x, y in points(curve):
            assert -0.01 <= x <= layout.along + 0.01
            assert -0.01 <= y <= layout.across + 0.01
            through = [n for n, (a, b, c, d) in enumerate(areas) if a + 1 < x < b - 1 and c + 1 < y < d - 1]
            assert through == [], (way, through)


def test_a_drawing_of_two_hundred_agents_is_laid_out_with_few_comparisons() -> None:
    graph = team(200, 8).graph()
    assert len(graph.names) == 200
    assert len(graph.svg) < 1_000_000


def test_ways_that_need_not_cross_do_not() -> None:
    boxes = [Box(10, 10, 5) for _ in range(7)]
    links = [Link(0, n) for n in (1, 2, 3)] + [Link(1, 6), Link(2, 5), Link(3, 4)]
    layout = lay_out(boxes, links, [0])
    first = sorted((1, 2, 3), key=lambda n: layout.places[n][1])
    last = sorted((4, 5, 6), key=lambda n: layout.places[n][1])
    assert crossings([[0], first, last], [(link.source, link.target) for link in links]) == 0


def test_crossings_are_counted() -> None:
    assert crossings([[0, 1], [2, 3]], [(0, 3), (1, 2)]) == 1
    assert crossings([[0, 1], [2, 3]], [(0, 2), (1, 3)]) == 0


def test_places_are_apart_and_as_near_as_can_be() -> None:
    assert place_apart([0.0, 0.0, 50.0], [10.0, 10.0]) == [-5.0, 5.0, 50.0]
    assert place_apart([7.0], []) == [7.0]
