"""Making a data set of traces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from agentkit.exceptions import UserError
from agentkit.records.datasets.cases import case_of, merged
from agentkit.records.datasets.cleaning import Cleaner, Redact, Scrub, redacted_places
from agentkit.records.datasets.dataset import Dataset
from agentkit.records.datasets.examples import Example, Row, Source, example_of, sft_line
from agentkit.records.datasets.left_out import LeftOutError, Skipped
from agentkit.records.datasets.messages import has_images
from agentkit.records.datasets.opening import BATCH, Opened, open_traces
from agentkit.records.datasets.parts import Part, Requests, parts_of
from agentkit.records.datasets.preferences import pairs_of
from agentkit.records.datasets.splits import Split, checked_split, split_of
from agentkit.records.opened import RecordedTrace
from agentkit.tracing.columns import columns_of, dataframe, flush_store, name_of_agent
from agentkit.tracing.reader import read_feedback

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Kind", "Where", "make_dataset"]

Kind = Literal["sft", "preferences", "evals"]
"""What the examples are for."""

Where = Callable[[RecordedTrace], Any]
"""Returns whether a run is wanted."""

Rating = tuple[str, str]
"""A thumb, "up" or "down", and a remark."""

_FRAME = {
    "line": "Int64",
    "trace_id": "string",
    "other_trace_id": "string",
    "span_id": "string",
    "session_id": "string",
    "agent": "string",
    "model": "string",
    "rating": "category",
    "reason": "string",
    "started_at": "time",
    "messages": "Int64",
    "tokens": "Int64",
    "images": "Int64",
    "redacted": "Int64",
    "split": "category",
}
_SKIPPED = {"trace_id": "string", "agent": "string", "reason": "string", "detail": "string"}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be made, checked."""

    kind: Kind
    where: Where | None
    rating: str | None
    agents: frozenset[str] | None
    tools: bool
    images: bool
    dedupe: bool


def make_dataset(
    traces: pd.DataFrame,
    kind: Any,
    *,
    where: Where | None,
    rating: Any,
    agent: Any,  # names or agents: classes of a layer above
    tools: bool,
    images: bool,
    split: Split,
    seed: int,
    dedupe: bool,
    redact: Redact,
    scrub: Scrub | None,
) -> Dataset:
    """Return a data set; see `TracesFrame.to_dataset`.

    Raises:
        UserError: An argument makes no sense, or the file of the traces can't be read.
    """
    wanted = _checked(kind, where, rating, agent, tools, images, dedupe)
    fractions = checked_split(split)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise UserError(f"seed is a whole number, not {seed!r}.")
    if redact not in (True, False, "skip"):
        raise UserError(
            f'redact is True, False or "skip", not {redact!r}.', hint='"skip" leaves examples out that have a key.'
        )
    if scrub is not None and not callable(scrub):
        raise UserError(f"scrub is a function that takes a text and returns one, not {scrub!r:.60}.")
    cleaner = Cleaner(redact, scrub)
    skipped: list[Skipped] = []
    rows = _rows(wanted, _examples(_ids(traces), wanted, cleaner, skipped), cleaner, skipped)
    if wanted.dedupe and wanted.kind != "evals":
        rows = _without_duplicates(rows, skipped)
    names = split_of(rows, fractions, seed) if fractions and rows else [None] * len(rows)
    table = [_told(number, row, name) for number, (row, name) in enumerate(zip(rows, names, strict=True), 1)]
    gone = [(each.trace_id, each.agent, each.reason, each.detail or None) for each in skipped]
    return Dataset(
        wanted.kind,
        [row.line for row in rows],
        dataframe(_FRAME, columns_of(tuple(_FRAME), table)),
        dataframe(_SKIPPED, columns_of(tuple(_SKIPPED), gone)),
        names=tuple(fractions),
    )


def _checked(kind: Any, where: Any, rating: Any, agent: Any, tools: Any, images: Any, dedupe: Any) -> _Wanted:
    if kind not in get_args(Kind):
        kinds = ", ".join(f'"{each}"' for each in get_args(Kind))
        raise UserError(f"There is no data set of the kind {kind!r}.", hint=f"It is one of {kinds}.")
    if where is not None and not callable(where):
        raise UserError(
            f"where is a function that takes a trace and returns True or False, not {where!r:.60}.",
            hint="For example where=lambda trace: not trace.errors.",
        )
    if rating not in ("up", "down", None):
        raise UserError(f'rating is "up", "down" or None, not {rating!r}.', hint="None takes runs however rated.")
    if kind == "preferences" and rating == "down":
        raise UserError("Preference pairs need answers rated up and such rated down.", hint="Leave rating out.")
    for name, value in (("tools", tools), ("images", images), ("dedupe", dedupe)):
        if not isinstance(value, bool):
            raise UserError(f"{name} is True or False, not {value!r:.60}.")
    given = [agent] if isinstance(agent, str) or not isinstance(agent, Iterable) else list(agent)
    agents = None if agent is None else frozenset(str(name_of_agent(each)) for each in given)
    return _Wanted(kind, where, rating, agents, tools, images, dedupe)


def _ids(traces: pd.DataFrame) -> list[str]:
    return [str(each) for each in traces["trace_id"].dropna().unique()]


def _examples(ids: list[str], wanted: _Wanted, cleaner: Cleaner, skipped: list[Skipped]) -> Iterator[list[Example]]:
    """Yield the examples of each trace that is wanted, and note why others aren't."""
    flush_store()
    ratings = {row[0]: (row[1], row[2]) for row in read_feedback(agent=None, rating=None, since_ns=None, limit=None)}
    requests = Requests()
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        opened = open_traces([trace_id for trace_id in batch if _is_rated(ratings.get(trace_id), wanted)])
        for trace_id in batch:
            try:
                source = _source(opened.pop(trace_id, None), ratings.get(trace_id), wanted)
            except LeftOutError as why:
                skipped.append(Skipped(trace_id, None, why.reason, why.detail))
            else:
                yield list(_of_trace(source, wanted, cleaner, requests, skipped))


def _is_rated(rating: Rating | None, wanted: _Wanted) -> bool:
    if wanted.kind == "preferences":
        return rating is not None
    return wanted.rating is None or (rating is not None and rating[0] == wanted.rating)


def _source(opened: Opened | None, rating: Rating | None, wanted: _Wanted) -> Source:
    """Return a run that is wanted.

    Args:
        opened: The trace; None where its rating isn't the wanted one.
        rating: What a reader thought of its answer, and the remark.
        wanted: What is wanted.

    Raises:
        LeftOutError: It isn't.
    """
    if opened is None:
        if wanted.kind == "preferences":
            raise LeftOutError("not rated")
        told = "It wasn't rated." if rating is None else f"It was rated {rating[0]}."
        raise LeftOutError(f"not rated {wanted.rating}", f"{told} rating=None takes runs however rated.")
    if isinstance(opened, LeftOutError):
        raise opened
    if not opened.calls:
        raise LeftOutError("no model call", "No model was called in it.")
    if wanted.where is not None:
        try:
            chosen = wanted.where(opened)
        except Exception as error:
            error.add_note(f"while where looked at {opened!r}, {opened.trace_id}")
            raise
        if not chosen:
            raise LeftOutError("where", "The function said no.")
    thought, remark = rating or (None, None)
    by_rating = wanted.rating is not None or wanted.kind == "preferences"
    reasons = [f"rated {thought}"] * by_rating + ["where"] * (wanted.where is not None)
    return Source(opened, thought, remark or None, ", ".join(reasons) or "in the frame")


def _of_trace(
    source: Source, wanted: _Wanted, cleaner: Cleaner, requests: Requests, skipped: list[Skipped]
) -> Iterator[Example]:
    trace_id = source.trace.trace_id
    for part in parts_of(source.trace, requests):
        if wanted.agents is not None and part.agent not in wanted.agents:
            skipped.append(Skipped(trace_id, part.agent, "other agent", ""))
        elif not isinstance(part, Part):
            skipped.append(part)
        else:
            try:
                yield example_of(part, source, cleaner, tools=wanted.tools, images=wanted.images)
            except LeftOutError as why:
                skipped.append(Skipped(trace_id, part.agent, why.reason, why.detail))


def _rows(wanted: _Wanted, examples: Iterator[list[Example]], cleaner: Cleaner, skipped: list[Skipped]) -> list[Row]:
    if wanted.kind == "sft":
        return [Row(sft_line(example), example) for of_trace in examples for example in of_trace]
    if wanted.kind == "preferences":
        made = list(pairs_of([example for of_trace in examples for example in of_trace]))
        skipped += [each for each in made if isinstance(each, Skipped)]
        return [each for each in made if isinstance(each, Row)]
    return _cases(wanted, examples, cleaner, skipped)


def _cases(wanted: _Wanted, examples: Iterator[list[Example]], cleaner: Cleaner, skipped: list[Skipped]) -> list[Row]:
    rows = []
    for of_trace in examples:
        runs: dict[int, list[Example]] = {}
        for example in of_trace:
            if not example.part.nested:
                runs.setdefault(example.part.run, []).append(example)
        for run in runs.values():
            try:
                rows.append(case_of(run, cleaner, only=len(runs) == 1))
            except LeftOutError as why:
                skipped.append(Skipped(run[0].part.trace.trace_id, run[0].part.agent, why.reason, why.detail))
    if not wanted.dedupe:
        return rows
    kept = []
    for row, same in merged(rows):
        kept.append(row)
        used = {each.part.trace.trace_id for each in (row.example, row.other) if each is not None}
        skipped += [_duplicate(each) for each in same if each.example.part.trace.trace_id not in used]
    return kept


def _without_duplicates(rows: list[Row], skipped: list[Skipped]) -> list[Row]:
    kept: dict[bytes, Row] = {}
    skipped += [_duplicate(row) for row in rows if row is not kept.setdefault(row.same_as, row)]
    return list(kept.values())


def _duplicate(row: Row) -> Skipped:
    example = row.example
    return Skipped(example.part.trace.trace_id, example.part.agent, "duplicate", "Another example says the same.")


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _told(number: int, row: Row, split: str | None) -> tuple[Any, ...]:
    """Return the frame's row of an example."""
    example, other = row.example, row.other
    part, trace = example.part, example.part.trace
    line = row.line
    is_pair = "preferred_output" in line
    messages = [*line["input"]["messages"], *line["preferred_output"]] if is_pair else line["messages"]
    return (
        number,
        trace.trace_id,
        None if other is None else other.part.trace.trace_id,
        part.calls[-1].span_id,
        trace.session_id,
        part.agent,
        part.model,
        example.source.rating,
        example.source.reason,
        trace.started_ns,
        len(messages),
        _sum(part.tokens, other.part.tokens) if other and is_pair else part.tokens,
        sum(has_images([message]) for message in messages),
        redacted_places(line),
        split,
    )
