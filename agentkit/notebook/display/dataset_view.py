"""Data sets for fine-tuning: how many examples, how long they are, what they answer, and how they read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.listing import Listing, aligned
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line
from agentkit.notebook.display.tuning_style import TUNING_STYLE

if TYPE_CHECKING:
    from agentkit.finetuning.costs import Estimate
    from agentkit.finetuning.dataset import FineTuningDataset
    from agentkit.finetuning.preview import Preview
    from agentkit.finetuning.splitting import Split
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["dataset_bundle", "estimate_bundle", "preview_bundle", "split_bundle"]

_NAME_CHARS = 80
_TEXT_CHARS = 600
_LOOKED_AT = 1_000
"""Examples whose tokens and answers are looked at: a data set may have millions."""
_LABELS, _LABEL_CHARS = 12, 60
_BINS = 16
_WIDTH, _HEIGHT = 300, 84


def dataset_bundle(dataset: FineTuningDataset) -> Bundle:
    """Return a data set's card: what it holds, and its first example."""
    from agentkit.finetuning.preview import preview_of

    count = len(dataset)
    looked_at = [value for value in islice(dataset.values(), _LOOKED_AT) if value is not None]
    title = f"{one_line(dataset.name, _NAME_CHARS)} · {_count(count)} for {dataset.kind.upper()}"
    some = f" (of the first {_LOOKED_AT:,})" if count > _LOOKED_AT else ""
    lengths = _lengths(looked_at)
    rows = _facts(looked_at, lengths, some)
    labels = _labels(dataset.kind, looked_at)
    shown = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    html = f'<div class="agk agk-tune">{STYLE}{TUNING_STYLE}<div class="agk-h">{escape(title)}</div>'
    html += f'<dl class="agk-k">{shown}</dl>' if rows else ""
    drawn = f'<div class="agk-plots">{_histogram(lengths)}{_bars(labels)}</div>' if count else ""
    first = preview_of(dataset, 1, None)
    html += f"{drawn}{_examples_html(first, 'the first example')}</div>"
    plain = [title, *(f"  {line}" for line in aligned(rows))]
    plain += [f"  {line}" for line in aligned([(label, f"{number:,}") for label, number in labels])]
    plain += _examples_lines(first)
    return {"text/html": html, "text/plain": clean("\n".join(plain))}


def _count(count: int) -> str:
    return f"{count:,} example{'' if count == 1 else 's'}"


def _lengths(values: Sequence[dict[str, Any]]) -> list[int]:
    from agentkit.finetuning.tokens import tokens_of

    return sorted(tokens_of(value).tokens for value in values)


def _facts(values: Sequence[dict[str, Any]], lengths: Sequence[int], some: str) -> list[tuple[str, str]]:
    """Return what there is to say in words, by name."""
    from agentkit.finetuning.examples import messages_of, system_of

    if not values:
        return []
    median = lengths[len(lengths) // 2]
    rows = [("tokens", f"median {median:,} an example, longest {lengths[-1]:,}; {sum(lengths):,} in all{some}")]
    systems = Counter(system_of(value) for value in values)
    without = systems.pop(None, 0)
    if not systems:
        rows.append(("system message", "none"))
    else:
        told = "the same in all" if len(systems) == 1 and not without else f"{len(systems):,} different"
        rows.append(("system message", f"{told}, missing in {without:,}" if without else told))
    turns = [sum(each.get("role") == "user" for each in messages_of(value)) for value in values]
    if max(turns) > 1:
        rows.append(("turns", f"up to {max(turns)}"))
    if tools := sum("tools" in value for value in values):
        rows.append(("with tools", f"{tools:,}"))
    return rows


def _labels(kind: str, values: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    """Return what is answered how often, where few answers are given again and again; else nothing."""
    from agentkit.finetuning.examples import answer_of

    if kind != "sft" or len(values) < 4:
        return []
    counts = Counter(answer_of(value) for value in values)
    if len(counts) > _LABELS or len(counts) * 2 > len(values):
        return []
    return [(one_line(label, _LABEL_CHARS) or "(nothing)", number) for label, number in counts.most_common()]


def _histogram(lengths: Sequence[int]) -> str:
    """Return how many examples are how long, as a drawing."""
    if not lengths or lengths[0] == lengths[-1]:
        return ""
    low, high = lengths[0], lengths[-1]
    bins = min(_BINS, high - low + 1)
    each = (high - low + 1) / bins
    counts = Counter(min(bins - 1, int((length - low) / each)) for length in lengths)
    most, wide = max(counts.values()), (_WIDTH - 8) / bins
    bottom = _HEIGHT - 28
    parts = ['<text class="agk-pt" x="2" y="12">tokens an example</text>']
    for place in range(bins):
        if number := counts.get(place):
            height = max(1.5, (bottom - 20) * number / most)
            parts.append(
                f'<rect class="agk-hr agk-p1" x="{4 + place * wide:.1f}" y="{bottom - height:.1f}" '
                f'width="{max(1.0, wide - 1.5):.1f}" height="{height:.1f}" rx="1.5"/>'
            )
    parts.append(f'<line class="agk-pb" x1="4" y1="{bottom}" x2="{_WIDTH - 4}" y2="{bottom}"/>')
    parts.append(f'<text x="4" y="{bottom + 14}">{low:,}</text>')
    parts.append(f'<text x="{_WIDTH - 4}" y="{bottom + 14}" text-anchor="end">{high:,}</text>')
    spoken = f"tokens an example: from {low:,} to {high:,}, median {lengths[len(lengths) // 2]:,}"
    svg = (
        f'<svg class="agk-plot" role="img" aria-label="{spoken}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" style="max-width:100%;height:auto;min-width:200px">{"".join(parts)}</svg>'
    )
    return f'<figure class="agk-fig"><span class="agk-drawn" style="display:none">{svg}</span></figure>'


def _bars(labels: Sequence[tuple[str, int]]) -> str:
    """Return how often each answer is given, as bars."""
    if not labels:
        return ""
    most = max(number for _, number in labels)
    rows = "".join(
        f"<tr><td>{escape(label)}</td><td>{number:,}</td>"
        f'<td class="agk-hc"><span class="agk-hb agk-p1" style="display:block;width:{100 * number / most:.0f}%"></span>'
        "</td></tr>"
        for label, number in labels
    )
    return (
        f'<table class="agk-tt"><thead><tr><th>answer</th><th></th><th></th></tr></thead><tbody>{rows}</tbody></table>'
    )


# -- examples as they read --------------------------------------------------------------------------------------------


def preview_bundle(preview: Preview) -> Bundle:
    """Return some examples as they read: who says what."""
    title = f"{one_line(preview.name, _NAME_CHARS)} · {len(preview.examples)} of {_count(preview.total)}"
    html = f'<div class="agk agk-tune">{STYLE}{TUNING_STYLE}<div class="agk-h">{escape(title)}</div>'
    html += f"{_examples_html(preview)}</div>"
    return {"text/html": html, "text/plain": clean("\n".join([title, *_examples_lines(preview)]))}


def _examples_html(preview: Preview, title: str = "") -> str:
    shown = []
    for number, said in preview.examples:
        rows = "".join(
            f'<dt class="{_role_class(role)}">{escape(one_line(role, 40))}</dt>'
            f'<dd><div class="agk-tx">{escape(_cut(text))}</div></dd>'
            for role, text in said
        )
        head = title or f"line {number:,}"
        shown.append(f'<div class="agk-ex"><div class="agk-d">{escape(head)}</div><dl class="agk-k">{rows}</dl></div>')
    return "".join(shown)


def _role_class(role: str) -> str:
    """Return the class of who says something: what is learnt stands out."""
    return {"assistant": "agk-p1", "preferred": "agk-ok", "rejected": "agk-no"}.get(role.partition(" ")[0], "agk-d")


def _examples_lines(preview: Preview) -> list[str]:
    lines = []
    for number, said in preview.examples:
        lines.append(f"  line {number:,}")
        lines += [
            f"    {line}" for line in aligned([(role, one_line(text, 160) or "(nothing)") for role, text in said])
        ]
    return lines


def _cut(text: str) -> str:
    text = clean(text)
    return f"{text[:_TEXT_CHARS]}… ({len(text):,} characters)" if len(text) > _TEXT_CHARS else text or "(nothing)"


def split_bundle(split: Split) -> Bundle:
    """Return both parts of a split in two lines."""
    rows = [(name, _count(len(part))) for name, part in (("train", split.train), ("test", split.test))]
    return Listing(f"{one_line(split.train.name, _NAME_CHARS)}, split", rows)._repr_mimebundle_()


# -- what a training costs --------------------------------------------------------------------------------------------


def estimate_bundle(estimate: Estimate) -> Bundle:
    """Return what a training will cost, as far as it is known."""
    title = f"{estimate.method.upper()} of {one_line(estimate.model, _NAME_CHARS)}, estimated"
    rows = [(one_line(name, 40), one_line(text, 400)) for name, text in estimate.lines()]
    return Listing(title, rows)._repr_mimebundle_()
