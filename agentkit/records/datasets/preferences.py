"""Pairs: a liked and a disliked answer to one prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agentkit.records.datasets.examples import Example, Row
from agentkit.records.datasets.left_out import LeftOutError, Skipped
from agentkit.records.datasets.messages import has_images

__all__ = ["pairs_of"]

Message = dict[str, Any]


def pairs_of(examples: list[Example]) -> Iterator[Row | Skipped]:
    """Yield pairs, and the traces that are in none.

    Answers are paired in their order; where there are more liked ones than disliked ones, or the other way round, those
    of which there are fewer are used again, so that each answer is in a pair.

    Args:
        examples: Of runs that were rated.
    """
    by_prompt: dict[bytes, tuple[list[Example], list[Example]]] = {}
    for example in examples:
        liked, disliked = by_prompt.setdefault(example.prompt, ([], []))
        (liked if example.source.rating == "up" else disliked).append(example)
    used: set[str] = set()
    why: dict[str, Skipped] = {}
    for liked, disliked in by_prompt.values():
        for good, bad in _matched(liked, disliked):
            both = (good, bad)
            try:
                yield Row(_pair(good, bad), good, bad)
                used |= {each.part.trace.trace_id for each in both}
            except LeftOutError as left_out:
                for each in both:
                    why[each.part.trace.trace_id] = _skipped(each, left_out)
        for alone in (liked, disliked) if not (liked and disliked) else ():
            for each in alone:
                why.setdefault(each.part.trace.trace_id, _skipped(each, _alone(each)))
    yield from (skipped for trace_id, skipped in why.items() if trace_id not in used)


def _matched(liked: list[Example], disliked: list[Example]) -> Iterator[tuple[Example, Example]]:
    if liked and disliked:
        for index in range(max(len(liked), len(disliked))):
            yield liked[index % len(liked)], disliked[index % len(disliked)]


def _pair(good: Example, bad: Example) -> dict[str, Any]:
    """Return the line of a pair: all that both have in common, and the first answers that differ."""
    common = 0
    while common < min(len(good.own), len(bad.own)) and good.own[common] == bad.own[common]:
        common += 1
    if common == len(good.own) == len(bad.own):
        raise LeftOutError("same answer", "The liked and the disliked answer are the same.")
    ends = [example.own[common] if common < len(example.own) else None for example in (good, bad)]
    if any(end is None or end["role"] != "assistant" for end in ends):
        raise LeftOutError("other tool results", "What tools gave back differs, so that it isn't one prompt any more.")
    if any("tool_calls" in end for end in ends if end):
        raise LeftOutError("other tool calls", "The first difference is in which tool is called, and pairs are texts.")
    before = [*good.told, *good.own[:common]]
    if has_images(before):
        raise LeftOutError("images", "It has images, and pairs are texts.")
    return {
        "input": {"messages": before, **good.settings},
        "preferred_output": [ends[0]],
        "non_preferred_output": [ends[1]],
    }


def _alone(example: Example) -> LeftOutError:
    other = "down" if example.source.rating == "up" else "up"
    return LeftOutError("no counterpart", f"No answer to the same prompt was rated {other}.")


def _skipped(example: Example, why: LeftOutError) -> Skipped:
    return Skipped(example.part.trace.trace_id, example.part.agent, why.reason, why.detail)
