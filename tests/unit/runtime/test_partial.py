"""What has come of a structured answer while it streams."""

from __future__ import annotations

import copy
import enum
import json
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired

import pytest
from annotated_types import Len
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    StringConstraints,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

from agentkit import (
    Agent,
    AgentOutputSchema,
    AgentOutputSchemaBase,
    GuardrailFunctionOutput,
    OutputGuardrailTripwireTriggered,
    Runner,
    function_tool,
    output_guardrail,
)
from agentkit.runtime.partial import PartialReader
from agentkit.runtime.partial_view import Partial, fields_of, kind_of
from agentkit.testing import ScriptedModel, call


class Stop(BaseModel):
    city: str
    nights: int


class Trip(BaseModel):
    title: str
    start: date
    stops: list[Stop]
    remark: str | None = None


TRIP = (
    '{"title": "North", "start": "2026-06-01", "stops": ['
    '{"city": "Oslo", "nights": 2}, {"city": "Bergen", "nights": 12}]}'
)


def seen(kind: Any, *pieces: str, strict: bool = False) -> Any:
    """What is there of a value of a type after some JSON, in the form in which the model sends it."""
    reader = PartialReader(AgentOutputSchema(kind, strict_json_schema=strict))
    for piece in pieces:
        reader.feed(piece)
    return reader.value()


def seen_wrapped(kind: Any, text: str) -> Any:
    return seen(kind, '{"response": ', text)


def part(kind: Any, complete: Sequence[str] = (), **values: Any) -> Partial:
    return Partial(kind, tuple(kind.__annotations__), values, frozenset(complete))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("  ", None),
        ("{", part(Trip)),
        ('{"ti', part(Trip)),
        ('{"title": ', part(Trip)),
        ('{"title": "Nor', part(Trip, title="Nor")),
        ('{"title": "North"', part(Trip, ["title"], title="North")),
        ('{"title": "North", "start": "2026-06', part(Trip, ["title"], title="North")),
        (TRIP[:46], part(Trip, ["title", "start"], title="North", start=date(2026, 6, 1))),
        (
            TRIP.partition('o", "nights": 2')[0],
            part(Trip, ["title", "start"], title="North", start=date(2026, 6, 1), stops=[part(Stop, city="Osl")]),
        ),
        (
            TRIP.removesuffix("}]}"),
            part(
                Trip,
                ["title", "start"],
                title="North",
                start=date(2026, 6, 1),
                stops=[Stop(city="Oslo", nights=2), part(Stop, ["city"], city="Bergen")],
            ),
        ),
        (TRIP, Trip.model_validate_json(TRIP)),
        (f"```json\n{TRIP}\n```", Trip.model_validate_json(TRIP)),
    ],
)
def test_fields_are_there_once_they_have_come_and_are_valid(text: str, expected: Any) -> None:
    assert seen(Trip, text) == expected
    assert seen(Trip, *text) == expected


def test_a_field_that_has_not_come_says_so() -> None:
    partial = seen(Trip, '{"title": "North", "stops": [')
    assert (partial.title, partial["title"], partial.get("title")) == ("North", "North", "North")
    assert partial.stops == []
    with pytest.raises(AttributeError, match="^'start' of the Trip has not come yet.$"):
        _ = partial.start
    with pytest.raises(AttributeError, match="^Trip has no field 'strat'.$"):
        _ = partial.strat
    with pytest.raises(KeyError, match="start"):
        partial["start"]
    assert (partial.get("start"), getattr(partial, "start", "?"), "start" in partial) == (None, "?", False)
    assert (list(partial), len(partial), partial.complete) == (["title", "stops"], 2, {"title"})
    assert (fields_of(partial), kind_of(partial)) == (("title", "start", "stops", "remark"), Trip)


def test_a_partial_shows_what_is_complete_and_what_is_not() -> None:
    assert repr(seen(Trip, '{"title": "Nor')) == "Partial Trip(title='Nor'…, …)"
    assert repr(seen(Stop, '{"city": "Oslo", "nights": 3,')) == "Partial Stop(city='Oslo', nights=3)"


def test_a_partial_can_be_copied_and_compared_but_not_changed() -> None:
    partial = seen(Trip, '{"title": "Nor')
    assert copy.deepcopy(partial) == partial != seen(Trip, '{"title": "Nort')
    assert partial != {"title": "Nor"}
    with pytest.raises(AttributeError, match="can't be changed: 'title'"):
        partial.title = "South"
    with pytest.raises(AttributeError, match="can't be changed: 'title'"):
        del partial.title
    with pytest.raises(TypeError):
        hash(partial)
    assert {"title", "get", "model_dump"} <= set(dir(partial))


def test_a_partial_as_plain_values() -> None:
    partial = seen(Trip, TRIP.removesuffix("}]}"))
    assert partial.model_dump() == {
        "title": "North",
        "start": date(2026, 6, 1),
        "stops": [{"city": "Oslo", "nights": 2}, {"city": "Bergen"}],
    }


def test_what_was_seen_does_not_change_when_more_comes() -> None:
    reader = PartialReader(AgentOutputSchema(Trip))
    reader.feed(TRIP[:80])
    early, shown = reader.value(), repr(reader.value())
    early.stops.append("mine")
    reader.feed(TRIP[80:])
    assert repr(early).replace(", 'mine'", "") == shown
    assert reader.value() == Trip.model_validate_json(TRIP)


def test_fields_named_like_methods_are_fields() -> None:
    class Odd(BaseModel):
        get: int
        items: list[str]
        model: str
        complete: bool

    partial = seen(Odd, '{"get": 1, "items": ["a"], "model": "m", "complete": true, ')
    assert (partial.get, partial.items, partial.model, partial["complete"]) == (1, ["a"], "m", True)
    assert partial.complete == {"get", "items", "model", "complete"}


def test_aliases_are_the_keys_and_names_the_fields() -> None:
    class Aliased(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        city: str = Field(alias="cityName")
        days: int = Field(validation_alias=AliasChoices("dayCount", "n"))
        other: int = 0

    partial = seen(Aliased, '{"cityName": "Oslo", "dayCount": 3, "unknown": [1], "other": 5, ')
    assert partial.model_dump() == {"city": "Oslo", "days": 3, "other": 5}


def test_what_is_not_valid_is_left_out() -> None:
    class Narrow(BaseModel):
        size: Annotated[int, Field(gt=0)]
        colour: Literal["red", "green"]
        sizes: list[int]
        stop: Stop

    text = '{"size": -1, "colour": "blue", "sizes": [1, "x", 3], "stop": {"city": "Oslo", "nights": "many"}'
    partial = seen(Narrow, text)
    assert partial.model_dump() == {"sizes": [1, 3], "stop": {"city": "Oslo"}}
    assert seen(Narrow, text + "}").model_dump() == partial.model_dump()


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (Annotated[str, Field(description="of any form")], ["", "a", "ab", "abc", "abcd"]),
        (Annotated[str, Field(min_length=2, max_length=3)], [None, None, "ab", "abc", None]),
        (Annotated[str, StringConstraints(max_length=3)] | None, ["", "a", "ab", "abc", None]),
        (Annotated[str | None, Field(max_length=3)], ["", "a", "ab", "abc", None]),
        (Annotated[str, Field(pattern="^a")], [None, None, None, None, None]),
        (Annotated[str, AfterValidator(str.upper)], [None, None, None, None, None]),
        (Annotated[Annotated[str, Len(0, 3)], "a remark"], ["", "a", "ab", "abc", None]),
    ],
)
def test_a_text_that_streams_is_never_one_that_the_field_does_not_take(kind: Any, texts: list[str | None]) -> None:
    class Holder(BaseModel):
        text: kind

    reader = PartialReader(AgentOutputSchema(Holder, strict_json_schema=False))
    found = []
    for piece in ['{"text": "', *"abcd"]:
        reader.feed(piece)
        found.append(reader.value().get("text"))
    assert found == texts


def test_what_came_before_the_text_went_wrong_stays() -> None:
    partial = seen(Trip, '{"title": "North", "start": oops', '"2026-06-01"}')
    assert partial == part(Trip, ["title"], title="North")
    assert seen(Trip, "I can't answer that") is None
    assert seen(Trip, "[1, 2]") is None


def test_an_answer_that_is_not_valid_as_a_whole_keeps_its_valid_part() -> None:
    class Checked(BaseModel):
        low: int
        high: int

        @model_validator(mode="after")
        def ordered(self) -> Checked:
            if self.high < self.low:
                raise KeyError("validators may raise anything")
            return self

    assert seen(Checked, '{"low": 3, "high": 1}').model_dump() == {"low": 3, "high": 1}


@dataclass
class Point:
    x: float
    y: float = 0.0
    name: str = field(default="", repr=False)


class Address(TypedDict):
    street: str
    number: NotRequired[int]


class Colour(enum.Enum):
    RED = "red"


class Tags(RootModel[list[str]]):
    pass


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Point, '{"x": 1.5, "y": 2', part(Point, ["x"], x=1.5)),
        (Point, '{"x": 1.5, "y": 2}', Point(1.5, 2)),
        (Address, '{"street": "Karl Jo', part(Address, street="Karl Jo")),
        (Address, '{"street": "Karl Johan", "number": 1}', {"street": "Karl Johan", "number": 1}),
        (Loose, '{"name": "a", "more": {"b": [1', part(Loose, ["name"], name="a", more={"b": []})),
        (
            Tree,
            '{"name": "a", "children": [{"name": "b", "children": []}, {"name": "c',
            part(Tree, ["name"], name="a", children=[Tree(name="b"), part(Tree, name="c")]),
        ),
    ],
)
def test_all_kinds_of_objects(kind: Any, text: str, expected: Any) -> None:
    assert seen(kind, *text) == expected


type_alias = list[Stop]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (int, "12", None),
        (int, "12}", 12),
        (float, "1}", 1.0),
        (bool, "true}", True),
        (list[str], "[", []),
        (list[str], '["a", "b', ["a", "b"]),
        (list[int], '["a", 1, 2', [1]),
        (list[date], '["2026-01-01", "2026-0', [date(2026, 1, 1)]),
        (list[Colour], '["red", "re', [Colour.RED]),
        (list[Decimal], '["1.10", ', [Decimal("1.10")]),
        (list[Any], '[1, {"a": "b', [1, {"a": "b"}]),
        (list, '[1, [2, {"a": 3', [1, [2, {}]]),
        (type_alias, '[{"city": "O', [part(Stop, city="O")]),
        (Sequence[Stop], '[{"city": "O', [part(Stop, city="O")]),
        (set[str], '["a", "b', ["a", "b"]),
        (set[str], '["a", "b"]}', {"a", "b"}),
        (tuple[str, int], '["a", 1, ', ["a", 1]),
        (tuple[str, int], '["a", 1]}', ("a", 1)),
        (tuple[str, ...], '["a", "b', ["a", "b"]),
        (dict[str, int], '{"a": 1, "b": 2', {"a": 1}),
        (dict[int, Stop], '{"1": {"city": "O', {1: part(Stop, city="O")}),
        (dict[int, str], '{"1": "a", "b": "c", "2": "d', {1: "a", 2: "d"}),
        (Mapping[str, str], '{"a": "b', {"a": "b"}),
        (dict, '{"a": [1, 2', {"a": [1]}),
        (str | None, '"tex', "tex"),
        (str | None, "null}", None),
        (Literal["red", "green"], '"re', None),
        (Literal["red", "green"], '"red"}', "red"),
        (Tags, '{"a": 1', None),
        (Stop | None, '{"city": "O', part(Stop, city="O")),
        (Stop | Point, '{"x": 1, ', part(Point, ["x"], x=1.0)),
        (Stop | Point, "{", part(Stop)),
        (list[Stop | int], '[1, {"city": "O', [1, part(Stop, city="O")]),
        (list[int] | Stop, "[1, 2", [1]),
        (Any, '{"a": [', {"a": []}),
    ],
)
def test_all_kinds_of_other_types(kind: Any, text: str, expected: Any) -> None:
    value = seen_wrapped(kind, text)
    assert (value, type(value)) == (expected, type(expected))


def test_a_root_model_is_its_value() -> None:
    reader = PartialReader(AgentOutputSchema(Tags, strict_json_schema=False))
    reader.feed('["a", "b')
    assert reader.value() == ["a", "b"]
    reader.feed('"]')
    assert reader.value() == Tags(["a", "b"])


def test_a_tag_decides_between_the_members_of_a_union() -> None:
    class Circle(BaseModel):
        kind: Literal["circle"]
        size: float

    class Square(BaseModel):
        kind: Literal["square"]
        size: float

    text = '[{"size": 1.5, "kind": "square"'
    assert [kind_of(seen_wrapped(list[Circle | Square], text[:cut])[0]) for cut in (14, len(text))] == [Circle, Square]
    tagged = Annotated[Circle | Square, Field(discriminator="kind")]
    assert seen_wrapped(list[tagged], text) == [  # type: ignore[valid-type]
        Partial(Square, ("kind", "size"), {"size": 1.5, "kind": "square"}, frozenset({"size", "kind"}))
    ]


def test_a_schema_of_ones_own_is_read_as_json() -> None:
    class Own(AgentOutputSchemaBase):
        def is_plain_text(self) -> bool:
            return False

        def name(self) -> str:
            return "own"

        def json_schema(self) -> dict[str, Any]:
            return {"type": "object"}

        def is_strict_json_schema(self) -> bool:
            return False

        def validate_json(self, json_str: str) -> Any:
            return json.loads(json_str)

    reader = PartialReader(Own())
    reader.feed('{"a": {"b": "c')
    assert reader.value() == {"a": {"b": "c"}}


def test_the_key_around_other_types_is_no_part_of_the_value() -> None:
    assert seen(list[int], '{"respon') is None
    assert seen(list[int], '{"other": [1, 2, 3], "response": [4, 5') == [4]
    assert seen(list[int], '{"response": [4, 5], "more": ') == [4, 5]
    assert seen(list[int], "[1, 2, ") is None


_STOPS = st.builds(Stop, city=st.text(max_size=5), nights=st.integers())
_TRIPS = st.builds(
    Trip,
    title=st.text(max_size=8),
    start=st.dates(),
    stops=st.lists(_STOPS, max_size=3),
    remark=st.none() | st.text(max_size=5),
)


@given(_TRIPS)
def test_every_prefix_of_an_answer_gives_a_part_of_it(trip: Trip) -> None:
    reader = PartialReader(AgentOutputSchema(Trip))
    complete: frozenset[str] = frozenset()
    for sign in trip.model_dump_json():
        reader.feed(sign)
        partial = reader.value()
        if isinstance(partial, Trip):
            break
        assert complete <= partial.complete
        complete = partial.complete
        for name in partial:
            value, whole = partial[name], getattr(trip, name)
            if name in complete:
                assert value == whole
            elif isinstance(value, str):
                assert whole.startswith(value)
            else:
                assert value[:-1] == whole[: max(0, len(value) - 1)]
                assert len(value) <= len(whole)
    assert reader.complete
    assert reader.value() == trip


def test_each_item_is_checked_a_few_times_however_often_somebody_looks() -> None:
    checked = 0

    class Row(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def count(cls, n: int) -> int:
            nonlocal checked
            checked += 1
            return n

    reader = PartialReader(AgentOutputSchema(list[Row]))
    for sign in json.dumps({"response": [{"n": n} for n in range(300)]}):
        reader.feed(sign)
        reader.value()
    assert reader.value() == [Row.model_construct(n=n) for n in range(300)]
    assert checked <= 3 * 300  # when an item is complete, when the list is, and when all is


# -- in a run ----------------------------------------------------------------------------------------------------------


def agent(*answers: Any, **options: Any) -> Agent[Any]:
    return Agent(name="Planner", model=ScriptedModel(*answers), **options)


async def looks(agent_: Agent[Any]) -> tuple[list[Any], Any]:
    """What is seen after each event that changes it, and the final output."""
    stream = Runner.run_streamed(agent_, "Hi")
    found: list[Any] = []
    async for _ in stream.stream_events():
        value = stream.partial()
        if not found or value != found[-1]:
            found.append(value)
    assert stream.partial() == stream.final_output
    return found, stream.final_output


async def test_a_run_shows_its_answer_fill() -> None:
    found, output = await looks(agent(TRIP, output_type=Trip))
    assert found[0] is None
    assert (found[-1], output) == (Trip.model_validate_json(TRIP), Trip.model_validate_json(TRIP))
    assert len(found) > 6
    names = [len(each) for each in found[1:-1]]
    assert names == sorted(names)


async def test_text_is_the_text_so_far() -> None:
    found, output = await looks(agent("It is sunny in Oslo."))
    assert (found[0], found[-1], output) == (None, "It is sunny in Oslo.", "It is sunny in Oslo.")
    assert all(output.startswith(each) for each in found[1:])
    assert len(found) > 3


async def test_the_final_output_is_the_very_object() -> None:
    stream = Runner.run_streamed(agent(TRIP, output_type=Trip), "Hi")
    async for _ in stream.stream_events():
        pass
    assert stream.partial() is stream.final_output


@function_tool
def look_up(city: str) -> str:
    """Look a city up."""
    return "a city"


async def test_each_answer_of_the_model_begins_anew() -> None:
    planner = agent(['{"title": "Not yet", ', call("look_up", city="Oslo")], TRIP, output_type=Trip, tools=[look_up])
    found, output = await looks(planner)
    titles = [each.get("title") for each in found if isinstance(each, Partial)]
    assert titles.index("Not yet") < titles.index("North")
    assert output == Trip.model_validate_json(TRIP)


async def test_after_a_handoff_it_is_the_other_agents_answer() -> None:
    planner = Agent(name="Second", model=ScriptedModel(TRIP), output_type=Trip)
    found, _ = await looks(agent(call("transfer_to_second"), handoffs=[planner], output_type=list[int]))
    assert {type(each) for each in found} == {type(None), Partial, Trip}


async def test_a_run_that_nobody_watches_shows_how_far_it_is() -> None:
    stream = Runner.run_streamed(agent(TRIP, output_type=Trip), "Hi")
    assert stream.partial() is None
    await stream._task
    assert stream.partial() == Trip.model_validate_json(TRIP)
    events = [event async for event in stream.stream_events()]
    assert len(events) > 5
    assert stream.partial() is stream.final_output


class Stuck(ScriptedModel):
    """A model whose answer stops in the middle."""

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        import asyncio

        async for event in super().stream_response(*args, **kwargs):
            if getattr(event, "type", "") == "response.output_text.done":
                await asyncio.Event().wait()
            yield event


async def test_of_a_run_that_was_stopped_what_had_come_stays() -> None:
    stream = Runner.run_streamed(Agent(name="a", model=Stuck('{"title": "North", "sta'), output_type=Trip), "Hi")
    async for _ in stream.stream_events():
        if stream.partial() is not None and "title" in stream.partial().complete:
            stream.cancel()
    assert (stream.status, stream.partial()) == ("cancelled", part(Trip, ["title"], title="North"))


async def test_looking_before_cancelling_and_iterating_later_sees_each_event_once() -> None:
    import asyncio

    stream = Runner.run_streamed(Agent(name="a", model=Stuck('{"title": "North", "sta'), output_type=Trip), "Hi")
    while stream.partial() is None or "title" not in stream.partial().complete:
        await asyncio.sleep(0)
    stream.cancel()
    assert [event.type async for event in stream.stream_events()] == ["agent_updated_stream_event"]
    assert stream.partial() == part(Trip, ["title"], title="North")


async def test_what_a_guardrail_stopped_is_not_shown() -> None:
    @output_guardrail
    def never(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=True)

    stream = Runner.run_streamed(agent(TRIP, output_type=Trip, output_guardrails=[never]), "Hi")
    with pytest.raises(OutputGuardrailTripwireTriggered):
        async for _ in stream.stream_events():
            pass
    assert stream.partial() is None


async def test_any_thread_may_look() -> None:
    stream = Runner.run_streamed(agent(TRIP, output_type=Trip), "Hi")
    found: list[Any] = []
    async for _ in stream.stream_events():
        thread = threading.Thread(target=lambda: found.append(stream.partial()))
        thread.start()
        thread.join()
    assert any(isinstance(each, Partial) for each in found)
    assert stream.partial() == Trip.model_validate_json(TRIP)
