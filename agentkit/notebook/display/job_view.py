"""A fine-tuning job as it is shown: where it stands, its curves, its checkpoints and what happened last.

The same pieces make the live view, which replaces those that have changed, and what the notebook keeps. There are no
times in what is kept of a job that is over, and of ids only the job's own and its models'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentkit.notebook.display.curves import Plot, number_text, plot_svg, spark
from agentkit.notebook.display.job_words import (
    NAME_CHARS,
    checkpoint_rows,
    found_again,
    plots_of,
    settings_text,
    standing_text,
    state_of,
    title_of,
)
from agentkit.notebook.display.kept_digest import with_digest
from agentkit.notebook.display.listing import aligned
from agentkit.notebook.display.style import KEPT_STYLE, STYLE
from agentkit.notebook.display.text import clean, escape, one_line
from agentkit.notebook.display.tuning_style import TUNING_STYLE

if TYPE_CHECKING:
    from agentkit.finetuning.asking import JobEvent
    from agentkit.finetuning.snapshot import JobSnapshot
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["figure_html", "job_bundle", "job_pieces", "job_text"]

_ERROR_CHARS = 2_000
_EVENT_CHARS = 300
_LAST_EVENT_CHARS = 120
_EVENTS = 12
_SIGNS = {"warn": "! ", "error": "✗ "}


def job_pieces(job: JobSnapshot) -> dict[str, str]:
    """Return a job as safe HTML in pieces, by name, in the order in which they are shown; "" for what there isn't."""
    return {
        "state": _state_html(job),
        "bar": _bar_html(job),
        "model": _model_html(job),
        "error": _error_html(job),
        "plots": _plots_html(job),
        "checkpoints": _checkpoints_html(job),
        "events": _events_html(job),
    }


def _state_html(job: JobSnapshot) -> str:
    colour, word = state_of(job)
    return f'<span class="agk-h">{escape(title_of(job))}</span> <span class="agk-pill {colour}">{escape(word)}</span>'


def _bar_html(job: JobSnapshot) -> str:
    standing, settings = escape(standing_text(job)), settings_text(job)
    step, total = job.progress
    bar = ""
    if job.status != "succeeded" and (total or job.is_working):
        amount = f' value="{min(step, total)}" max="{total}"' if total else ""
        bar = f'<progress class="agk-bar"{amount} aria-label="{standing or "not begun yet"}"></progress>'
    told = f"<span>{standing}</span>" if standing else ""
    shown = f'<div class="agk-tb">{bar}{told}</div>' if bar or told else ""
    return shown + (f'<div class="agk-tn">{escape(settings)}</div>' if settings else "")


def _model_html(job: JobSnapshot) -> str:
    if not job.fine_tuned_model:
        return ""
    name = escape(one_line(job.fine_tuned_model, NAME_CHARS))
    return f'<div class="agk-tm"><span class="agk-d">model</span> <code>{name}</code></div>'


def _error_text(job: JobSnapshot) -> str:
    if job.error is None:
        return "it told no reason" if job.status == "failed" else ""
    code, message = one_line(job.error.code, 80), one_line(job.error.message, _ERROR_CHARS)
    return f"{message} ({code})" if message else code


def _error_html(job: JobSnapshot) -> str:
    text = _error_text(job)
    return f'<div class="agk-te"><span class="agk-no">✗</span> {escape(text)}</div>' if text else ""


def _plots_html(job: JobSnapshot) -> str:
    plots = plots_of(job)
    return f'<div class="agk-plots">{"".join(map(figure_html, plots))}</div>' if plots else ""


def figure_html(plot: Plot) -> str:
    """Return a plot with its curves' last values beneath; where drawings are dropped, they are lines of text there."""
    keys = []
    for curve in plot.curves:
        values = [value for _, value in curve.points()]
        if values:
            sign = "●" if curve.marked else "━"
            keys.append(
                f'<span class="agk-key"><span class="{curve.classes}" aria-hidden="true">{sign}</span> '
                f'{escape(curve.label)} <span class="agk-spark">{spark(values)}</span> '
                f"<strong>{number_text(values[-1], plot.unit)}</strong></span>"
            )
    told = f'<span class="agk-spark">{escape(plot.title)}: </span>{" ".join(keys)}'
    drawing = f'<span class="agk-drawn" style="display:none">{plot_svg(plot)}</span>'
    return f'<figure class="agk-fig">{drawing}<figcaption class="agk-keys">{told}</figcaption></figure>'


def _checkpoints_html(job: JobSnapshot) -> str:
    if not job.checkpoints:
        return ""
    head, rows = checkpoint_rows(job)
    cells = "".join(f"<th>{escape(word)}</th>" for word in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(word)}</td>' for word in row[:-1])}<td><code>{escape(row[-1])}</code></td></tr>"
        for row in rows
    )
    return (
        f'<div class="agk-w"><table class="agk-tt"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _events_html(job: JobSnapshot) -> str:
    events = _told_events(job)
    if not events:
        return ""
    shown = "".join(
        f'<li class="{_event_class(event)}">{_SIGNS.get(event.level, "")}'
        f"{escape(one_line(event.message, _EVENT_CHARS))}</li>"
        for event in reversed(events)
    )
    last = f"{_SIGNS.get(events[-1].level, '')}{one_line(events[-1].message, _LAST_EVENT_CHARS)}"
    summary = f'<summary>what happened <span class="agk-d">· {escape(last)}</span></summary>'
    return f'<details class="agk-tr">{summary}<ul class="agk-tv">{shown}</ul></details>'


def _told_events(job: JobSnapshot) -> list[JobEvent]:
    """Return the last events that aren't in the curves already."""
    return [event for event in job.events if event.type != "metrics" or event.level != "info"][-_EVENTS:]


def _event_class(event: JobEvent) -> str:
    return {"warn": "agk-wait", "error": "agk-no"}.get(event.level, "agk-d")


# -- what is kept -----------------------------------------------------------------------------------------------------


def job_bundle(job: JobSnapshot, note: str = "", *, beneath: bool = False) -> Bundle:
    """Return a job as the notebook keeps it.

    Args:
        job: The job as it is now.
        note: What to say beneath, such as that the cell was interrupted.
        beneath: Whether its live view is the next output of the cell.
    """
    pieces = job_pieces(job)
    shown = f'<div class="agk-th">{pieces.pop("state")}</div>{"".join(pieces.values())}'
    foot = "".join(f'<div class="agk-f">{_coded(line)}</div>' for line in _foot(job, note))
    style = f"{STYLE}{TUNING_STYLE}{KEPT_STYLE if beneath else ''}"
    html = f'<div class="agk agk-tune{" agk-kept" if beneath else ""}">{style}{shown}{foot}</div>'
    return with_digest({"text/html": html, "text/plain": job_text(job, note)})


def _foot(job: JobSnapshot, note: str) -> list[str]:
    again = found_again(job)
    if not again:
        return [note] if note else []
    state = "It waits to be resumed" if job.status == "paused" else "It goes on without this notebook"
    return [*([note] if note else []), f"{state}: {again} shows it as it is by then."]


def _coded(line: str) -> str:
    """Return a line of the foot, with what can be typed as code."""
    before, magic, rest = line.partition("%finetune ")
    if not magic:
        return escape(line)
    typed, shows, after = rest.partition(" shows ")
    return f"{escape(before)}<code>{escape(magic + typed)}</code>{escape(shows + after)}"


def job_text(job: JobSnapshot, note: str = "") -> str:
    """Return a job for a terminal, and for who reads the notebook's file."""
    lines = [f"{title_of(job)} · {state_of(job)[1]} · {one_line(job.id, 80)}"]
    lines += [f"  {line}" for line in (standing_text(job), settings_text(job)) if line]
    if job.fine_tuned_model:
        lines.append(f"  model {one_line(job.fine_tuned_model, NAME_CHARS)}")
    if error := _error_text(job):
        lines.append(f"  ✗ {error}")
    rows = []
    for plot in plots_of(job):
        for curve in plot.curves:
            values = [value for _, value in curve.points()]
            if values:
                first, last = (number_text(each, plot.unit) for each in (values[0], values[-1]))
                rows.append((plot.title, curve.label, first, "→", last, spark(values)))
    lines += [f"  {line}" for line in aligned(rows)]
    if job.checkpoints:
        head, table = checkpoint_rows(job)
        lines += [f"  {line}" for line in aligned([head, *table])]
    return clean("\n".join([*lines, *_foot(job, note)]))
