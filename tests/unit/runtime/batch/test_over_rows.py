from __future__ import annotations

import dataclasses
import datetime
import enum
import threading
from typing import Any, Literal

import pandas as pd
import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from agentkit import (
    Agent,
    NoBackendError,
    RunConfig,
    RunContextWrapper,
    Usage,
    UserError,
    flush_traces,
    forget_prices,
    function_tool,
    set_price,
    traces,
)
from agentkit.runtime.batch import run_over, run_over_async
from agentkit.testing import ScriptedModel, call

from .rows import Crowd, Echo

FRAME = pd.DataFrame({"text": ["a", "b", "c"], "n": [1, 2, 3]}, index=[7, 3, 7])
ABOUT = ["status", "error", "trace_id", "input_tokens", "output_tokens", "cost_usd", "duration_s"]


def agent_of(model: ScriptedModel, **options: Any) -> Agent[Any]:
    return Agent(name="judge", model=model, **options)


def test_each_row_has_its_answer_beside_it() -> None:
    result = run_over(agent_of(Echo()), FRAME, "{{text}}, {{n}}")
    assert list(result.columns) == ["text", "n", "answer", *ABOUT]
    assert list(result.index) == [7, 3, 7]
    assert list(result["answer"]) == ["A, 1", "B, 2", "C, 3"]
    assert result["answer"].dtype == "string"
    assert list(result["status"]) == ["ok"] * 3
    assert result["error"].isna().all()
    assert list(result["input_tokens"]) == [1, 1, 1]
    assert (result["duration_s"] > 0).all()
    assert list(FRAME.columns) == ["text", "n"]


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Inner(BaseModel):
    city: str


class Everything(BaseModel):
    text: str
    count: int | None
    share: float
    sure: bool
    mood: Mood
    size: Literal["s", "m", "l"]
    tags: list[str]
    inner: Inner
    on: datetime.date
    at: datetime.datetime | None = None


WHOLE = (
    '{"text": "t", "count": 3, "share": 0.5, "sure": true, "mood": "good", "size": "m", "tags": ["x"], '
    '"inner": {"city": "Oslo"}, "on": "2026-11-21", "at": "2026-11-21T10:00:00"}'
)


def test_the_fields_of_a_model_are_columns_of_their_types() -> None:
    model = Echo(lambda text: ValueError("no") if text == "b" else WHOLE)
    frame = pd.DataFrame({"q": ["a", "b"]})
    result = run_over(agent_of(model, output_type=Everything), frame, "{{q}}")
    dtypes = {name: str(result[name].dtype) for name in Everything.model_fields}
    assert dtypes == {
        "text": "string", "count": "Int64", "share": "Float64", "sure": "boolean", "mood": "category",
        "size": "category", "tags": "object", "inner": "object", "on": "datetime64[us]", "at": "datetime64[us]",
    }  # fmt: skip
    assert list(result["size"].cat.categories) == ["s", "m", "l"]
    assert list(result["mood"].cat.categories) == ["good", "bad"]
    first = result.iloc[0][list(Everything.model_fields)].to_dict()
    assert first == {
        "text": "t", "count": 3, "share": 0.5, "sure": True, "mood": "good", "size": "m", "tags": ["x"],
        "inner": {"city": "Oslo"}, "on": pd.Timestamp("2026-11-21"), "at": pd.Timestamp("2026-11-21 10:00"),
    }  # fmt: skip
    assert result.iloc[1][list(Everything.model_fields)].isna().all()
    assert (result["status"][1], result["error"][1]) == ("failed", "ValueError: no")


@dataclasses.dataclass
class Point:
    x: int
    y: float


class Pair(TypedDict):
    one: str
    two: Literal[1, 2]


@pytest.mark.parametrize(
    ("kind", "answer", "columns"),
    [
        (Point, '{"x": 1, "y": 2}', {"x": (1, "Int64"), "y": (2.0, "Float64")}),
        (Pair, '{"one": "a", "two": 2}', {"one": ("a", "string"), "two": (2, "category")}),
        (int, '{"response": 5}', {"answer": (5, "Int64")}),
        (list[str], '{"response": ["a", "b"]}', {"answer": (["a", "b"], "object")}),
        (Literal["yes", "no"], '{"response": "no"}', {"answer": ("no", "category")}),
    ],
)
def test_other_types_of_answer_are_columns_too(kind: Any, answer: str, columns: dict[str, tuple[Any, str]]) -> None:
    result = run_over(agent_of(Echo(lambda _: answer), output_type=kind), ["q"], "{{value}}")
    assert list(result.columns) == ["value", *columns, *ABOUT]
    assert {name: (result[name][0], str(result[name].dtype)) for name in columns} == columns


def test_a_name_that_is_taken_gets_a_number() -> None:
    class Clash(BaseModel):
        text: str
        status: str

    frame = pd.DataFrame({"text": ["a"], "text_2": ["b"], "cost_usd": [1.0]})
    result = run_over(agent_of(Echo(lambda _: '{"text": "t", "status": "s"}'), output_type=Clash), frame, "{{text_2}}")
    own = ["status_2", "error", "trace_id", "input_tokens", "output_tokens", "cost_usd_2", "duration_s"]
    assert list(result.columns) == ["text", "text_2", "cost_usd", "text_3", "status", *own]
    assert list(result.attrs["batch"]["columns"].values()) == own
    assert (result["text"][0], result["text_3"][0], result["status"][0], result["status_2"][0]) == ("a", "t", "s", "ok")


@pytest.mark.parametrize(
    ("data", "template", "asked"),
    [
        (pd.Series(["a", "b"], name="word"), "{{word}}", ["a", "b"]),
        (pd.Series([1, 2]), "{{value}}", ["1", "2"]),
        ([{"a": {"b": [5]}}, {"a": {"b": [6]}}], "{{a['b'][0]}}", ["5", "6"]),
        ([{"n": 1}, {"n": None}, {}], "n{{n}}", ["n1", "n", "n"]),
        (["x"], "{{value}} {{here}}", ["x there"]),
        (pd.DataFrame([["a", "b", "c"]], index=[None], columns=["x", "x", "y"]), "{{y}}", ["c"]),
        (pd.DataFrame({"a": [1, "x", 2.5, ["l"], pd.NaT]}), "{{a}}.", ["1.", "x.", "2.5.", "['l'].", "."]),
        (pd.DataFrame([["a"]], columns=pd.CategoricalIndex(["x"])), "{{x}}", ["a"]),
        (pd.DataFrame({"Review text": ["a"], "v.1": ["b"]}), "{{ Review text }}{{v.1}}", ["ab"]),
        (pd.DataFrame({0: ["zero"]}), "{{0}}", ["zero"]),
        (pd.DataFrame({"a": ["x"]}, index=pd.Index(["k"], name="key")), "{{key}}={{a}}", ["k=x"]),
        (pd.DataFrame({"a": [None, "x"]}), "{{a}}!", ["!", "x!"]),
        (pd.DataFrame({"here": ["column"]}), "{{here}}", ["column"]),
        (pd.DataFrame({"a": [1]}), r'{"json": {"k": {{a}}}} \{{a}} {{a.real}}', ['{"json": {"k": 1}} {{a}} 1']),
        (pd.DataFrame({"when": [pd.Timestamp("2026-11-21")]}), "{{when.year}}", ["2026"]),
    ],
)
def test_places_take_the_values_of_a_row(data: Any, template: str, asked: list[str]) -> None:
    model = Echo()
    run_over(agent_of(model), data, template, variables={"here": "there"}, concurrency=1)
    assert model.asked == asked


@pytest.mark.parametrize(
    ("data", "template", "message"),
    [
        (FRAME, "{{txt}}", "{{txt}}: there is no column 'txt'. Did you mean text? The columns are text, n."),
        (FRAME, "{{TEXT}}", "{{TEXT}}: there is no column 'TEXT'. Did you mean text? The columns are text, n."),
        (FRAME, "hello", "The text names no column, so that every row would ask the same. "
                         "Write one of its columns between double braces: text, n."),
        (FRAME, "{{text.size}}", "No row can be asked. {{text.size}}: text has no attribute 'size'."),
        (FRAME, "{{text}} {{here._a}}", "{{here._a}}: names that begin with an underscore can't be read from a text."),
        (pd.DataFrame([["a", "b"]], columns=["x", "x"]), "{{x}}",
         "{{x}}: 2 columns are named 'x'. Rename all but one."),
        (5, "{{value}}", "There are no rows in int 5. Give a DataFrame, a Series, or a list of dicts."),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "{{a}}",
         "The dataframe's columns have 2 levels. "
         'Flatten them: df.columns = ["_".join(map(str, names)) for names in df.columns].'),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_before_any_call(data: Any, template: str, message: str) -> None:
    model = Echo()
    with pytest.raises(UserError) as raised:
        run_over(agent_of(model), data, template, variables={"here": "there"})
    assert str(raised.value) == message
    assert model.asked == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency has to be a whole number of 1 or more, not 0."),
        ({"budget_usd": -1}, "budget_usd has to be a number of 0 or more, not -1."),
        ({"missing": "none"}, 'missing can\'t be \'none\'. Use "empty", "skip" or "fail".'),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as raised:
        run_over(agent_of(Echo()), FRAME, "{{text}}", **options)
    assert str(raised.value) == message


@pytest.mark.parametrize(("missing", "status"), [("skip", "skipped"), ("fail", "failed")])
def test_a_row_without_a_value_may_be_skipped_or_fail(missing: Any, status: str) -> None:
    model = Echo()
    frame = pd.DataFrame({"a": ["x", float("nan")]})
    result = run_over(agent_of(model), frame, "{{a}}", missing=missing)
    assert model.asked == ["x"]
    assert (list(result["status"]), result["error"][1]) == (["ok", status], "{{a}} is missing.")


def test_no_rows_are_no_runs() -> None:
    result = run_over(agent_of(Echo(), output_type=Point), FRAME.iloc[:0], "{{text}}")
    assert list(result.columns) == ["text", "n", "x", "y", *ABOUT]
    assert (len(result), str(result["x"].dtype)) == (0, "Int64")


def test_one_failure_stops_no_other_row() -> None:
    model = Echo(lambda text: RuntimeError("the key is sk-abcdefghij0123456789") if text == "b" else text)
    result = run_over(agent_of(model), FRAME, "{{text}}", concurrency=1)
    assert list(result["status"]) == ["ok", "failed", "ok"]
    assert result["error"].iloc[1] == "RuntimeError: the key is sk-[redacted]"
    assert len(str(result["trace_id"].iloc[1])) == len("trace_") + 32


def test_where_nothing_answers_no_row_is_a_failure() -> None:
    model = Echo(lambda _: NoBackendError("nobody"))
    with pytest.raises(NoBackendError, match="nobody"):
        run_over(agent_of(model), FRAME, "{{text}}", concurrency=1)
    assert model.asked == ["a"]


def test_so_many_rows_are_asked_at_once_and_no_more() -> None:
    model = Crowd(3)
    result = run_over(agent_of(model), [str(n) for n in range(9)], "{{value}}", concurrency=3)
    assert list(result["answer"]) == [str(n) for n in range(9)]
    assert model.most == 3


def test_sync_tools_of_different_rows_run_side_by_side() -> None:
    together = threading.Barrier(3, timeout=20)

    @function_tool
    def meet() -> str:
        """Meet the others."""
        together.wait()
        return threading.current_thread().name

    @function_tool(run_in="caller")
    def here() -> str:
        """Tell which thread this is."""
        return threading.current_thread().name

    agent = agent_of(Echo(call), tools=[meet, here], tool_use_behavior="stop_on_first_tool")
    result = run_over(agent, ["meet", "meet", "meet", "here"], "{{value}}", concurrency=4)
    assert list(result["answer"]) == ["agentkit-tool"] * 3 + [threading.current_thread().name]


def test_tools_get_the_context() -> None:
    @function_tool
    def look(ctx: RunContextWrapper[dict[str, str]]) -> str:
        """Look it up."""
        return ctx.context["answer"]

    agent = agent_of(Echo(lambda _: call("look")), tools=[look], tool_use_behavior="stop_on_first_tool")
    assert list(run_over(agent, ["q"], "{{value}}", context={"answer": "42"})["answer"]) == ["42"]


@pytest.mark.parametrize(
    ("approve", "status", "error"),
    [(None, "waiting", "It waits for an approval of delete."), (True, "ok", None), (False, "ok", None)],
)
def test_calls_that_need_approval_are_decided_alike_for_all_rows(
    approve: bool | None, status: str, error: str | None
) -> None:
    done: list[str] = []

    @function_tool(needs_approval=True)
    def delete() -> str:
        """Delete it."""
        done.append("deleted")
        return "deleted"

    model = ScriptedModel(call("delete"), "Over.")
    result = run_over(agent_of(model, tools=[delete]), ["q"], "{{value}}", approve=approve)
    assert (result["status"][0], None if result["error"].isna()[0] else result["error"][0]) == (status, error)
    assert done == (["deleted"] if approve else [])


def test_answers_of_another_type_have_a_column_of_their_own() -> None:
    tool = function_tool(name_override="say")(lambda: "just text")
    model = Echo(lambda text: call("say") if text == "b" else '{"x": 1, "y": 2}')
    agent = agent_of(model, output_type=Point, tools=[tool], tool_use_behavior="stop_on_first_tool")
    result = run_over(agent, ["a", "b"], "{{value}}")
    assert list(result.columns) == ["value", "x", "y", "other_answer", *ABOUT]
    assert (result["x"].isna().tolist(), result["other_answer"][1]) == ([False, True], "just text")


def test_every_row_is_a_trace_of_the_batch() -> None:
    result = run_over(agent_of(Echo()), FRAME, "{{text}}")
    flush_traces()
    found = traces()
    assert set(found["trace_id"]) == set(result["trace_id"])
    assert list(found["group_id"]) == [result.attrs["batch_id"]] * 3


class Counted(Echo):
    """Uses 10 tokens for each answer."""

    async def get_response(self, *args: Any, **options: Any) -> Any:
        response = await super().get_response(*args, **options)
        response.usage = Usage(1, 4, 6, 10)
        return response


def test_a_budget_of_tokens_stops_starting_rows() -> None:
    result = run_over(agent_of(Counted()), list("abcde"), "{{value}}", concurrency=1, budget_tokens=15)
    assert list(result["status"]) == ["ok", "ok", "skipped", "skipped", "skipped"]
    assert result["error"][4] == "Not asked: the batch has used 20 of 15 tokens."


def test_a_run_may_spend_what_is_left_for_the_batch() -> None:
    tool = function_tool(name_override="again")(lambda: "more")
    model = Counted(lambda text: call("again"))
    agent = agent_of(model, tools=[tool])
    result = run_over(agent, list("abc"), "{{value}}", concurrency=1, budget_tokens=25)
    assert list(result["status"]) == ["failed", "skipped", "skipped"]
    assert result["input_tokens"][0] == 12
    assert str(result["error"][0]).startswith("BudgetExceeded: The run was stopped: it has used 30 of 25 tokens")


def test_a_budget_in_dollars_needs_prices_and_stops_starting_rows() -> None:
    model, rows = Counted(), list("abcd")
    with pytest.raises(UserError, match="The batch has a budget in dollars, but the price of model 'scripted'"):
        run_over(agent_of(model), rows, "{{value}}", budget_usd=1)
    assert model.asked == []
    set_price("scripted", input=100_000, output=100_000)  # a row costs a dollar
    try:
        result = run_over(agent_of(model), rows, "{{value}}", budget_usd=1.5, concurrency=1)
    finally:
        forget_prices()
    assert list(result["status"]) == ["ok", "ok", "skipped", "skipped"]
    assert result["cost_usd"].tolist()[:2] == [1.0, 1.0]
    assert result["error"][3] == "Not asked: the batch has spent $2.0000 of $1.5000."


def test_settings_of_the_run_hold_for_each_row() -> None:
    other = Echo(lambda _: "other")
    result = run_over(
        agent_of(Echo()), ["a"], "{{value}}", run_config=RunConfig(model=other, group_id="mine", tracing_disabled=True)
    )
    assert (result["answer"][0], result["trace_id"].isna()[0]) == ("other", True)


async def test_it_runs_in_the_callers_loop_too() -> None:
    seen: list[int] = []
    result = await run_over_async(
        agent_of(Echo()), FRAME, "{{text}}", on_progress=lambda progress: seen.append(progress.done), concurrency=1
    )
    assert list(result["answer"]) == ["A", "B", "C"]
    assert seen == [0, 0, 1, 1, 2, 2, 3, 3]


def test_half_a_surrogate_pair_is_no_end_of_the_batch() -> None:
    result = run_over(agent_of(Echo(lambda _: "cut \ud83d")), ["a"], "{{value}}")
    assert (result["status"][0], result["answer"][0]) == ("ok", "cut ?")
