"""Two traces beside each other: which steps they share, and in what these differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.records.amounts import dollars, seconds
from agentkit.records.call import RecordedCall
from agentkit.records.matching import StepDiff, matched_steps
from agentkit.records.replay import answer_lines, line_diff
from agentkit.records.span import RecordedSpan
from agentkit.tracing.columns import Columns, dataframe

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.records.opened import RecordedTrace

__all__ = ["TraceDiff", "compare", "step_line"]

_SIGNS: dict[str, str] = {"same": " ", "changed": "~", "removed": "-", "added": "+"}
_LONGEST = 96
"""Letters of a value that are shown."""
_COLUMNS = {
    "change": "category", "differs": "string", "depth": "Int64", "kind": "category", "name": "string",
    "agent": "string", "span_id_before": "string", "span_id_after": "string", "duration_s_before": "Float64",
    "duration_s_after": "Float64", "tokens_before": "Int64", "tokens_after": "Int64", "cost_usd_before": "Float64",
    "cost_usd_after": "Float64",
}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class TraceDiff:
    """In what two traces differ."""

    before: RecordedTrace
    """The first."""
    after: RecordedTrace
    """The second."""
    steps: list[StepDiff]
    """All steps of both, in tree order."""

    @property
    def changed(self) -> list[StepDiff]:
        """The steps that aren't the same in both."""
        return [step for step in self.steps if step.change != "same"]

    @property
    def answer(self) -> str:
        """How the answers differ, line by line: "-" in the first, "+" in the second. "" where they are the same."""
        before, after = _answer_lines(self.before.output), _answer_lines(self.after.output)
        return "\n".join(line_diff(before, after))

    @property
    def is_same(self) -> bool:
        """Whether both took the same steps to the same answer."""
        return not self.changed and not self.answer

    def totals(self) -> dict[str, tuple[Any, Any]]:
        """Return what the traces came to, each as (first, second): status, seconds, calls, tokens, dollars."""
        pair = (self.before, self.after)
        names = ("status", "duration_s", "turns", "tool_calls", "handoffs", "input_tokens", "output_tokens", "cost_usd")
        return {name: (getattr(pair[0], name), getattr(pair[1], name)) for name in names}

    def frame(self) -> pd.DataFrame:
        """Return one row a step, in tree order.

        Returns:
            A dataframe with `change`, `differs` (comma-separated), `depth`, `kind`, `name`, `agent`, and of each trace
            `span_id`, `duration_s`, `tokens` and `cost_usd`, with `_before` and `_after` behind the name.
        """
        columns: Columns = {
            "change": [step.change for step in self.steps],
            "differs": [", ".join(step.differs) for step in self.steps],
            "depth": [step.depth for step in self.steps],
            "kind": [step.step.kind for step in self.steps],
            "name": [step.step.name or step.step.model for step in self.steps],
            "agent": [step.step.agent for step in self.steps],
        }
        for which in ("before", "after"):
            spans: list[RecordedSpan | None] = [getattr(step, which) for step in self.steps]
            columns[f"tokens_{which}"] = [None if span is None else _tokens(span) for span in spans]
            for name in ("span_id", "duration_s", "cost_usd"):
                columns[f"{name}_{which}"] = [getattr(span, name, None) for span in spans]
        return dataframe(_COLUMNS, columns)

    @property
    def told(self) -> list[StepDiff]:
        """The steps that aren't the same in both, and those that they are part of."""
        above = _above(self.changed)
        return [step for step in self.steps if step.change != "same" or step.step.span_id in above]

    def sums(self) -> Iterator[str]:
        """Yield in what the traces' totals differ, a line each; the times always, as they nearly always do."""
        for name, pair in self.totals().items():
            before, after = (_number(name, value) for value in pair)
            if before != after or name == "duration_s":
                yield f"{_WORDS[name]}: {before} → {after}"

    def lines(self) -> Iterator[str]:
        """Yield the comparison as lines for a person: what it came to, the steps, the answers."""
        if self.is_same:
            yield f"The same {len(self.steps)} steps, the same answer."
        yield from self.sums()
        if self.changed:
            yield ""
        for step in self.told:
            yield step_line(step)
        same = sum(step.change == "same" for step in self.steps)
        if self.changed and same:
            yield f"  ({same} step{'' if same == 1 else 's'} the same)"
        if self.answer:
            yield from ("", "Answer", *self.answer.splitlines())

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        counts = {name: sum(step.change == name for step in self.steps) for name in _SIGNS}
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"{type(self).__name__}({told or 'no steps'}; {'another answer' if self.answer else 'the same answer'})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # IPython's
        printer.text(repr(self) if cycle else str(self))


def compare(before: RecordedTrace, after: RecordedTrace) -> TraceDiff:
    """Return in what two traces differ; `matched_steps` tells how their steps are matched."""
    return TraceDiff(before, after, list(matched_steps(before.roots, after.roots)))


def _above(steps: list[StepDiff]) -> set[str]:
    """Return the ids of the steps that others are part of, in either trace."""
    spans = [span for step in steps for span in (step.before, step.after) if span is not None]
    return {above.span_id for span in spans for above in span.above()}


_WORDS = {
    "status": "Status", "duration_s": "Time", "turns": "Model calls", "tool_calls": "Tool calls",
    "handoffs": "Handoffs", "input_tokens": "Tokens sent", "output_tokens": "Tokens received", "cost_usd": "Cost",
}  # fmt: skip


def _number(name: str, value: Any) -> str:
    if value is None:
        return "unknown"
    if name == "duration_s":
        return seconds(value)
    if name == "cost_usd":
        return dollars(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def step_line(step: StepDiff) -> str:
    """Return a step and in what it differs, in a line."""
    span = step.step
    kind = "model call" if isinstance(span, RecordedCall) else {"function": "tool"}.get(span.kind, span.kind)
    line = f"{_SIGNS[step.change]} {'  ' * step.depth}{kind} {span.title}"
    told = [_changed(name, step) for name in step.differs] or _alone(step)
    return f"{line}: {'; '.join(told)}" if told else line


def _alone(step: StepDiff) -> list[str]:
    """Return what a step was that only one trace has; nothing for one that both have."""
    if step.before is not None and step.after is not None:
        return []
    span = step.step
    names = ["answer"] if isinstance(span, RecordedCall) else ["arguments"] if span.kind == "function" else []
    names += ["error"] if span.error_text else []
    values = [(name, _short(name, span)) for name in names]
    return [f"{name} {value}" for name, value in values if value]


def _changed(name: str, step: StepDiff) -> str:
    old, new = step.before, step.after
    if old is None or new is None or name in ("request", "data"):
        return name
    values = [_short(name, span) for span in (old, new)]
    return f"{name} {values[0]} → {values[1]}" if all(values) else name


def _short(name: str, span: RecordedSpan) -> str:
    if name == "arguments":
        return "" if span.input is None else _line(span.input)
    if name == "answer":
        return _line(" / ".join(answer_lines(span.output)))
    return _line({"output": span.output, "error": span.error_text or "none"}.get(name, getattr(span, name, "")))


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else _json.dumps(value).decode()
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _tokens(span: RecordedSpan) -> int | None:
    if span.input_tokens is None and span.output_tokens is None:
        return None
    return (span.input_tokens or 0) + (span.output_tokens or 0)


def _answer_lines(output: Any) -> list[str]:
    if output is None:
        return []
    if isinstance(output, str):
        return output.splitlines()
    import json

    return json.dumps(output, indent=2, ensure_ascii=False).splitlines()
