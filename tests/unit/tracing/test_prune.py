"""`agentkit.traces.prune`."""

from __future__ import annotations

import os

import pytest

from agentkit import Agent, Runner, UserError, feedback, rate, spans, traces
from agentkit.records.sql import sql
from agentkit.testing import ScriptedModel
from agentkit.tracing import flush_traces, store_path, trace
from agentkit.tracing.notes import annotate
from agentkit.tracing.prune import prune


def run(name: str) -> str:
    result = Runner.run_sync(Agent(name=name, instructions=name, model=ScriptedModel("Yes.")), "Hi")
    assert result.trace_id
    return result.trace_id


def test_old_traces_go_with_all_that_hangs_on_them() -> None:
    ids = [run(name) for name in ("a", "b", "c")]
    annotate(ids[0], comment="Look here.")
    rate(ids[1], "up", "Good.")
    counted = prune(keep=1, rated=True, dry_run=True)
    assert (counted.traces, counted.spans, counted.dry_run) == (2, 4, True)
    assert len(traces()) == 3
    pruned = prune(keep=1, rated=True)
    assert (pruned.traces, pruned.spans) == (2, 4)
    assert repr(pruned).startswith("Deleted 2 traces with 4 spans")
    assert list(traces()["trace_id"]) == ids[2:]
    assert set(spans()["trace_id"]) == {ids[2]}
    assert len(sql("select * from notes")) == 0
    assert len(feedback()) == 1
    assert "b" not in {body for body in sql("select body from requests")["body"] if '"b"' in body}


def test_what_was_rated_and_what_goes_on_stays() -> None:
    rated = run("a")
    rate(rated, "down")
    run("b")
    with trace("going on") as going:
        flush_traces()
        assert prune(older_than="0s").traces == 1
        assert set(traces()["trace_id"]) == {rated, going.trace_id}


def test_the_file_gets_smaller() -> None:
    with trace("w") as t:
        t.input = "x" * 200_000
        t.output = os.urandom(100_000).hex()
    flush_traces()
    assert prune(keep=0).freed_bytes > 300_000
    assert store_path().stat().st_size < 200_000


def test_only_what_is_old_goes() -> None:
    run("a")
    assert prune(older_than="1d").traces == 0
    assert len(traces()) == 1


def test_without_a_store_there_is_nothing_to_delete() -> None:
    assert prune(keep=0).traces == 0
    assert not store_path().exists()


def test_one_has_to_say_which() -> None:
    with pytest.raises(UserError, match="needs to know which"):
        prune()
    with pytest.raises(UserError, match="keep is a number"):
        prune(keep=-1)
    with pytest.raises(UserError, match="older_than is a time"):
        prune(older_than="ages")
