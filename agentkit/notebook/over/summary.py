"""What is kept of a batch in the notebook: the first rows with their answers, what went wrong, what it took.

The same for a batch shown live and for one that wasn't, and for one that found all rows done: no times, no ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.notebook.display.listing import aligned
from agentkit.notebook.display.run_view import Bundle
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line
from agentkit.notebook.display.transcript import model_name
from agentkit.notebook.settings import settings

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.runtime.batch import Batch

__all__ = ["summary_bundle", "summary_line"]

_ALL_ROWS, _FIRST_ROWS = 12, 10
_INPUT_COLUMNS, _ANSWER_COLUMNS = 6, 10
_HTML_CHARS, _PLAIN_CHARS = 120, 40
_ERRORS, _LABELS = 5, 5
_WORDS = {
    "ok": "with an answer",
    "failed": "failed",
    "waiting": "waiting for approval",
    "skipped": "skipped",
    "cancelled": "stopped",
}


def summary_bundle(batch: Batch, frame: pd.DataFrame, note: str | None = None) -> Bundle:
    """Return a batch that is over as HTML and as plain text.

    Args:
        batch: The batch.
        frame: Its dataframe.
        note: What to say of one that was stopped or failed.
    """
    shown, more = _preview(batch, frame)
    errors = _errors(batch, frame)
    line, advice = summary_line(batch), _advice(batch)
    return {
        "text/html": _html(shown, more, errors, [text for text in (note, advice) if text], line),
        "text/plain": clean("\n".join(_plain(shown, more, errors, [text for text in (note, advice) if text], line))),
    }


def summary_line(batch: Batch, note: str | None = None) -> str:
    """Return in one line who was asked, what came of it and what it took."""
    progress = batch.progress
    counts = frame_counts(batch)
    rows = f"{progress.rows:,} row{'' if progress.rows == 1 else 's'}"
    said = ", ".join(f"{count:,} {_WORDS[status]}" for status, count in counts.items() if count)
    asked = batch.config.model if batch.config.model is not None else None
    model = asked if isinstance(asked, str) else getattr(asked, "model", None) or model_name(batch.agent)
    parts = [batch.agent.name, str(model), rows if counts["ok"] == progress.rows else f"{rows}: {said}"]
    if progress.input_tokens or progress.output_tokens:
        parts.append(f"{progress.input_tokens:,} + {progress.output_tokens:,} tokens")
    if progress.cost_usd and settings().show_cost:
        parts.append(f"${progress.cost_usd:.4f}" if progress.cost_usd >= 0.00005 else "under $0.0001")
    line = clean(" · ".join(parts))
    return f"{line}\n■ {clean(note)}" if note else line


def frame_counts(batch: Batch) -> dict[str, int]:
    """Return how many rows have ended in each way; those that weren't begun are stopped."""
    counts = dict.fromkeys(_WORDS, 0)
    for outcome in batch.outcomes:
        counts["cancelled" if outcome is None else outcome.status] += 1
    return counts


def _preview(batch: Batch, frame: pd.DataFrame) -> tuple[list[list[str]], str]:
    """Return the first rows as texts, the names of the columns above them, and what is left out."""
    about: dict[str, str] = frame.attrs["batch"]["columns"]
    given = len(batch.frame.columns)
    answers = [at for at in range(given, len(frame.columns)) if frame.columns[at] not in about.values()]
    columns = [*range(min(given, _INPUT_COLUMNS)), *answers[:_ANSWER_COLUMNS]]
    if frame_counts(batch)["ok"] < len(frame):
        columns.append(list(frame.columns).index(about["status"]))
    count = len(frame) if len(frame) <= _ALL_ROWS else _FIRST_ROWS
    head = frame.iloc[:count]
    cells = [[_text(value) for value in head.iloc[:, at].tolist()] for at in columns]
    labels = [_text(label) for label in head.index.tolist()]
    rows = [[str(frame.index.name or ""), *(str(frame.columns[at]) for at in columns)]]
    rows += [list(row) for row in zip(labels, *cells, strict=True)]
    left_out = []
    if count < len(frame):
        left_out.append(f"{len(frame) - count:,} more rows")
    if hidden := max(given - _INPUT_COLUMNS, 0) + max(len(answers) - _ANSWER_COLUMNS, 0):
        left_out.append(f"{hidden} more column{'' if hidden == 1 else 's'}")
    return rows, f"… {' and '.join(left_out)}" if left_out else ""


def _text(value: Any) -> str:
    """Return a cell as text; what is missing as nothing."""
    from agentkit.runtime.batch.prompts import is_missing

    if is_missing(value):
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and value and all(isinstance(entry, str) for entry in value):
        return ", ".join(value)
    if isinstance(value, (list, dict)):
        try:
            return _json.dumps(value).decode()
        except TypeError:
            return str(value)
    return str(value)


def _errors(batch: Batch, frame: pd.DataFrame) -> list[str]:
    """Return why rows have no answer, each reason once, with the rows that it is true of."""
    labels: dict[str, list[str]] = {}
    for label, outcome in zip(frame.index.tolist(), batch.outcomes, strict=True):
        if outcome is not None and outcome.error and outcome.status != "cancelled":
            labels.setdefault(outcome.error, []).append(_text(label))
    lines = []
    for error, rows in list(labels.items())[:_ERRORS]:
        named = ", ".join(rows[:_LABELS]) + (f" and {len(rows) - _LABELS:,} more" if len(rows) > _LABELS else "")
        lines.append(f"Row{'' if len(rows) == 1 else 's'} {named}: {one_line(clean(error), 300)}")
    if len(labels) > _ERRORS:
        lines.append(f"{len(labels) - _ERRORS:,} more kinds of errors: see the error column.")
    return lines


def _advice(batch: Batch) -> str:
    if not frame_counts(batch)["waiting"]:
        return ""
    return 'To let these calls run: %config AgentKit.approve = "approve", and run the cell again.'


def _html(shown: list[list[str]], more: str, errors: list[str], notes: list[str], line: str) -> str:
    head = "".join(f"<th>{escape(one_line(clean(name), _PLAIN_CHARS))}</th>" for name in shown[0])
    body = "".join(
        f"<tr><th>{escape(one_line(clean(row[0]), _PLAIN_CHARS))}</th>"
        + "".join(f"<td>{escape(one_line(clean(text), _HTML_CHARS))}</td>" for text in row[1:])
        + "</tr>"
        for row in shown[1:]
    )
    table = f'<div class="agk-w"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    parts = [f'<div class="agk">{STYLE}{table}']
    parts += [f'<div class="agk-f">{escape(more)}</div>'] if more else []
    parts += [f'<div class="agk-f"><span class="agk-no">✗</span> {escape(error)}</div>' for error in errors]
    parts += [f'<div class="agk-f"><span class="agk-no">■</span> {escape(note)}</div>' for note in notes]
    return "".join([*parts, f'<div class="agk-f">{escape(line)}</div></div>'])


def _plain(shown: list[list[str]], more: str, errors: list[str], notes: list[str], line: str) -> list[str]:
    lines = [text.rstrip() for text in aligned([[one_line(clean(t), _PLAIN_CHARS) for t in row] for row in shown])]
    lines += [more] if more else []
    lines += [f"✗ {error}" for error in errors]
    lines += [f"[{note}]" for note in notes]
    return [*lines, line]
