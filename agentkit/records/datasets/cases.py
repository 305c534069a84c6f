"""Cases for evaluations: what was asked, and what is known of good and bad answers to it."""

from __future__ import annotations

from typing import Any

from agentkit import _json
from agentkit.records.datasets.cleaning import Cleaner
from agentkit.records.datasets.examples import Example, Row
from agentkit.records.datasets.left_out import LeftOutError
from agentkit.records.datasets.messages import numbered, said_text

__all__ = ["case_of", "merged"]

JSON = Any  # a value of JSON


def case_of(run: list[Example], cleaner: Cleaner, *, only: bool) -> Row:
    """Return the case that a run makes.

    Args:
        run: The examples of its agents' parts in order, without those of agents used as tools.
        cleaner: Cleans texts.
        only: Whether it is the only run of its trace, so that what came out of that is its answer.

    Raises:
        LeftOutError: It has no answer that could be compared.
    """
    first, last = run[0], run[-1]
    answer = said_text(last.own[-1])
    if answer is None:  # as where a tool's output is the answer
        output = first.source.trace.output if only else None
        if output is None:
            raise LeftOutError("no answer", "The run ended without an answer.")
        answer = cleaner.text(output if isinstance(output, str) else _json.dumps(output).decode())
    liked = first.source.rating != "down"
    return Row(
        {
            "messages": first.told,
            **first.settings,
            "input": _input(first, cleaner),
            "expected": answer if liked else None,
            "rejected": None if liked else answer,
            "tool_calls": [call for example in run for call in _calls(example)],
            "agent": first.part.agent,
            "answered_by": last.part.agent,
            "remark": first.source.remark and cleaner.text(first.source.remark),
            "trace_id": first.part.trace.trace_id,
        },
        first,
    )


def merged(rows: list[Row]) -> list[tuple[Row, list[Row]]]:
    """Return one case for each prompt, and those that went into it: a good answer and a bad one are one case.

    Of several good answers the first is kept, one that was rated before one that wasn't; and so of bad ones.
    """
    by_prompt: dict[bytes, list[Row]] = {}
    for row in rows:
        by_prompt.setdefault(row.example.prompt, []).append(row)
    found = []
    for same in by_prompt.values():
        answered = [row for row in same if row.line["expected"] is not None]
        good = next((row for row in answered if row.example.source.rating == "up"), None) or next(iter(answered), None)
        bad = next((row for row in same if row.line["rejected"] is not None), None)
        kept = good or same[0]
        rejected = None if bad is None else bad.line["rejected"]
        remark = kept.line["remark"] or (bad and bad.line["remark"])
        line = kept.line | {"rejected": rejected, "remark": remark or None}
        found.append((Row(line, kept.example, bad.example if bad and bad is not kept else None), same))
    return found


def _input(example: Example, cleaner: Cleaner) -> JSON:
    """Return what to run an agent on once more: text, or items in the shape of the Responses API."""
    items = numbered(example.part.items[: example.part.own_from])
    only = items[0] if len(items) == 1 else {}
    if only.get("role") == "user" and isinstance(only.get("content"), str):
        return cleaner.text(only["content"])
    return [{key: value for key, value in cleaner.item(item).items() if key not in ("id", "status")} for item in items]


def _calls(example: Example) -> list[JSON]:
    return [
        {"name": call["function"]["name"], "arguments": _value(call["function"]["arguments"])}
        for message in example.own
        for call in message.get("tool_calls", ())
    ]


def _value(arguments: str) -> JSON:
    try:
        return _json.loads(arguments)
    except ValueError:
        return arguments
