"""Agents are scored with cases whose answers are known, and scores compared."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import agentkit
from agentkit import Agent, FineTuningDataset, ModelSettings, UserError
from agentkit.exceptions import UnknownModelError
from agentkit.finetuning.judging import wilson
from agentkit.testing import ScriptedModel

CASES = pd.DataFrame(
    {
        "message": ["Where is my parcel?", "I was charged twice!", "It crashes."],
        "category": ["shipping", "billing", "technical"],
        "priority": ["low", "high", "high"],
    }
)
RIGHT = ['{"category":"shipping","priority":"low"}', '{"category":"billing","priority":"high"}']


def scored(*replies: Any, cases: Any = CASES, **options: Any) -> agentkit.Scores:
    asked = {"prompt": "message", "answer": ["category", "priority"]} if cases is CASES else {}
    return agentkit.score(ScriptedModel(*replies), cases, max_concurrency=1, **asked, **options)


def test_a_row_for_each_case_says_what_is_right(home: Path) -> None:
    scores = scored(RIGHT[0], '{"category": "billing", "priority": "low"}', "no idea")
    columns = ["question", "answer", "right", "right_category", "right_priority"]
    assert scores[columns].to_numpy().tolist() == [
        ["Where is my parcel?", RIGHT[0], True, True, True],
        ["I was charged twice!", '{"category": "billing", "priority": "low"}', False, True, False],
        ["It crashes.", "no idea", False, False, False],
    ]
    assert (scores.correct, scores.score) == (1, 1 / 3)
    assert scores.fields == {"category": 2 / 3, "priority": 1 / 3}
    assert scores["input_tokens"].gt(0).all()
    assert str(scores["trace_id"].iloc[0]).startswith("trace_")


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ('{"n": 1, "tags": ["a"]}', True),
        ('{"tags":["a"],"n":1.0}', True),
        ('```json\n{"tags":["a"],"n":1}\n```', True),
        ('{"n": true, "tags": ["a"]}', False),
        ('{"n": 1, "tags": ["a"], "more": 0}', False),
        ('{"n": 1}', False),
        ("[1]", False),
        ("", False),
    ],
)
def test_json_is_compared_by_its_values(home: Path, answer: str, right: bool) -> None:
    assert scored(answer, cases=[("How many?", '{"n": 1, "tags": ["a"]}')]).correct == right


def test_texts_are_compared_but_for_spaces_around_them(home: Path) -> None:
    scores = scored(" yes\n", "Yes", cases=[("Is it?", "yes"), ("Is it not?", "yes")])
    assert scores["right"].tolist() == [True, False]
    assert scores.attrs["compare"] == "exact"
    assert scores.fields == {}


def test_a_function_decides_and_where_it_fails_the_case_is_wrong_and_says_so(home: Path) -> None:
    def near(expected: str, answer: str) -> bool:
        return abs(float(expected) - float(answer)) < 0.1

    scores = scored("3.1", "2", "about 3", cases=[("pi?", "3.14"), ("e?", "2.72"), ("pi again?", "3.14")], compare=near)
    assert scores["right"].tolist() == [True, False, False]
    assert scores["error"].iloc[2] == (
        "The comparison failed: ValueError: could not convert string to float: 'about 3'"
    )
    assert scores["answer"].iloc[2] == "about 3"


def test_a_case_that_fails_is_wrong_told_and_stops_nothing(home: Path) -> None:
    scores = scored(RIGHT[0], ValueError("the model fell over"), '{"category":"technical","priority":"high"}')
    assert scores["right"].tolist() == [True, False, True]
    assert scores["error"].tolist() == [pd.NA, "ValueError: the model fell over", pd.NA]
    assert scores["right_category"].tolist() == [True, False, True]
    assert "1 failed, such as: ValueError: the model fell over" in repr(scores)
    assert len(scores.failed) == 1


def test_keys_are_taken_out_of_errors(home: Path) -> None:
    key = "sk-proj-" + "a1B2c3D4" * 6
    scores = scored(ValueError(f"bad key {key}"), cases=[("a?", "b")])
    assert key not in scores["error"].iloc[0]


def test_where_nothing_can_be_asked_at_all_nothing_is_scored(home: Path) -> None:
    with pytest.raises(UnknownModelError, match="no such"):
        scored(UnknownModelError("no such model"), cases=[("a?", "b"), ("c?", "d")])


def test_a_model_is_asked_as_the_examples_ask(home: Path) -> None:
    dataset = FineTuningDataset.from_examples([("1 and 1?", "2")], system="Reckon.")
    model = ScriptedModel("2")
    agentkit.score(model, dataset, max_tokens=17)
    (request,) = model.requests
    assert [(each["role"], each["content"]) for each in request.input] == [("system", "Reckon."), ("user", "1 and 1?")]
    assert (request.system_instructions, request.model_settings.max_tokens) == (None, 17)


def test_an_agent_with_instructions_is_not_told_twice(home: Path) -> None:
    dataset = FineTuningDataset.from_examples([("1 and 1?", "2")], system="Reckon.")
    model = ScriptedModel("2")
    agent = Agent(name="clerk", instructions="Count.", model=model, model_settings=ModelSettings(temperature=0.5))
    agentkit.score(agent, dataset)
    (request,) = model.requests
    assert [each["role"] for each in request.input] == ["user"]
    assert (request.system_instructions, request.model_settings.temperature) == ("Count.", 0.5)


def test_pairs_are_cases_whose_liked_answer_is_the_right_one(home: Path) -> None:
    line = {
        "input": {"messages": [{"role": "user", "content": "Hi"}]},
        "preferred_output": [{"role": "assistant", "content": "Hello"}],
        "non_preferred_output": [{"role": "assistant", "content": "What?"}],
    }
    assert scored("Hello", cases=FineTuningDataset.from_examples([line])).correct == 1


def test_wrong_answers_become_pairs_with_their_runs(home: Path) -> None:
    scores = agentkit.score(
        Agent(name="router", instructions="Route.", model=ScriptedModel(RIGHT[0], "no idea", ValueError("broken"))),
        CASES, prompt="message", answer=["category", "priority"], max_concurrency=1,
    )  # fmt: skip
    pairs = scores.to_pairs()
    told = [{"role": "system", "content": "Route."}, {"role": "user", "content": "I was charged twice!"}]
    assert list(pairs) == [
        {
            "input": {"messages": told},
            "preferred_output": [{"role": "assistant", "content": RIGHT[1]}],
            "non_preferred_output": [{"role": "assistant", "content": "no idea"}],
        }
    ]
    assert pairs.sources is not None
    assert pairs.sources.to_dict("records") == [{"line": 1, "case": 1, "trace_id": scores["trace_id"].iloc[1]}]


def test_where_all_is_right_there_are_no_pairs(home: Path) -> None:
    with pytest.raises(UserError, match="No answer is wrong"):
        scored("b", cases=[("a?", "b")]).to_pairs()


def test_what_was_answered_instead_is_counted(home: Path) -> None:
    scores = scored(RIGHT[0], '{"category":"shipping","priority":"low"}', "no idea")
    table = scores.confusion("category")
    assert table.loc["billing"].to_dict() == {"shipping": 1, "(no answer)": 0}
    assert table.loc["technical"].to_dict() == {"shipping": 0, "(no answer)": 1}
    with pytest.raises(UserError, match="There is no field 'mood'"):
        scores.confusion("mood")


@pytest.mark.parametrize(
    ("cases", "options", "told"),
    [
        ([], {}, "There are no cases"),
        ([("a?", "b")], {"max_concurrency": 0}, "max_concurrency is a whole number"),
        ([("a?", "b")], {"max_tokens": True}, "max_tokens is a whole number"),
        ([("a?", "b")], {"max_tokens": 15}, "max_tokens is a whole number of 16 or more, not 15"),
        ([("a?", "b")], {"compare": "fuzzy"}, "compare is 'fuzzy'"),
        ([("a?", "b")], {"compare": "json"}, "The answer of case 1 is no JSON object: 'b'"),
        ([{"messages": [{"role": "user", "content": "a?"}]}], {}, "Case 1 has no answer"),
        ([{"messages": [{"role": "assistant", "content": "b"}]}], {}, "Case 1 asks nothing"),
        (CASES, {"prompt": "message", "answer": ["category", "mood"]}, "There is no column 'mood'"),
        (CASES, {"prompt": "message", "answer": 5}, "There is no column 5"),
        ([("a?", "b")], {"on_progress": 5}, "on_progress can't be 5"),
        (FineTuningDataset.from_examples([("a?", "b")]), {"prompt": "message"}, "prompt and answer name columns"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_asked(
    home: Path, cases: Any, options: dict[str, Any], told: str
) -> None:
    model = ScriptedModel()
    with pytest.raises(UserError, match=told):
        agentkit.score(model, cases, **options)
    assert model.requests == []


def test_what_is_no_agent_and_no_model_is_told() -> None:
    with pytest.raises(UserError, match="An agent or a model is scored, not 7"):
        agentkit.score(7, [("a?", "b")])


def test_progress_is_told_after_each_case(home: Path) -> None:
    seen: list[tuple[int, int]] = []
    scored("b", "b", cases=[("a?", "b"), ("c?", "d")], on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


async def test_it_can_be_awaited(home: Path) -> None:
    assert (await agentkit.ascore(ScriptedModel("b"), [("a?", "b")])).score == 1.0


def test_scores_are_compared_in_one_table(home: Path) -> None:
    table = agentkit.compare_scores(
        before=scored("?", "?", "?"), after=scored(*RIGHT, '{"category":"technical","priority":"low"}')
    )
    assert table.index.tolist() == ["before", "after"]
    assert table["score"].tolist() == [0.0, pytest.approx(2 / 3)]
    assert table["gained"].tolist() == [0.0, pytest.approx(200 / 3)]
    assert table[["category", "priority"]].loc["after"].tolist() == [1.0, pytest.approx(2 / 3)]
    assert table["cost_usd"].isna().all()
    assert sorted(table.scores) == ["after", "before"]
    assert "+67 points" in repr(table)
    assert "unknown" in repr(table)


def test_scores_of_different_cases_are_not_compared(home: Path) -> None:
    with pytest.raises(UserError, match="after is of other cases than before"):
        agentkit.compare_scores(before=scored("b", cases=[("a?", "b")]), after=scored("b", cases=[("a?", "c")]))
    with pytest.raises(UserError, match="There is nothing to compare"):
        agentkit.compare_scores()
    with pytest.raises(UserError, match="before is 0.5, and no score"):
        agentkit.compare_scores(before=0.5)


def test_approaches_are_scored_with_the_same_cases(home: Path) -> None:
    prompting = Agent(name="asked", instructions="Route.", model=ScriptedModel(RIGHT[0], "?", "?"))
    tuned = ScriptedModel(*RIGHT, "?")
    seen: list[tuple[int, int]] = []
    table = agentkit.compare_approaches(
        CASES, prompt="message", answer=["category", "priority"], max_concurrency=1, prompting=prompting,
        fine_tuning=tuned, on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert table["score"].round(2).to_dict() == {"prompting": 0.33, "fine_tuning": 0.67}
    assert (seen[0], seen[-1]) == ((1, 6), (6, 6))
    with pytest.raises(UserError, match="There is nothing to compare"):
        agentkit.compare_approaches(CASES)


def test_the_text_is_short_and_what_models_say_is_shown_and_nothing_else(home: Path) -> None:
    scores = scored("\x1b[31m<b>&", cases=[("a?", "b")])
    assert repr(scores) == (
        "ScriptedModel: 0 of 1 right, 0 % (0 to 79 %)\n  ✗ a?\n      expected b\n      answered [31m<b>&"
    )
    assert "&lt;b&gt;&amp;" in scores._repr_html_()
    assert "<b>&" not in scores._repr_html_()


def test_what_is_chosen_of_scores_is_an_ordinary_dataframe(home: Path) -> None:
    scores = scored("b", "?", cases=[("a?", "b"), ("c?", "d")])
    assert type(scores[scores["right"]]) is pd.DataFrame
    assert scores.wrong["question"].tolist() == ["c?"]


@pytest.mark.parametrize(
    ("right", "total", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (95, 100, 0.8882, 0.9785)]
)
def test_the_interval_is_wilsons(right: int, total: int, low: float, high: float) -> None:
    # the published values of the score interval, as statsmodels' proportion_confint(method="wilson") has them
    assert wilson(right, total) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_no_right_one_of_many_still_has_an_interval() -> None:
    low, high = wilson(0, 1)
    assert low == 0.0
    assert math.isclose(high, 0.7935, abs_tol=1e-4)
