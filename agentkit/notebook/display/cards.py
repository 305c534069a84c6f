"""Agents and tools as cards, and what is defined in the notebook as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit._repr import brief, set_fields
from agentkit.notebook.display.highlight import highlight
from agentkit.notebook.display.listing import aligned
from agentkit.notebook.display.run_view import Bundle
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line, shorten
from agentkit.notebook.display.transcript import model_name

if TYPE_CHECKING:
    from agentkit.runtime import Agent
    from agentkit.runtime.graph import AgentGraph
    from agentkit.tooling import FunctionTool, Tool

__all__ = ["AgentsTable", "ToolCards", "agent_bundle", "signature", "tool_bundle"]

_FOLDED_FROM = 400
_MOST_PLAIN = 1_000


def agent_bundle(agent: Agent[Any]) -> Bundle:
    """Return an agent's card: what it is told, and what it has."""
    rows = _agent_rows(agent)
    instructions = _instructions(agent)
    html = f'<div class="agk">{STYLE}<div class="agk-c"><span class="agk-h">{escape(agent.name)}</span>'
    html += f' <span class="agk-d">agent</span>{_instructions_html(instructions)}{_rows_html(rows)}</div>'
    graph = agent.graph()
    html += f"{_graph_html(graph)}</div>"
    plain = [f"Agent {agent.name!r}", *(f"  {name}: {', '.join(values)}" for name, values in rows.items())]
    if instructions:
        plain.append("  instructions: " + shorten(instructions, _MOST_PLAIN).replace("\n", "\n    "))
    if any(node.entries or graph.graph.ways_from(number) for number, node in enumerate(graph.graph.nodes) if number):
        plain += ["  graph:", *(f"    {line}" for line in graph.text.splitlines())]
    return {"text/html": html, "text/plain": clean("\n".join(plain))}


def _graph_html(graph: AgentGraph) -> str:
    """Return the drawing below an agent's card: folded where there is no other agent, none where there are no tools."""
    if len(graph.names) > 1:
        return f'<div class="agk-p">{graph.html}</div>'
    if graph.graph.nodes[0].entries or graph.graph.ways:
        return f'<details><summary class="agk-f">▸ graph</summary>{graph.html}</details>'
    return ""


def tool_bundle(tool: FunctionTool) -> Bundle:
    """Return a tool's card: how it is called, what it does, and the schema that the model gets."""
    schema = json.dumps(tool.params_json_schema, indent=2, ensure_ascii=False)
    parameters = _parameters(tool)
    html = f'<div class="agk">{STYLE}<div class="agk-c"><code>{escape(signature(tool))}</code>'
    html += ' <span class="agk-d">tool</span>'
    if tool.description:
        html += f'<div class="agk-p">{escape(tool.description)}</div>'
    described = {name: entry["description"] for name, entry in parameters.items() if entry.get("description")}
    if described:
        html += _rows_html({name: [text] for name, text in described.items()}, code=False)
    rules = _rules(tool)
    html += _rows_html({name: [text] for name, text in rules.items()})
    html += '<details><summary class="agk-f">▸ schema</summary>'
    html += f"<pre><code>{highlight(clean(schema), 'json')}</code></pre></details></div></div>"
    plain = [f"Tool {signature(tool)}", *(f"  {line}" for line in tool.description.splitlines())]
    plain += [f"    {name}: {text}" for name, text in described.items()]
    plain += [f"  {name}: {text}" for name, text in rules.items()]
    return {"text/html": html, "text/plain": clean("\n".join(plain))}


def _rules(tool: FunctionTool) -> dict[str, str]:
    """Return what else is to be known of a tool: when it is offered, when it is asked for, how long it may take."""
    rules = {}
    if tool.is_enabled is not True:
        rules["offered"] = f"where {brief(tool.is_enabled)} says so" if tool.is_enabled else "never: it is switched off"
    if tool.needs_approval:
        rules["approval"] = (
            f"where {brief(tool.needs_approval)} asks for it" if callable(tool.needs_approval) else "needed"
        )
    if tool.timeout_seconds is not None:
        rules["time limit"] = f"{tool.timeout_seconds:g} s"
    for name, guards in (("call", tool.tool_input_guardrails), ("output", tool.tool_output_guardrails)):
        if guards:
            rules[f"{name} checked by"] = ", ".join(guard.get_name() for guard in guards)
    return rules


@dataclass(frozen=True)
class ToolCards:
    """Tools that were made together, shown in one output."""

    tools: tuple[FunctionTool, ...]
    """The tools, in their order."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        bundles = [tool_bundle(tool) for tool in self.tools]
        html = "".join(bundle["text/html"].replace(STYLE, "") for bundle in bundles)
        return {"text/html": STYLE + html, "text/plain": "\n".join(bundle["text/plain"] for bundle in bundles)}


@dataclass(frozen=True)
class AgentsTable:
    """The agents and tools of the notebook, shown as a table."""

    agents: Mapping[str, Agent[Any]]
    """Agents by variable."""
    tools: Mapping[str, FunctionTool]
    """Tools by variable."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {"text/html": self._html(), "text/plain": clean(self._plain())}

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                variable if variable == agent.name else f"{variable} ({agent.name})",
                model_name(agent),
                ", ".join(_tool_name(tool) for tool in agent.tools),
                ", ".join(_handoff_name(target) for target in agent.handoffs),
                one_line(_instructions(agent), 60),
            )
            for variable, agent in self.agents.items()
        ]

    def _html(self) -> str:
        if not self.agents and not self.tools:
            return f'<div class="agk">{STYLE}<span class="agk-d">{escape(self._plain())}</span></div>'
        parts = [f'<div class="agk">{STYLE}']
        if self.agents:
            head = "".join(f"<th>{name}</th>" for name in _HEAD)
            body = "".join(
                "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows()
            )
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        if self.tools:
            names = " · ".join(f"<code>{escape(signature(tool))}</code>" for tool in self.tools.values())
            parts.append(f'<div><span class="agk-d">tools</span> {names}</div>')
        return "".join([*parts, "</div>"])

    def _plain(self) -> str:
        if not self.agents and not self.tools:
            return "No agents yet. Define one: %%agent NAME, and its instructions below. See %%agent --help."
        rows = [_HEAD, *self._rows()] if self.agents else []
        lines = aligned(rows)
        if self.tools:
            lines.append("tools: " + ", ".join(signature(tool) for tool in self.tools.values()))
        return "\n".join(lines)


_HEAD = ("agent", "model", "tools", "handoffs", "instructions")


def signature(tool: FunctionTool) -> str:
    """Return how a tool is called, from its schema: `get_weather(city: str, days: int = 3)`."""
    required = tool.params_json_schema.get("required", ())
    parts = []
    for name, schema in _parameters(tool).items():
        part = f"{name}: {_type_name(schema)}"
        if "default" in schema:
            part += f" = {schema['default']!r}"
        elif name not in required:
            part += " = …"
        parts.append(part)
    return f"{tool.name}({', '.join(parts)})"


def _parameters(tool: FunctionTool) -> dict[str, Any]:
    parameters = tool.params_json_schema.get("properties")
    return parameters if isinstance(parameters, dict) else {}


def _type_name(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type_name(part) for part in schema["anyOf"]))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list[{_type_name(schema.get('items') or {})}]"
    if kind == "object" and "title" in schema:  # a model, written out
        return str(schema["title"])
    names = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict", "null": "None"}
    return names.get(kind, "any") if isinstance(kind, str) else "any"


def _agent_rows(agent: Agent[Any]) -> dict[str, list[str]]:
    from agentkit.models.output_schema import AgentOutputSchemaBase, type_name

    rows = {"model": [model_name(agent)], "tools": [_tool_name(tool) for tool in agent.tools]}
    rows["MCP servers"] = [str(getattr(server, "name", type(server).__name__)) for server in agent.mcp_servers]
    rows["handoffs"] = [_handoff_name(target) for target in agent.handoffs]
    rows["input checked by"] = [guard.get_name() for guard in agent.input_guardrails]
    rows["answer checked by"] = [guard.get_name() for guard in agent.output_guardrails]
    if agent.handoff_description:
        rows["handed to for"] = [agent.handoff_description]
    if agent.output_type is not None:
        kind = agent.output_type
        rows["answers with"] = [kind.name() if isinstance(kind, AgentOutputSchemaBase) else type_name(kind)]
    settings = set_fields(agent.model_settings)
    rows["settings"] = [f"{name}={brief(value)}" for name, value in settings.items() if not name.startswith("extra_")]
    return {name: values for name, values in rows.items() if any(values)}


def _tool_name(tool: Tool) -> str:
    stores = ", ".join(getattr(tool, "store_names", ()))
    return f"{tool.name} ({stores})" if stores else tool.name


def _handoff_name(target: Any) -> str:  # an Agent or a Handoff
    return str(getattr(target, "agent_name", None) or getattr(target, "name", target))


def _instructions(agent: Agent[Any]) -> str:
    if isinstance(agent.instructions, str):
        return agent.instructions.strip()
    return "" if agent.instructions is None else f"made by {getattr(agent.instructions, '__name__', 'a function')}()"


def _instructions_html(text: str) -> str:
    if not text:
        return ""
    if len(text) <= _FOLDED_FROM:
        return f'<div class="agk-p">{escape(text)}</div>'
    summary = f"<summary>{escape(one_line(text, 160))}</summary>"
    return f'<details class="agk-p">{summary}<div class="agk-p">{escape(text)}</div></details>'


def _rows_html(rows: Mapping[str, list[str]], *, code: bool = True) -> str:
    coded = {"model", "tools", "MCP servers", "handoffs", "settings", "answers with"} if code else set()
    shown = ""
    for name, values in rows.items():
        cells = " ".join(f"<code>{escape(v)}</code>" if name in coded else escape(v) for v in values)
        label = escape(name) if code else f"<code>{escape(name)}</code>"
        shown += f"<dt>{label}</dt><dd>{cells}</dd>"
    return f'<dl class="agk-k">{shown}</dl>' if shown else ""
