"""What rehearsal-1 fills into an output type. One row, one case."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rehearsal_notation import Case, obj, run, tool

EVENT = obj("name: str, date: str, participants: [str]")
EXTRACT = "Extract calendar events from text"
HOMEWORK = obj("is_homework: bool, reasoning: str")
CHECK = "Check if the user is asking about homework."
MATHS_HOMEWORK = obj("is_math_homework: bool, reasoning: str")
CHECK_MATHS = "Check if the user is asking you to do their math homework."
MOOD = obj("sentiment: 'positive'|'negative'|'neutral'")
TICKET = obj("category: 'technical'|'billing'|'general', priority: 'low'|'medium'|'high'")
WEATHER = tool("get_weather(city: str)")


def wrapped(kind: str) -> dict[str, Any]:
    """Return the schema of an output type that isn't an object."""
    return obj(f"response: {kind}")


EXACT = [
    # the tutorials' own
    Case(
        "Alice and Bob are going to a science fair on Friday.",
        answer={"name": "science fair", "date": "Friday", "participants": ["Alice", "Bob"]},
        schema=EVENT,
        told=EXTRACT,
    ),
    # events
    Case(
        "Dinner with Sam O'Brien and Kim next Tuesday",
        answer={"name": "Dinner", "date": "next Tuesday", "participants": ["Sam O'Brien", "Kim"]},
        schema=EVENT,
        told=EXTRACT,
    ),
    Case(
        "The product launch party is on 5 May with Kim",
        answer={"name": "product launch party", "date": "5 May", "participants": ["Kim"]},
        schema=EVENT,
        told=EXTRACT,
    ),
    Case(
        "Let's have a team meeting with Ana and Bo on March 3, 2025",
        answer={"name": "team meeting", "date": "March 3, 2025", "participants": ["Ana", "Bo"]},
        schema=EVENT,
        told=EXTRACT,
    ),
    Case(
        "Schedule a dentist appointment for 4 March 2026 at 3pm",
        answer={"title": "dentist appointment", "date": "2026-03-04", "time": "15:00:00", "place": None},
        schema=obj("title: str, date: date, time: time, place: str = None"),
        told=EXTRACT,
    ),
    Case(
        "Call with Mira tomorrow",
        answer={"name": "Call", "date": "2026-03-03"},
        schema=obj("name: str, date: date"),
        told="Extract the event. Today is 2026-03-02.",
    ),
    # people, things, lists, nesting
    Case(
        "Extract people: Ada is 36 and Bob is 41",
        answer={"people": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 41}]},
        schema=obj("people: [{name: str, age: int}]"),
        told="Extract the people.",
    ),
    Case(
        "Ada Lovelace, ada@example.org, lives in London",
        answer={"name": "Ada Lovelace", "email": "ada@example.org", "address": {"city": "London"}},
        schema=obj("name: str # The person's name, email: str, address: {city: str}"),
        told="Extract the contact.",
    ),
    Case(
        "I need 2 apples and 5 pears",
        answer={"items": [{"product": "apples", "quantity": 2}, {"product": "pears", "quantity": 5}]},
        schema=obj("items: [{product: str, quantity: int}]"),
        told="Extract the order.",
    ),
    Case(
        "List the colours: red, green and blue", answer={"response": ["red", "green", "blue"]}, schema=wrapped("[str]")
    ),
    Case(
        "Write to ann@x.com and bob@y.org",
        answer={"emails": ["ann@x.com", "bob@y.org"]},
        schema=obj("emails: [str]"),
        told="Extract all e-mail addresses.",
    ),
    Case(
        "The numbers are 3, 1.5 and -2",
        answer={"values": [3, 1.5, -2]},
        schema=obj("values: [float]"),
        told="Extract the numbers.",
    ),
    # numbers and choices
    Case("What is 2+3?", answer={"response": 5}, schema=wrapped("int")),
    Case("I love this phone, the camera is great!", answer={"sentiment": "positive"}, schema=MOOD),
    Case("The food was cold and the waiter was rude.", answer={"sentiment": "negative"}, schema=MOOD),
    Case("The train leaves at noon.", answer={"sentiment": "neutral"}, schema=MOOD),
    Case("My invoice was charged twice", answer={"category": "billing", "priority": "low"}, schema=TICKET),
    Case(
        "URGENT: the server crashes at every login", answer={"category": "technical", "priority": "high"}, schema=TICKET
    ),
    Case(
        "Ich möchte einen Tisch reservieren",
        answer={"language": "German"},
        schema=obj("language: str"),
        told="Detect the language of the message.",
    ),
    Case("I'd rate it four stars", answer={"rating": 4}, schema=obj("rating: int 1..5"), told="Extract the review."),
]

DECIDED = [
    (CHECK, HOMEWORK, "Hello, can you help me solve for x: 2x + 3 = 11?", True),
    (CHECK, HOMEWORK, "what is life", False),
    (CHECK, HOMEWORK, "who was the first president of the united states?", True),
    (CHECK, HOMEWORK, "Where can I buy new shoes?", False),
    (CHECK_MATHS, MATHS_HOMEWORK, "Hello, can you help me solve for x: 2x + 3 = 11?", True),
    (CHECK_MATHS, MATHS_HOMEWORK, "What is the capital of California?", False),
    ("Check if the output includes any math.", obj("reasoning: str, is_math: bool"), "x = 4, since 2x = 8", True),
    ("Is the message rude?", obj("is_rude: bool, reason: str"), "You are an idiot", True),
    ("Is the message rude?", obj("is_rude: bool, reason: str"), "You are very kind", False),
    ("Decide whether the text is about travel.", obj("decision: bool, reason: str"), "We flew to Lisbon", True),
    ("Does the text contain personal data?", obj("contains_pii: bool, why: str"), "Reach me at ann@x.com", True),
    ("Flag questions.", obj("is_question: bool, reason: str"), "The sky is blue.", False),
]


@pytest.mark.parametrize("case", EXACT, ids=str)
def test_output_type_is_filled_from_the_request(case: Case) -> None:
    assert json.loads(run(case).answer) == case.answer


@pytest.mark.parametrize(("told", "schema", "says", "expected"), DECIDED, ids=lambda value: str(value)[:40])
def test_yes_or_no_is_decided_with_a_reason(told: str, schema: dict[str, Any], says: str, expected: bool) -> None:
    answer = json.loads(run(Case(says, told=told, schema=schema)).answer)

    decisions = [value for value in answer.values() if isinstance(value, bool)]
    reasons = [value for value in answer.values() if isinstance(value, str)]
    assert decisions == [expected]
    assert len(reasons[0].split()) >= 4


def test_output_type_is_filled_after_tool_results() -> None:
    case = Case(
        "What's the weather in Oslo?",
        tools=[WEATHER],
        schema=obj("city: str, temperature_c: float, conditions: str"),
        returns={"get_weather": {"city": "Oslo", "temperature_c": -4.5, "conditions": "snow"}},
    )

    outcome = run(case)

    assert outcome.calls == [("get_weather", {"city": "Oslo"})]
    assert json.loads(outcome.answer) == {"city": "Oslo", "temperature_c": -4.5, "conditions": "snow"}


def test_references_unions_and_constants_are_followed() -> None:
    schema = {
        "$defs": {
            "Person": obj("name: str, age: int"),
            "Company": obj("company: str"),
        },
        "type": "object",
        "properties": {
            "kind": {"const": "contact"},
            "who": {"anyOf": [{"$ref": "#/$defs/Person"}, {"$ref": "#/$defs/Company"}]},
            "phone": {"allOf": [{"type": "string"}, {"description": "Phone number"}]},
        },
        "required": ["kind", "who", "phone"],
        "additionalProperties": False,
    }

    answer = json.loads(run(Case("Ada is 36, call her on +44 20 7946 0000", schema=schema)).answer)

    assert answer == {"kind": "contact", "who": {"name": "Ada", "age": 36}, "phone": "+44 20 7946 0000"}


def test_recursive_schema_ends() -> None:
    node = obj("name: str")
    node["properties"]["children"] = {"type": "array", "items": {"$ref": "#/$defs/Node"}}
    node["required"].append("children")
    schema = {"$ref": "#/$defs/Node", "$defs": {"Node": node}}

    answer = json.loads(run(Case("Make a tree named Oak", schema=schema)).answer)

    assert answer["name"] == "Oak"
    assert isinstance(answer["children"], list)
