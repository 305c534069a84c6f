"""Conditions on attributes: what each operator says of each kind of value."""

from __future__ import annotations

from typing import get_args

import pytest

from agentkit.local.vector_stores.filters import AllOf, AnyOf, Comparison, Filter, Operator, holds
from agentkit.local.vector_stores.passages import Attributes

FILE: Attributes = {"year": 2024, "share": 0.5, "kind": "law", "draft": False}

HOLD = [
    Comparison("eq", "year", 2024),
    Comparison("eq", "year", 2024.0),
    Comparison("eq", "kind", "law"),
    Comparison("eq", "draft", False),
    Comparison("ne", "year", 2023),
    Comparison("ne", "year", "2024"),
    Comparison("ne", "draft", 0),
    Comparison("ne", "missing", 1),
    Comparison("gt", "share", 0),
    Comparison("gte", "year", 2024),
    Comparison("lt", "kind", "laws"),
    Comparison("lte", "kind", "law"),
    Comparison("gt", "kind", "Law"),
    Comparison("in", "year", (1999, 2024)),
    Comparison("nin", "year", (1999, "2024")),
    Comparison("nin", "missing", (1,)),
    Comparison("nin", "year", ()),
    AllOf((Comparison("eq", "year", 2024), Comparison("eq", "kind", "law"))),
    AnyOf((Comparison("eq", "year", 1), Comparison("eq", "kind", "law"))),
    AllOf((AnyOf((Comparison("eq", "year", 1), AllOf(()))), Comparison("lt", "year", 2025))),
    AllOf(()),
    None,
]

DON_T_HOLD = [
    Comparison("eq", "year", "2024"),
    Comparison("eq", "draft", 0),
    Comparison("eq", "missing", 1),
    Comparison("ne", "year", 2024.0),
    Comparison("gt", "year", "2000"),
    Comparison("lt", "year", "3000"),
    Comparison("gte", "draft", False),
    Comparison("lte", "draft", 1),
    Comparison("gt", "year", True),
    Comparison("gt", "kind", 1),
    *(Comparison(operator, "missing", 1) for operator in ("gt", "gte", "lt", "lte")),
    Comparison("gt", "kind", "law"),
    Comparison("lt", "year", 2024),
    Comparison("in", "year", ("2024", True)),
    Comparison("in", "year", ()),
    Comparison("in", "missing", (1,)),
    Comparison("nin", "kind", ("law",)),
    AllOf((Comparison("eq", "year", 2024), Comparison("eq", "kind", "x"))),
    AnyOf((Comparison("eq", "year", 1), Comparison("eq", "kind", "x"))),
    AnyOf(()),
]


@pytest.mark.parametrize("condition", HOLD, ids=str)
def test_conditions_that_hold(condition: Filter | None) -> None:
    assert holds(condition, FILE)


@pytest.mark.parametrize("condition", DON_T_HOLD, ids=str)
def test_conditions_that_don_t_hold(condition: Filter) -> None:
    assert not holds(condition, FILE)


def test_every_operator_is_looked_at_above() -> None:
    compared = {condition.operator for condition in (*HOLD, *DON_T_HOLD) if isinstance(condition, Comparison)}
    assert compared == set(get_args(Operator))
