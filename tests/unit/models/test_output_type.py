"""What may be the type of an answer, and what is refused when an agent is defined."""

from __future__ import annotations

import dataclasses
import enum
import json
from typing import Annotated, Any, Literal, NewType, TypeVar

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from agentkit import Agent, AgentOutputSchema, UserError

USE = "Use a pydantic model, a dataclass, a TypedDict, or a type such as list[str]."
PASS = "Pass a type: a pydantic model, a dataclass, a TypedDict, or one such as list[str]."


class Trip(BaseModel):
    title: str


@dataclasses.dataclass
class Stop:
    city: str


class Leg(TypedDict):
    nights: int


class Plain:
    def __repr__(self) -> str:
        return "Plain()"


Mood = enum.Enum("Mood", "good bad")
Code = NewType("Code", str)


def make() -> Trip:
    return Trip(title="")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Trip", "'Trip'. Pass the type itself, without quotes: output_type=Trip."),
        ("list[Trip]", "'list[Trip]'. Pass the type itself, without quotes: output_type=City."),
        (42, f"42. {PASS} For values such as this one pass int."),
        (True, f"True. {PASS} For values such as this one pass bool."),
        ({"a": 1}, f"{{'a': 1}}. {PASS} For values such as this one pass dict."),
        ([Trip], f"{[Trip]!r}. For a list of them pass list[Trip]."),
        (Trip(title="North"), "Trip(title='North'). Pass its class: output_type=Trip."),
        (print, f"the function print. {PASS}"),
        (make, f"the function make. {PASS}"),
        (json, f"{json!r:.60}. {PASS}"),
    ],
)
def test_what_is_no_type_is_refused_when_the_agent_is_defined(value: Any, said: str) -> None:
    with pytest.raises(UserError) as raised:
        Agent(name="a", output_type=value)
    assert str(raised.value) == f"Agent 'a': an output type has to be a type, not {said}"
    with pytest.raises(UserError) as raised:
        AgentOutputSchema(value)
    assert str(raised.value) == f"An output type has to be a type, not {said}"


@pytest.mark.parametrize(
    "kind",
    [
        *(str, int, bool, list[Trip], Trip, Stop, Leg, Mood, Code, Trip | None, Literal["a", 3]),
        *(Annotated[int, Field(ge=0)], tuple[int, str], Any, TypeVar("T"), AgentOutputSchema(Trip), None),
    ],
)
def test_whatever_pydantic_takes_is_taken(kind: Any) -> None:
    assert Agent(name="a", output_type=kind).output_type is kind
    if not isinstance(kind, AgentOutputSchema):
        assert AgentOutputSchema(kind, strict_json_schema=False).output_type is kind


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Plain, f"Output type Plain has no schema: pydantic doesn't know Plain. {USE}"),
        (
            list[Plain],
            f"Output type list[Plain] has no schema: pydantic doesn't know Plain. {USE}",
        ),
        (
            list["Somewhere"],  # type: ignore[name-defined]  # noqa: F821 (what is tested)
            "Output type list[Somewhere] names a type that isn't defined here. Define it first, or pass the type "
            "itself, without quotes.",
        ),
    ],
)
def test_a_type_without_a_schema_is_told_in_our_words(kind: Any, said: str) -> None:
    agent: Agent[Any] = Agent(name="a", output_type=kind)  # it may get what it lacks before it is asked
    with pytest.raises(UserError) as raised:
        AgentOutputSchema(agent.output_type)
    assert str(raised.value) == said
