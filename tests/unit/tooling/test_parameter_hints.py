"""The types of parameters are found where annotations are text, and where some of them can't be read."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from pydantic import BaseModel

from agentkit import ToolContext, UserError, function_tool

if TYPE_CHECKING:
    from decimal import Decimal as Unseen

    from agentkit import RunContextWrapper

T = TypeVar("T")


def properties(function: Callable[..., Any]) -> Any:
    return function_tool(function).params_json_schema["properties"]


def test_a_return_type_for_type_checkers_only_does_not_matter() -> None:
    def half(amount: float) -> Unseen:
        raise NotImplementedError

    assert properties(half) == {"amount": {"title": "Amount", "type": "number"}}


def test_a_parameter_whose_type_is_for_type_checkers_only_is_named() -> None:
    def half(amount: float, limit: list[Unseen]) -> None: ...

    with pytest.raises(UserError) as caught:
        function_tool(half)
    assert str(caught.value) == (
        "Tool 'half' has a parameter 'limit' whose type, list[Unseen], can't be read: name 'Unseen' is not defined. "
        "Import or define the type where the function is defined, before it is made a tool "
        "(not under `if TYPE_CHECKING`)."
    )


def test_text_that_is_no_type_is_named() -> None:
    def half(amount: float) -> None: ...

    half.__annotations__["amount"] = "a number"
    with pytest.raises(UserError, match="'amount' whose type, a number, can't be read"):
        function_tool(half)


async def test_the_context_may_be_for_type_checkers_only() -> None:
    def who(ctx: RunContextWrapper[Unseen], greeting: str) -> str:
        return f"{greeting} {ctx.context}"

    tool = function_tool(who)
    assert list(tool.params_json_schema["properties"]) == ["greeting"]
    assert await tool.on_invoke_tool(ToolContext("Ada"), '{"greeting": "Hello"}') == "Hello Ada"


def test_a_model_of_the_function_around_is_found() -> None:
    class Place(BaseModel):
        name: str

    @function_tool
    def look(place: Place, others: list[Place]) -> None: ...

    assert look.params_json_schema["properties"] == {
        "place": {"$ref": "#/$defs/Place"},
        "others": {"items": {"$ref": "#/$defs/Place"}, "title": "Others", "type": "array"},
    }


def test_a_model_of_a_function_further_out_is_found() -> None:
    class Place(BaseModel):
        name: str

    def inner() -> Any:
        class Guide:
            def look(self, place: Place) -> None: ...

        return properties(Guide().look)

    assert inner() == {"place": {"$ref": "#/$defs/Place"}}


def test_a_model_in_the_closure_is_found_when_its_function_has_ended() -> None:
    def define() -> Callable[..., Any]:
        class Place(BaseModel):
            name: str

        def look(place: Place) -> str:
            return Place(name="x").name

        return look

    assert properties(define()) == {"place": {"$ref": "#/$defs/Place"}}


class Town(BaseModel):
    name: str


def test_the_nearest_of_two_models_with_one_name_counts() -> None:
    class Town(BaseModel):
        inhabitants: int

    @function_tool
    def look(town: Town) -> Unseen:
        raise NotImplementedError

    assert look.params_json_schema["$defs"]["Town"]["required"] == ["inhabitants"]


def test_a_decorated_function_is_read_where_it_was_written() -> None:
    def log(function: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> T:
            return function(*args, **kwargs)

        return wrapper

    class Place(BaseModel):
        name: str

    @function_tool
    @log
    def look(place: Place) -> Unseen:
        raise NotImplementedError

    assert look.params_json_schema["properties"] == {"place": {"$ref": "#/$defs/Place"}}
