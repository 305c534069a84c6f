"""Filters written as Python, and what is said of wrong ones."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.exceptions import UserError
from agentkit.local.vector_stores.asked_filters import read_filter
from agentkit.local.vector_stores.filters import holds
from agentkit.tooling.file_filters import Condition, attr, filter_json


@pytest.mark.parametrize(
    ("condition", "json"),
    [
        (attr("year") == 2024, {"type": "eq", "key": "year", "value": 2024}),
        (attr("year") != 2024, {"type": "ne", "key": "year", "value": 2024}),
        (attr("year") > 2024, {"type": "gt", "key": "year", "value": 2024}),
        (attr("year") >= 2024.5, {"type": "gte", "key": "year", "value": 2024.5}),
        (attr("year") < 2024, {"type": "lt", "key": "year", "value": 2024}),
        (attr("year") <= 2024, {"type": "lte", "key": "year", "value": 2024}),
        (attr("draft") == True, {"type": "eq", "key": "draft", "value": True}),  # noqa: E712 (what is tested)
        (attr("lang").isin(["en", "de"]), {"type": "in", "key": "lang", "value": ["en", "de"]}),
        (attr("lang").notin(("en",)), {"type": "nin", "key": "lang", "value": ["en"]}),
        (attr("n") == np.int64(3), {"type": "eq", "key": "n", "value": 3}),
        (attr("day") >= datetime.date(2024, 1, 1), {"type": "gte", "key": "day", "value": 1704067200}),
        (attr("day") >= pd.Timestamp("2024-01-01"), {"type": "gte", "key": "day", "value": 1704067200}),
    ],
)  # fmt: skip
def test_comparisons_become_the_apis(condition: Condition, json: dict[str, Any]) -> None:
    assert condition.to_dict() == json


def test_conditions_are_joined_and_parts_of_one_kind_lie_flat() -> None:
    joined = (attr("a") == 1) & (attr("b") == 2) & {"type": "ne", "key": "c", "value": 3}
    assert (joined | (attr("d") > 4)).to_dict() == {
        "type": "or",
        "filters": [
            {
                "type": "and",
                "filters": [
                    {"type": "eq", "key": "a", "value": 1},
                    {"type": "eq", "key": "b", "value": 2},
                    {"type": "ne", "key": "c", "value": 3},
                ],
            },
            {"type": "gt", "key": "d", "value": 4},
        ],
    }


def test_not_is_carried_inwards() -> None:
    turned = ~((attr("a") >= 1) & (attr("b") == 2) | attr("c").isin(["x"]))
    assert turned == ((attr("a") < 1) | (attr("b") != 2)) & attr("c").notin(["x"])
    assert ~~turned == turned


def test_a_condition_is_shown_as_it_is_written() -> None:
    assert repr((attr("year") >= 2024) & ~attr("lang").isin(["en"])) == (
        "(attr('year') >= 2024) & (attr('lang').notin(['en']))"
    )


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda: (attr("a") == 1) and (attr("b") == 2), r"found out file by file.*Join conditions by &, \| and ~"),
        (lambda: 0 if attr("a") == 1 else 1, "found out file by file"),
        (lambda: 1 < attr("a") < 3, "found out file by file"),
        (lambda: (attr("a") > 2) & attr("b"), r"attr\('b'\) is no condition"),
        (lambda: attr("a") > 2 & attr("b"), r"attr\('b'\) is not a condition yet"),  # type: ignore[operator]
        (lambda: bool(attr("draft")), r"Compare it: attr\(\"draft\"\) == True"),
        (lambda: "x" in attr("tag"), "isin"),  # type: ignore[operator]
        (lambda: attr("a") == None, r"None, which is no value.*!= and .notin are true of it"),  # noqa: E711
        (lambda: attr("a") == float("nan"), "nan, which is no value"),
        (lambda: attr("a") == pd.NaT, "NaT, which is no value"),
        (lambda: attr("a") == [1], r"can't be list \[1\]. Use text, a number"),
        (lambda: attr("a") == attr("b"), "only with a value"),
        (lambda: attr("a") >= True, "booleans have no order"),
        (lambda: attr("a").isin("en"), r"isin takes several values, not 'en'. Pass a list"),
        (lambda: attr("a").isin([]), "empty list"),
        (lambda: attr(""), "named by its key"),
        (lambda: attr("k" * 65), "65 characters; at most 64"),
        (lambda: (attr("a") == 1) & 3, "3 is no condition"),
    ],
)
def test_misuse_is_told(write: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        write()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": ">=", "key": "a", "value": 1}, r'no operator \'>=\'. Did you mean "gte"\?'),
        ({"key": "a", "value": 1}, "names no operator"),
        ({"type": "eq", "key": "a"}, "lacks 'value'"),
        ({"type": "eq", "key": "a", "value": 1, "values": 2}, "has 'values', which 'eq' doesn't take"),
        ({"type": "and", "filters": []}, "filters.filters is empty"),
        ({"type": "or", "filters": {"type": "eq"}}, "has to be a list of filters"),
        ({"type": "or", "filters": [{"type": "xor"}]}, r"filters.filters\[0\] has no operator 'xor'"),
        ([("a", 1)], "filters can't be list"),
        (attr("a"), "not a condition yet"),
    ],
)
def test_wrong_dictionaries_are_told_with_their_place(given: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        filter_json(given)


def test_right_dictionaries_are_taken_as_they_are() -> None:
    given = {"type": "and", "filters": [{"type": "in", "key": "a", "value": ["x", 1]}]}
    assert filter_json(given) == given
    assert filter_json(None) is None


KEYS = st.sampled_from(["a", "b", "c"])
COMPARED = st.one_of(
    st.builds(
        lambda key, sign, value: Condition({"type": sign, "key": key, "value": value}),
        KEYS,
        st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]),
        st.integers(0, 3),
    ),
    st.builds(
        lambda key, sign, values: Condition({"type": sign, "key": key, "value": values}),
        KEYS,
        st.sampled_from(["in", "nin"]),
        st.lists(st.integers(0, 3), min_size=1, max_size=3),
    ),
)
CONDITIONS = st.recursive(
    COMPARED,
    lambda part: st.one_of(
        st.builds(lambda one, other: one & other, part, part),
        st.builds(lambda one, other: one | other, part, part),
        st.builds(lambda one: ~one, part),
    ),
    max_leaves=8,
)


@given(condition=CONDITIONS, values=st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)))
def test_not_is_the_opposite_for_every_file_that_has_the_attributes(
    condition: Condition, values: tuple[int, ...]
) -> None:
    attributes = dict(zip("abc", values, strict=True))
    holding = holds(read_filter(condition.to_dict()), attributes)
    assert holds(read_filter((~condition).to_dict()), attributes) is not holding
