"""Whatever comes in, a valid reply comes out, in time that grows with the input and no faster."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
from rehearsal_notation import HELPFUL, Case, ask, obj, run, tool

from agentkit.local.engines.base import Prompt
from agentkit.local.engines.rehearsal import Reply, reply

SEEDS = [*range(120), 817, 1027, 1059]
WORDS = [
    "What's",
    "the",
    "weather",
    "in",
    "Tokyo",
    "and",
    "Paris",
    "please",
    "add",
    "2",
    "and",
    "3",
    "then",
    "multiply",
    "it",
    "by",
    "-4.5",
    '"quoted,',
    'text"',
    "'x'",
    "book",
    "a",
    "table",
    "for",
    "two\npeople",
    "at",
    "Luigi's",
    "on",
    "Friday",
    "at",
    "7pm",
    "email",
    "ada@example.com",
    "https://example.com/a?b=c",
    "2026-03-02",
    "ORD-1234",
    "$50",
    "20%",
    "twenty-one",
    "¿Qué",
    "tiempo",
    "hace\n你好",
    "Привет",
    "👩\u200d👩\u200d👧",
    "\u200b",
    "\x00",
    "�",
    "(((",
    "```",
    '{"a":',
    "1}",
    "[1,",
    "2",
    "NaN",
    "1e999",
    "999999999999999999999999999999",
    "-0",
    ".5",
    "...",
    ",",
    ";",
    ":",
    "?",
    "!",
    "-",
    "--",
    "_",
    "__",
    "#",
    "@",
    "/tmp/x.txt\nnot",
    "no",
    "without",
    "the",
    "of",
    "to",
    "Ada",
    "Lovelace",
    "New",
    "York",
    "é",
    "İ",
    "ß",
    "ǆ",
]
TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")


def some_text(chance: random.Random, most: int = 40) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randrange(most)))


def some_schema(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """Return a schema that a value can satisfy, with whatever keywords the outside world puts in."""
    kind = chance.choice(TYPES if depth < 3 else TYPES[:4])
    schema: dict[str, Any] = {"type": kind}
    if chance.random() < 0.3:
        schema["description"] = some_text(chance, 8)
    if chance.random() < 0.2:
        schema["title"] = chance.choice(WORDS)
    match kind:
        case "string" if chance.random() < 0.3:
            schema["enum"] = ["celsius", "fahrenheit", "other"][: chance.randint(1, 3)]
        case "string" if chance.random() < 0.3:
            schema["format"] = chance.choice(["date", "date-time", "email", "time", "unknown"])
        case "string" if chance.random() < 0.3:
            schema |= {"minLength": chance.randrange(5), "maxLength": chance.randint(5, 30)}
        case "integer" | "number":
            low = chance.randint(-20, 20)
            schema |= chance.choice(
                [{}, {"minimum": low, "maximum": low + chance.randrange(9)}, {"exclusiveMinimum": low}]
            )
        case "array":
            schema["items"] = some_schema(chance, depth + 1)
            if chance.random() < 0.3:
                schema |= {"minItems": chance.randrange(3), "maxItems": 4}
        case "object":
            names = chance.sample(
                ["city", "date", "a", "b", "items", "is_ok", "reason", "email", "x" * 200, "名前", ""], 4
            )
            schema["properties"] = {name: some_schema(chance, depth + 1) for name in names}
            schema["required"] = names if chance.random() < 0.7 else names[:1]
            schema["additionalProperties"] = False
    if chance.random() < 0.15:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


def some_item(chance: random.Random) -> Any:
    return chance.choice(
        [
            {"role": chance.choice(["user", "assistant", "developer", "tool", None, 7]), "content": some_text(chance)},
            {
                "role": "user",
                "content": [{"type": "input_text", "text": some_text(chance)}, {"type": "input_image"}, 5],
            },
            {"role": "user", "content": {"odd": [None]}},
            {
                "type": "function_call",
                "name": "get",
                "arguments": chance.choice(["{}", "[", "null", "7", None]),
                "call_id": "1",
            },
            {
                "type": "function_call_output",
                "call_id": chance.choice(["1", None]),
                "output": chance.choice([None, "x", [{"type": "input_text", "text": "y"}], 5]),
            },
            {"type": "reasoning", "summary": []},
            {"type": "web_search_call"},
            {},
            None,
            "text",
        ]
    )


def objects(chance: random.Random) -> dict[str, Any]:
    names = ["city", "query", "count", "when"]
    properties = {name: some_schema(chance, 1) for name in names}
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def check(answer: Reply, tools: dict[str, Any], schema: dict[str, Any] | None) -> None:
    for call in answer.calls:
        jsonschema.validate(json.loads(call.arguments), tools[call.name])
    assert bool(answer.calls) != bool(answer.text)
    answer.text.encode()
    if schema is not None and not answer.calls:
        jsonschema.validate(json.loads(answer.text), schema)


@pytest.mark.parametrize("seed", SEEDS)
def test_reply_is_valid_whatever_comes(seed: int) -> None:
    chance = random.Random(seed)
    tools = {f"{chance.choice(WORDS)}_{n}": objects(chance) for n in range(chance.randrange(4))}
    schema = objects(chance) if chance.random() < 0.4 else None
    items = [some_item(chance) for _ in range(chance.randrange(8))] + [{"role": "user", "content": some_text(chance)}]

    answer = reply(
        Prompt(
            "rehearsal-1",
            items,
            [
                {"type": "function", "name": name, "description": some_text(chance, 10), "parameters": tools[name]}
                for name in tools
            ],
            chance.choice(
                ["auto", "required", "none", {"type": "function", "name": "get_0"}, {"type": "odd"}, None, 3]
            ),
            chance.random() < 0.5,
            {"type": "json_schema", "name": "x", "schema": schema} if schema else {"type": "text"},
            None,
        )
    )

    check(answer, tools, schema)


@pytest.mark.parametrize("seed", range(60))
def test_run_ends_and_no_call_is_made_twice(seed: int) -> None:
    chance = random.Random(seed)
    outputs = ["ok", "7", '{"city": "Oslo", "a": 3, "id": "X-1"}', "It is sunny.", "Error: no", "", "[1, 2]", "null"]
    tools = [
        tool("get_weather(city: str)"),
        tool("add(a: int, b: int)", "Add two numbers."),
        tool("multiply(a: int, b: int)", "Multiply two numbers."),
        tool("send_email(to: str, body: str)", "Send an email."),
        tool("get_user_city()", "Get the city of the user."),
    ]
    parts = ["get the weather in Oslo and Rome", "add 2 and 3", "multiply it by 4", "email it to a@b.org", "weather"]
    text = chance.choice([" and ", ", then ", ". "]).join(chance.sample(parts, chance.randint(1, 4)))

    outcome = run(Case(text, tools=tools, returns={raw["name"]: chance.choice(outputs) for raw in tools}))

    made = [json.dumps(call, sort_keys=True) for call in outcome.calls]
    assert len(made) == len(set(made))
    assert outcome.answer


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        {"type": "object"},
        {"type": "object", "properties": None, "required": None},
        {"properties": {"city": {}}},
        {"properties": {"city": True}},
        {"type": "object", "properties": {"city": {"anyOf": []}}},
        {"type": "object", "properties": {"city": {"$ref": "#/nowhere"}}, "required": ["city"]},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"type": "array", "items": {"$ref": "#"}},
    ],
    ids=str,
)
def test_odd_parameters_are_no_obstacle(parameters: Any) -> None:
    weather = {"type": "function", "name": "get_weather", "description": None, "parameters": parameters}

    answer = ask("What's the weather in Oslo?", tools=[weather], choice="required")

    assert [call.name for call in answer.calls] == ["get_weather"]
    assert isinstance(json.loads(answer.calls[0].arguments), dict)


def test_endless_schema_ends() -> None:
    node = obj("name: str")
    for name in ("left", "right", "middle"):
        node["properties"][name] = {"$ref": "#/$defs/Node"}
    node["required"] = list(node["properties"])

    answer = ask("a tree", schema={"$ref": "#/$defs/Node", "$defs": {"Node": node}})

    assert isinstance(json.loads(answer.text), dict)


@pytest.mark.parametrize(
    "text",
    [
        "weather in Tokyo and " * 50_000,
        "A" * 1_000_000,
        " " * 1_000_000,
        "\n" * 1_000_000,
        "'" * 1_000_000,
        '"a' * 500_000,
        "1 " * 500_000,
        "one and " * 125_000,
        "(" * 1_000_000,
        "a@" * 500_000,
        "A. " * 300_000,
        "x = " * 250_000,
        "你" * 1_000_000,
        "\ud83d" * 1_000_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_megabyte_is_answered(text: str) -> None:
    answer = ask(text, tools=[tool("get_weather(city: str)"), tool("add(a: int, b: int)")], told=HELPFUL)

    assert answer.calls or answer.text
    answer.text.encode()


def test_long_run_is_read_from_its_end() -> None:
    """Of 20,000 earlier items only the last few are looked into: reading any of the others would raise."""

    class Unreadable(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            if key == "content":
                raise AssertionError("an old item was read")
            return super().get(key, default)

    old: list[dict[str, Any]] = [Unreadable(role="user", content="hello") for _ in range(20_000)]
    recent = [{"role": role, "content": f"{n}"} for n in range(40) for role in ("user", "assistant")]

    answer = ask([*old, *recent, {"role": "user", "content": "Hello"}], told="")

    assert answer.text == "Hello! How can I help you?"
