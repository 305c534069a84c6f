"""Several fine-tuning jobs: as a list, and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.curves import Curve, Plot, number_text
from agentkit.notebook.display.job_view import figure_html
from agentkit.notebook.display.job_words import MEASURED, NAME_CHARS, curve_of
from agentkit.notebook.display.listing import Listing
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import escape, one_line
from agentkit.notebook.display.tuning_style import TUNING_STYLE

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.finetuning.snapshot import JobSnapshot
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["compared_bundle", "jobs_listing"]

_JOBS = 40
_PLOTS = 4
_MARKED_POINTS = 30


def jobs_listing(frame: pd.DataFrame, variables: Mapping[str, str]) -> Listing:
    """Return the jobs of a platform, newest first.

    Args:
        frame: What `agentkit.finetuning_jobs()` returns.
        variables: The variables that hold some of them, by their ids.
    """
    if not len(frame):
        return Listing("No fine-tuning jobs yet.", [], note="Start one: %finetune start DATA.")
    rows = []
    for _, row in frame.head(_JOBS).iterrows():
        said = {name: "" if _missing(row[name]) else str(row[name]) for name in frame.columns}
        model = said["fine_tuned_model"] or said["error"]
        rows.append(
            [
                one_line(said["id"], 80),
                variables.get(said["id"], ""),
                one_line(said["status"].replace("_", " "), 40),
                one_line(f"{said['method'].upper()} of {said['model']}", NAME_CHARS),
                one_line(said["suffix"], 64),
                one_line(model, NAME_CHARS),
            ]
        )
    head = ["job", "variable", "status", "what", "suffix", "model, or error"]
    kept = [place for place in range(len(head)) if place not in (1, 4) or any(row[place] for row in rows)]
    hidden = len(frame) - len(rows)
    note = f"… {hidden:,} more: agentkit.finetuning_jobs() has all" if hidden else ""
    count = f"{len(frame):,} fine-tuning job{'' if len(frame) == 1 else 's'}"
    shown = [[row[place] for place in kept] for row in rows]
    return Listing(count, shown, [head[place] for place in kept], frozenset({0, len(kept) - 1}), note=note)


def _missing(value: Any) -> bool:  # a cell of a dataframe
    import pandas as pd

    return value is None or value is pd.NaT or bool(pd.isna(value))


# -- compared ---------------------------------------------------------------------------------------------------------


def compared_bundle(jobs: Sequence[tuple[str, JobSnapshot]]) -> Bundle:
    """Return several jobs side by side: a plot of each metric with their curves, and a table of where they came to.

    Args:
        jobs: What each is called, and the job.
    """
    plots = []
    for measured in MEASURED:
        for what, names in (("training", measured.training), ("validation", measured.validation)):
            curves = _curves(jobs, names)
            if len(curves) > 1 or (curves and what == "training"):
                plots.append(Plot(f"{measured.title}, {what}", curves, measured.unit))
    count = f"{len(jobs):,} fine-tuning job{'' if len(jobs) == 1 else 's'} compared"
    head, rows = _compared_rows(jobs)
    table = Listing(count, rows, head, frozenset({len(head) - 1}))
    figures = "".join(map(figure_html, plots[:_PLOTS]))
    style = f"{STYLE}{TUNING_STYLE}"
    cells = "".join(f"<th>{escape(word)}</th>" for word in head)
    body = "".join(
        f'<tr><td><span class="{_colour(place)}" aria-hidden="true">━</span> {escape(row[0])}</td>'
        f"{''.join(f'<td>{escape(word)}</td>' for word in row[1:-1])}<td><code>{escape(row[-1])}</code></td></tr>"
        for place, row in enumerate(rows)
    )
    html = (
        f'<div class="agk agk-tune">{style}<div class="agk-h">{escape(count)}</div>'
        f'<div class="agk-plots">{figures}</div><div class="agk-w"><table class="agk-tt">'
        f"<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )
    return {"text/html": html, "text/plain": table.plain()}


def _curves(jobs: Sequence[tuple[str, JobSnapshot]], names: Sequence[str]) -> list[Curve]:
    """Return the curve of each job that has the metric, in the job's colour."""
    found = [(place, label, curve_of(job, names)) for place, (label, job) in enumerate(jobs)]
    return [
        Curve(one_line(label, 64), *points, colour=place + 1, marked=len(points[0]) <= _MARKED_POINTS)
        for place, label, points in found
        if points is not None
    ]


def _colour(place: int) -> str:
    return Curve("", (), (), colour=place + 1).classes


def _compared_rows(jobs: Sequence[tuple[str, JobSnapshot]]) -> tuple[list[str], list[list[str]]]:
    told = []
    for label, job in jobs:
        values = [
            number_text(points[1][-1] if (points := curve_of(job, names)) is not None else None, measured.unit)
            for measured in MEASURED
            for names in (measured.training, measured.validation)
        ]
        epochs = job.hyperparameters.get("n_epochs")
        told.append(
            [
                one_line(label, 64),
                one_line(job.status.replace("_", " "), 40),
                "" if epochs is None else one_line(str(epochs), 12),
                f"{job.progress.step:,}",
                *values,
                one_line(job.fine_tuned_model or "", NAME_CHARS),
            ]
        )
    names = [f"{measured.title}, {what}" for measured in MEASURED for what in ("training", "validation")]
    head = ["job", "status", "epochs", "steps", *names, "model"]
    kept = [place for place in range(len(head)) if place < 4 or any(row[place] for row in told)]
    if kept[-1] != len(head) - 1:  # the last column has the models, there or not
        kept.append(len(head) - 1)
    return [head[place] for place in kept], [[row[place] for place in kept] for row in told]
