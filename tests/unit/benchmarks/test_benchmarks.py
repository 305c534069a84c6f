"""The benchmarks measure what they say: each workload is done by agentkit, at a small size. No times are looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from agentkit.tracing.processors import reset_tracing
from benchmarks.__main__ import main
from benchmarks.child import measure
from benchmarks.compare import compare, measure_import
from benchmarks.contenders import CONTENDERS
from benchmarks.functions import many_functions
from benchmarks.server import running_server
from benchmarks.server.replies import events, reply_to
from benchmarks.server.script import items_for, response
from benchmarks.table import PAGE, markdown, put_between_marks, shown
from benchmarks.targets import TARGETS
from benchmarks.workloads import WORKLOADS, Metric, Size, Workload

IN_A_CHILD = [name for name, workload in WORKLOADS.items() if workload.measure is not None]
SCRIPTS = ["answer", "tools-1", "wait-3", "wait_blocking-2", "stream-4"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_server() as base_url:
        yield base_url


@pytest.fixture(autouse=True)
def own_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path))
    yield
    reset_tracing()


@pytest.mark.parametrize("workload", IN_A_CHILD)
async def test_agentkit_does_each_workload(workload: str, server: str) -> None:
    measured = await measure(workload, "agentkit", server, Size(count=3))
    assert set(measured) >= {metric.name for metric in WORKLOADS[workload].metrics}
    assert [name for name, value in measured.items() if not (math.isfinite(value) and value >= 0)] == []


@pytest.mark.parametrize("contender", ["openai", "transport"])
@pytest.mark.parametrize("workload", ["tools-10", "parallel-sync", "stream"])
async def test_the_bare_client_does_the_same_workloads(workload: str, contender: str, server: str) -> None:
    measured = await measure(workload, contender, server, Size(count=3))
    assert set(measured) >= {metric.name for metric in WORKLOADS[workload].metrics}


def test_a_comparison_measures_in_processes_of_their_own() -> None:
    workloads = [WORKLOADS["import"], replace(WORKLOADS["tools-10"], size=Size(count=2))]
    told: list[str] = []
    results = compare(workloads, ["agentkit"], rounds=1, quick=True, say=told.append)
    assert {key: set(measured) for key, measured in results.items()} == {
        ("import", "agentkit"): {"cpu_s", "modules", "peak_mb"},
        ("tools-10", "agentkit"): {"cpu_ms"},
    }
    assert told == ["round 1 of 1: import, agentkit", "round 1 of 1: tools-10, agentkit"]


def test_an_import_is_measured_over_bare_python() -> None:
    assert (measure_import("")["modules"], measure_import("import colorsys")["modules"]) == (0, 1)


def test_the_code_for_first_use_runs() -> None:
    exec(CONTENDERS["agentkit"].first_use, scope := {"__name__": "first_use"})
    assert scope["agent"].tools[0].params_json_schema["required"] == ["city", "day"]


def test_the_many_functions_are_different_ones() -> None:
    first, second = many_functions(2)
    assert (first.__name__, second.__name__, first.__doc__ == second.__doc__) == ("thing_0", "thing_1", False)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_servers_responses_are_what_the_client_expects(script: str) -> None:
    Response.model_validate(response(script, items_for(script, 0)), strict=True)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_servers_events_are_what_the_client_expects(script: str) -> None:
    told = events(script, items_for(script, 0))
    typed = [TypeAdapter[Any](ResponseStreamEvent).validate_python(event, strict=True) for event in told]
    assert [event.type for event in typed] == [event["type"] for event in told]
    assert [event.sequence_number for event in typed] == list(range(len(told)))


def test_the_server_answers_once_the_outputs_are_in() -> None:
    kinds = [[item["type"] for item in items_for("tools-2", outputs)] for outputs in range(3)]
    assert kinds == [["function_call"], ["function_call"], ["message"]]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"model":"answer"}', b"200"), (b'{"model":"gpt"}', b"404"), (b"{}", b"400"), (b'{"model": "tools-x"}', b"404")],
)
def test_the_server_says_what_it_has_no_script_for(body: bytes, status: bytes) -> None:
    assert reply_to(body).split(b" ", 2)[1] == status


def test_every_target_belongs_to_something_measured() -> None:
    measured = {
        (name, metric.name): set(work.contenders) for name, work in WORKLOADS.items() for metric in work.metrics
    }
    missing = {key: set(targets) - measured.get(key, set()) for key, targets in TARGETS.items()}
    assert {key: names for key, names in missing.items() if names} == {}


def test_a_row_has_values_ratios_and_whether_the_targets_are_met() -> None:
    runs = WORKLOADS["many-runs"]
    workload = replace(runs, metrics=runs.metrics[:1])
    results = {
        ("many-runs", "agentkit"): {"runs_per_s": 120.0},
        ("many-runs", "agentkit-aiohttp"): {"runs_per_s": 150.0},
        ("many-runs", "openai-agents"): {"runs_per_s": 48.0},
    }
    assert markdown(results, [workload], rounds=1).splitlines()[:3] == [
        "| | agentkit | agentkit-untraced | agentkit-aiohttp | openai-agents | openai-agents-traced | openai "
        "| transport | mlflow | target | met |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        "| 500 runs at once of 3 tool turns, runs/s wall | 120 | – | 150 | 2.5× | – | – | – | – "
        "| ≥ 110; ≥ 200 (aiohttp) | yes; **no** (aiohttp) |",
    ]


def test_where_less_is_better_the_ratio_says_how_much_more_a_peer_takes() -> None:
    workload = Workload("answer", (Metric("cpu_ms", "an answer"),), ("agentkit", "openai"), None, Size())
    results = {("answer", "agentkit"): {"cpu_ms": 0.5}, ("answer", "openai"): {"cpu_ms": 1.5}}
    row = markdown(results, [workload], rounds=1).splitlines()[2]
    assert row == "| an answer | 0.50 | – | – | – | – | 3.0× | – | – | ≤ 0.8 | yes |"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0.00521, 2, "0.0052"), (1, 2, "1.0"), (9.96, 2, "10"), (132.7, 3, "133"), (159_812, 3, "160,000"), (0, 2, "0")],
)
def test_numbers_are_shown_with_few_digits(value: float, digits: int, text: str) -> None:
    assert shown(value, digits) == text


def test_saving_replaces_only_the_table() -> None:
    page = "# Speed\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nNotes.\n"
    expected = "# Speed\n<!-- measured: begin -->\nnew\n<!-- measured: end -->\nNotes.\n"
    assert put_between_marks(page, "new") == expected


def test_the_documentation_has_a_place_for_the_table() -> None:
    assert "\nnew\n" in put_between_marks(PAGE.read_text(encoding="utf-8"), "new")


def test_a_part_of_the_table_is_not_saved(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--save", "--quick"])
    assert "--save wants the whole table" in capsys.readouterr().err
