"""A short notation for the prompts and schemas of the tests: `tool("add(a: int, b: int)", "Add two numbers.")`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from agentkit.local.engines.base import Prompt
from agentkit.local.engines.rehearsal import Reply, reply

HELPFUL = "You are a helpful assistant."


def tool(signature: str, description: str = "", *, strict: bool = True) -> dict[str, Any]:
    """Return a function tool: `"book(city: str, nights: int, room: 'single'|'double' = None)"`."""
    name, _, inner = signature.partition("(")
    schema = obj(inner.rstrip()[:-1])
    if not strict:
        schema["required"] = [key for key, value in schema["properties"].items() if "anyOf" not in value]
    return {"type": "function", "name": name, "description": description, "parameters": schema, "strict": strict}


def handoff(agent: str, description: str = "") -> dict[str, Any]:
    """Return a handoff as the runtime offers it to the model."""
    return {
        "type": "function",
        "name": f"transfer_to_{agent.lower().replace(' ', '_')}",
        "description": f"Handoff to the {agent} agent to handle the request. {description}".strip(),
        "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
        "strict": True,
    }


def obj(fields: str) -> dict[str, Any]:
    """Return the strict schema of an object: `"name: str, tags: [str], where: {city: str}, size: 's'|'m' = None"`."""
    properties = {}
    for part in _split(fields):
        name, _, kind = part.partition(":")
        kind, _, default = kind.partition(" = ")
        schema = _kind(kind.strip())
        properties[name.strip()] = {"anyOf": [schema, {"type": "null"}]} if default.strip() == "None" else schema
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _kind(text: str) -> dict[str, Any]:
    kind, _, described = text.partition(" # ")
    schema: dict[str, Any]
    if kind.startswith("["):
        schema = {"type": "array", "items": _kind(kind[1:-1].strip())}
    elif kind.startswith("{"):
        schema = obj(kind[1:-1])
    elif kind.startswith("'"):
        schema = {"type": "string", "enum": re.findall(r"'([^']*)'", kind)}
    elif kind in ("date", "date-time", "time", "email"):
        schema = {"type": "string", "format": kind}
    else:
        bounds = re.match(r"(int|float)\s+(-?\d+)\.\.(-?\d+)$", kind)
        names = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
        schema = {"type": names[bounds[1] if bounds else kind]}
        if bounds:
            schema |= {"minimum": int(bounds[2]), "maximum": int(bounds[3])}
    return schema | ({"description": described} if described else {})


def _split(text: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for character in text:
        depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [part for part in [*parts, current] if part.strip()]


@dataclass(frozen=True)
class Case:
    """One row of a table: what is said and offered, and what has to come of it."""

    says: str | list[dict[str, Any]]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """All calls of the run, in order."""
    answer: Any = None
    """A fragment of the final text, a list of fragments, or the JSON value."""
    tools: list[dict[str, Any]] = field(default_factory=list)
    told: str = HELPFUL
    schema: dict[str, Any] | None = None
    returns: dict[str, Any] = field(default_factory=dict)
    """What each tool returns; a function gets the arguments."""
    choice: Any = "auto"
    parallel: bool = True
    turns: int | None = None
    """How many of the model's turns have calls, where that is what the case is about."""

    def __str__(self) -> str:
        said = self.says if isinstance(self.says, str) else self.says[-1].get("content", "")
        return re.sub(r"[^\w' -]", "", str(said))[:60] or "nothing"


def ask(
    says: str | list[dict[str, Any]],
    *,
    tools: list[dict[str, Any]] | None = None,
    told: str = HELPFUL,
    schema: dict[str, Any] | None = None,
    choice: Any = "auto",
    parallel: bool = True,
) -> Reply:
    """Return one reply."""
    items = [{"role": "user", "content": says}] if isinstance(says, str) else says
    items = [{"role": "system", "content": told}, *items] if told else items
    shape = {"type": "json_schema", "name": "answer", "schema": schema, "strict": True} if schema else {"type": "text"}
    return reply(Prompt("rehearsal-1", items, tools or [], choice, parallel, shape, None))


@dataclass(frozen=True)
class Run:
    """What a whole run came to."""

    calls: list[tuple[str, dict[str, Any]]]
    answer: str
    turns: int
    items: list[dict[str, Any]]


def run(case: Case) -> Run:
    """Return what comes of a case when its tools are called until there is an answer; at most ten turns."""
    items = [{"role": "user", "content": case.says}] if isinstance(case.says, str) else list(case.says)
    made: list[tuple[str, dict[str, Any]]] = []
    for turn in range(10):
        answer = ask(
            items, tools=case.tools, told=case.told, schema=case.schema, choice=case.choice, parallel=case.parallel
        )
        if not answer.calls:
            return Run(made, answer.text, turn, [*items, {"role": "assistant", "content": answer.text}])
        for number, call in enumerate(answer.calls):
            arguments = json.loads(call.arguments)
            made.append((call.name, arguments))
            output = case.returns.get(call.name, "ok")
            output = output(**arguments) if callable(output) else output
            call_id = f"call_{turn}_{number}"
            items += [
                {"type": "function_call", "call_id": call_id, "name": call.name, "arguments": call.arguments},
                {
                    "type": "function_call_output",
                    "call_id": call_id,
                    "output": output if isinstance(output, str) else json.dumps(output),
                },
            ]
    raise AssertionError(f"No answer after ten turns: {made}")


def user(text: str) -> dict[str, Any]:
    """Return a message of the user's."""
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    """Return a message of the assistant's."""
    return {"role": "assistant", "content": text}


def called(name: str, output: str, /, **arguments: Any) -> list[dict[str, Any]]:
    """Return a call with its output, as items."""
    call_id = f"call_{name}_{len(json.dumps(arguments))}"
    return [
        {"type": "function_call", "call_id": call_id, "name": name, "arguments": json.dumps(arguments)},
        {"type": "function_call_output", "call_id": call_id, "output": output},
    ]
