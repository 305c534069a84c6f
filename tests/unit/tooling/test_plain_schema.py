"""The schemas written without pydantic are those that pydantic writes, to the order of their keys."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from agentkit.tooling import function_schema


class Colour(enum.Enum):
    RED = "red"


def no_parameters() -> None: ...


def plain(text_name: str, count: int, ratio: float, flag: bool, nothing: None, free: Any, items: list) -> None: ...  # type: ignore[type-arg]


def nested(names: list[str], rows: list[list[int]], free: list[Any]) -> None: ...


def literals(one: Literal["a"], some: Literal["a", "b"], numbers: Literal[1, 2] = 1) -> None: ...


def unions(a: int | None, b: None | int, c: str | int | None = None, d: list[str | None] | str = "x") -> None: ...  # noqa: RUF036 (the order is the point)


def defaults(text: str = "é", count: int = 3, ratio: float = 0.5, flag: bool = False, nothing: None = None) -> None: ...


def annotated(
    city: Annotated[str, "Name of the city."], day: Annotated[int | None, "Days from today."] = 0
) -> None: ...


def google(city: str, day: int = 0, unit: Annotated[str, "Not this."] = "c") -> None:
    """Look up.

    Args:
        city: Name of
            the city.
        day: Days from "today".
        unit: Unit.
    """


def only_arguments(city: str, days: list[int]) -> None:
    """Args:
        city: Name of the city.
        days: Days from today.
    """  # fmt: skip


PLAIN = [no_parameters, plain, nested, literals, unions, defaults, annotated, google, only_arguments]


def enumeration(colour: Colour) -> None: ...


def constrained(count: Annotated[int, Field(ge=1)]) -> None: ...


def field_default(count: int = Field(default=3, description="How many.")) -> None: ...


def list_default(names: list[str] = []) -> None: ...  # noqa: B006


def infinite(limit: float = float("inf")) -> None: ...


def mixed_literal(value: Literal["a", 1]) -> None: ...


def renamed(_hidden: str, schema: str) -> None: ...


def several(*names: str) -> None: ...


@pytest.mark.parametrize("function", PLAIN)
def test_a_plain_signature_gives_the_schema_that_its_model_has(function: Callable[..., None]) -> None:
    schema = function_schema(function, strict_json_schema=False)
    assert "params_pydantic_model" not in vars(schema)  # not made yet
    assert json.dumps(schema.params_json_schema) == json.dumps(schema.params_pydantic_model.model_json_schema())


@pytest.mark.parametrize(
    "function",
    [enumeration, constrained, field_default, list_default, infinite, mixed_literal, renamed, several],
)
def test_any_other_signature_is_left_to_pydantic(function: Callable[..., None]) -> None:
    schema = function_schema(function, strict_json_schema=False)
    assert schema.params_json_schema == schema.params_pydantic_model.model_json_schema()
    assert schema.make_model() is schema.params_pydantic_model  # it was made for the schema
