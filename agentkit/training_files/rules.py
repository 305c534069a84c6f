"""What OpenAI's platform asks of training data, line by line.

Sources: the guides to supervised fine-tuning, vision fine-tuning and direct preference optimization, and the request
schemas of the API's description (FineTuneChatRequestInput, FineTunePreferenceRequestInput).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentkit.training_files.message_rules import ends_with_answer, ends_with_question, problems_in_messages
from agentkit.training_files.problems import JSON, LINE_RULES, Problem, broken, described

__all__ = ["LINE_RULES", "MAX_FILE_BYTES", "MAX_WITH_IMAGES", "MIN_EXAMPLES", "Problem", "problems_in"]

MIN_EXAMPLES = 10
"""Examples that a training file has at least."""
MAX_FILE_BYTES = 512_000_000
"""Bytes that it has at most; more go through the Uploads API."""
MAX_WITH_IMAGES = 50_000
"""Examples with images that it has at most."""

_MAX_TOOLS = 128
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_SETTINGS = ("tools", "parallel_tool_calls")
_OUTPUT_KEYS = {"role", "content", "name", "weight", "refusal", "tool_calls"}
_MEANT = {
    "preferred_completion": "It is called preferred_output.",
    "non_preferred_completion": "It is called non_preferred_output.",
    "chosen": "It is called preferred_output.",
    "rejected": "It is called non_preferred_output.",
    "prompt": 'Prompt and completion are messages now: {"messages": [{"role": "user", …}, {"role": "assistant", …}]}.',
    "completion": "It is the last message, of the role assistant.",
    "conversations": 'It is called messages; each has "role" and "content".',
}
"""What those meant who wrote a field of an older or another format."""


def problems_in(kind: str, line: JSON) -> Iterator[Problem]:
    """Yield what is wrong with a line of a data set.

    Args:
        kind: "sft", "preferences" or "evals".
        line: The line.
    """
    if not isinstance(line, dict):
        yield broken("object", "", f"is {described(line)}", "A line is an object.")
    elif kind == "sft":
        yield from _keys(line, ("messages", *_SETTINGS), "", "functions")
        yield from _settings(line, "")
        yield from problems_in_messages(line, "messages")
        yield from ends_with_answer(line)
    elif kind == "preferences":
        yield from _preference(line)
    else:
        yield from _settings(line, "")
        yield from problems_in_messages(line, "messages")
        yield from ends_with_question(line.get("messages"), "messages")
        if line.get("expected") is None and line.get("rejected") is None:
            yield broken(
                "expected", "expected", "is missing, as is rejected", "Say what a good answer is, or a bad one."
            )


def _preference(line: dict[str, JSON]) -> Iterator[Problem]:
    outputs = ("preferred_output", "non_preferred_output")
    yield from _keys(line, ("input", *outputs), "")
    given = line.get("input")
    if isinstance(given, dict):
        yield from _keys(given, ("messages", *_SETTINGS), "input.")
        yield from _settings(given, "input.")
        yield from problems_in_messages(given, "input.messages", text_only=True)
        yield from ends_with_question(given.get("messages"), "input.messages")
    else:
        yield broken("pair", "input", f"is {described(given)}", "It is an object with messages.")
    for name in outputs:
        output = line.get(name)
        if not isinstance(output, list) or len(output) != 1 or not isinstance(output[0], dict):
            yield broken("pair", name, f"is {described(output)}", "It is a list of one assistant message.")
        elif output[0].get("role") != "assistant":
            yield broken("role", f"{name}[0].role", f"is {output[0].get('role')!r}", 'It is "assistant".')
        elif not isinstance(output[0].get("content"), str) or not output[0]["content"]:
            yield broken("content", f"{name}[0].content", f"is {described(output[0].get('content'))}", "It is a text.")
        elif "tool_calls" in output[0]:
            yield broken("pair", f"{name}[0].tool_calls", "is there", "Pairs are of texts: take a pair without calls.")
        else:
            for key in output[0].keys() - _OUTPUT_KEYS:
                yield broken("unknown-field", f"{name}[0].{key:.60}", "isn't a field of an answer", "Take it out.")
    if line.get(outputs[0]) == line.get(outputs[1]):
        yield broken(
            "same-answers", outputs[1], "is the same as preferred_output", "Take the line out: it teaches nothing."
        )


def _keys(line: dict[str, JSON], known: tuple[str, ...], before: str, *older: str) -> Iterator[Problem]:
    for key in line:
        if key not in known and key not in older:
            remedy = _MEANT.get(key, f"It has {', '.join(known)}.")
            yield broken("unknown-field", f"{before}{key:.60}", "isn't a field of the format", remedy)


def _settings(line: dict[str, JSON], before: str) -> Iterator[Problem]:
    parallel = line.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        yield broken(
            "parallel-tool-calls", f"{before}parallel_tool_calls", f"is {described(parallel)}", "It is true or false."
        )
    if (functions := line.get("functions")) is not None:
        yield from _functions(functions, before)
    tools = line.get("tools")
    if tools is None:
        return
    if not isinstance(tools, list) or not 1 <= len(tools) <= _MAX_TOOLS:
        yield broken("tools", f"{before}tools", f"is {described(tools)}", f"It is a list of 1 to {_MAX_TOOLS} tools.")
        return
    names: set[str] = set()
    for index, tool in enumerate(tools):
        where = f"{before}tools[{index}]"
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            yield broken("tools", where, "is no function", 'It is {"type": "function", "function": {…}}.')
        elif not isinstance(function.get("name"), str) or not _NAME.match(function["name"]):
            yield broken("tools", f"{where}.function.name", f"is {function.get('name')!r:.60}", _NAME_RULE)
        elif not isinstance(function.get("parameters", {}), dict):
            problem = f"is {described(function['parameters'])}"
            yield broken("tools", f"{where}.function.parameters", problem, "It is a JSON schema.")
        elif function["name"] in names:
            yield broken("tool-twice", f"{where}.function.name", f"{function['name']!r} is there twice", _ONCE)
        else:
            names.add(function["name"])


def _functions(functions: JSON, before: str) -> Iterator[Problem]:
    """Yield what is wrong with functions as they were listed before there were tools."""
    yield broken("deprecated", f"{before}functions", "is what tools were called", "List them in tools.", "warning")
    if not isinstance(functions, list) or not 1 <= len(functions) <= _MAX_TOOLS:
        remedy = f"It is a list of 1 to {_MAX_TOOLS} functions."
        yield broken("tools", f"{before}functions", f"is {described(functions)}", remedy)
        return
    for index, function in enumerate(functions):
        name = _dict(function).get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            yield broken("tools", f"{before}functions[{index}].name", f"is {name!r:.60}", _NAME_RULE)


_NAME_RULE = "A name has 1 to 64 letters, digits, _ and -."
_ONCE = "Give each tool a name of its own."


def _dict(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}
