"""Examples of recorded runs, by what `to_dataset()` makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.records.datasets.dataset import Dataset
from agentkit.training_files.checking import Kind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["dataset_of_traces"]

_KINDS: dict[str, Kind] = {"sft": "sft", "preferences": "dpo"}
_OTHER = {"sft": "sft", "dpo": "preferences"}


def dataset_of_traces(traces: Any, kind: Kind, options: dict[str, Any]) -> tuple[Kind, list[bytes], pd.DataFrame]:
    """Return what the examples are for, their lines, and where they come from.

    Args:
        traces: A frame of traces, or what its `to_dataset()` made.
        kind: "sft" or "dpo".
        options: Those of `to_dataset`.

    Raises:
        UserError: These are no traces, or an option makes no sense.
    """
    if isinstance(traces, Dataset):
        if options:
            raise UserError(f"This is a data set already: {', '.join(options)} can't be asked of it any more.")
        if traces.kind not in _KINDS:
            raise UserError("Cases for evaluations aren't trained on.", hint='Take to_dataset("sft") or "preferences".')
        return _KINDS[traces.kind], [_json.dumps(each) for each in traces.examples], traces.frame
    if "split" in options or "seed" in options:
        raise UserError("from_traces doesn't split.", hint="Take its split(test=0.2, seed=0) afterwards.")
    columns = getattr(traces, "columns", ())
    if "trace_id" not in columns:
        raise UserError(f"from_traces takes traces, not {type(traces).__name__}.", hint="agentkit.traces(…)")
    from agentkit.records.traces_frame import TracesFrame

    made = TracesFrame(traces).to_dataset(_OTHER[kind], **options)
    return kind, [_json.dumps(each) for each in made.examples], made.frame
