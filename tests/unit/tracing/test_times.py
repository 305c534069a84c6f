"""What `since`, `until` and `older_than` take."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentkit.exceptions import UserError
from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing import custom_span, flush_traces, trace
from agentkit.tracing.columns import since_ns
from agentkit.tracing.prune import prune

NO_TIMES = [
    *(
        "30",
        "30 ",
        "-30",
        "3.5",
        "1e3",
        "1_000",
        "1000",
        "20261121",
        "1d 30",
        "30 1d",
        "-2h",
        "-1 days",
        "now",
        "today",
    ),
    *("", " ", "NaT", "nan", "mar", "ages", "30x", "1000000d", 30, 0, -1, 3.5, True, timedelta(days=-1), pd.NaT),
    *(np.int64(30), np.timedelta64(2, "h"), ["2h"]),
]


@pytest.mark.parametrize("given", NO_TIMES)
def test_what_is_no_time_and_no_duration_is_refused_by_its_name_and_value(given: Any) -> None:
    with pytest.raises(UserError, match="older_than is a time or how long ago, not ") as refused:
        since_ns(given, "older_than")
    assert repr(given)[:20] in str(refused.value)


@pytest.mark.parametrize("given", ["30", "now", "-30d", 30, timedelta(days=-1)])
def test_nothing_is_deleted_or_chosen_by_what_is_no_time(given: Any) -> None:
    with trace("w"), custom_span("c"):
        pass
    with pytest.raises(UserError, match="older_than is"):
        prune(older_than=given)
    for read in (traces, spans):
        with pytest.raises(UserError, match="since is"):
            read(since=given)
        with pytest.raises(UserError, match="until is"):
            read(until=given)
    assert len(traces()) == 1


def local(*parts: int) -> datetime:
    return datetime(*parts).astimezone()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026", local(2026, 1, 1)),
        ("2026-11", local(2026, 11, 1)),
        ("2026-11-21", local(2026, 11, 21)),
        ("2026-11-21 10:30", local(2026, 11, 21, 10, 30)),
        ("2026-11-21T10:30:00Z", datetime(2026, 11, 21, 10, 30, tzinfo=UTC)),
        ("Nov 21, 2026", local(2026, 11, 21)),
        (date(2026, 11, 21), local(2026, 11, 21)),
        (datetime(2026, 11, 21, 10), local(2026, 11, 21, 10)),
        (np.datetime64("2026-11-21"), local(2026, 11, 21)),
    ],
)
def test_times(given: Any, moment: datetime) -> None:
    assert since_ns(given) == int(moment.timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        *(("30d", 30 * 86_400), ("30 d", 30 * 86_400), ("2w", 14 * 86_400), ("1d 2h", 26 * 3_600), ("1h30m", 5_400)),
        *(("1.5h", 5_400), ("PT2H", 7_200), (str(pd.Timedelta("26h")), 26 * 3_600), (timedelta(hours=2), 7_200)),
    ],
)
def test_how_long_ago(given: Any, seconds: int) -> None:
    before = datetime.now(UTC).timestamp()
    found = since_ns(given)
    assert found is not None
    assert before - 0.001 <= found / 1e9 + seconds <= datetime.now(UTC).timestamp()


def test_a_time_of_pandas_with_nanoseconds_is_taken_without_a_warning() -> None:
    given = pd.Timestamp("2026-11-21 10:00:00.123456789")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert since_ns(given) == int(local(2026, 11, 21, 10).timestamp()) * 10**9 + 123_456_000


def test_what_waits_to_be_written_is_pruned_as_well() -> None:
    with trace("w"), custom_span("c"):
        pass
    assert prune(keep=0).traces == 1  # though the file is only made by the flush
    flush_traces()
    assert len(traces()) == 0
