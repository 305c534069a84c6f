"""What can be a tool besides a plain function, what can't, and what tools are called."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agentkit import RunContextWrapper, ToolContext, UserError, function_tool
from agentkit.tooling import FunctionTool


async def invoke(tool: FunctionTool, arguments: str = "{}", context: Any = None) -> Any:
    return await tool.on_invoke_tool(ToolContext(context, tool_name=tool.name), arguments)


def described(tool: FunctionTool) -> tuple[str, str, dict[str, Any]]:
    properties = tool.params_json_schema["properties"]
    return tool.name, tool.description, {name: entry.get("description") for name, entry in properties.items()}


class Shop:
    """Sells things."""

    def __init__(self, prices: dict[str, int]) -> None:
        self.prices = prices

    def price(self, item: str) -> int:
        """Look up a price.

        Args:
            item: What to buy.
        """
        return self.prices[item]

    async def later(self, item: str) -> int:
        return self.prices[item]

    @classmethod
    def open_at(cls, hour: int) -> bool:
        return 8 <= hour < 18

    @staticmethod
    def currency() -> str:
        return "EUR"


@pytest.mark.parametrize(
    ("function", "name", "arguments", "result"),
    [
        (Shop({"tea": 3}).price, "price", '{"item": "tea"}', 3),
        (Shop({"tea": 3}).later, "later", '{"item": "tea"}', 3),
        (Shop.open_at, "open_at", '{"hour": 9}', True),
        (Shop.currency, "currency", "{}", "EUR"),
    ],
)
async def test_a_bound_method_is_a_tool(function: Callable[..., Any], name: str, arguments: str, result: Any) -> None:
    tool = function_tool(function)
    assert (tool.name, await invoke(tool, arguments)) == (name, result)


def test_a_bound_method_is_described_by_its_docstring() -> None:
    assert described(function_tool(Shop({}).price)) == ("price", "Look up a price.", {"item": "What to buy."})


def convert(amount: float, unit: str, *, digits: int = 2) -> str:
    """Convert an amount.

    Args:
        amount: How much.
        unit: Into what.
        digits: How exactly.
    """
    return f"{amount:.{digits}f} {unit}"


@pytest.mark.parametrize(
    ("function", "asked", "arguments", "result"),
    [
        (functools.partial(convert, 1.5), ["unit", "digits"], '{"unit": "m", "digits": 1}', "1.5 m"),
        (functools.partial(convert, unit="m"), ["amount", "digits"], '{"amount": 2, "digits": 0}', "2 m"),
        (functools.partial(convert, 2, "m", digits=3), [], "{}", "2.000 m"),
        (functools.partial(convert, amount=2.0), ["unit", "digits"], '{"unit": "m", "digits": 1}', "2.0 m"),
    ],
)
async def test_a_partial_asks_for_what_is_left(
    function: Callable[..., Any], asked: list[str], arguments: str, result: str
) -> None:
    tool = function_tool(function)
    texts = {"amount": "How much.", "unit": "Into what.", "digits": "How exactly."}
    assert described(tool) == ("convert", "Convert an amount.", {name: texts[name] for name in asked})
    assert await invoke(tool, arguments) == result


async def test_what_a_partial_gives_needs_no_schema() -> None:
    def count(ctx: RunContextWrapper[str], shop: Shop, item: str) -> str:
        return f"{ctx.context}: {shop.price(item)}"

    tool = function_tool(functools.partial(count, shop=Shop({"tea": 3})))
    assert list(tool.params_json_schema["properties"]) == ["item"]
    assert await invoke(tool, '{"item": "tea"}', "Ada") == "Ada: 3"


class HTTPGetter:
    """Gets pages."""

    async def __call__(self, address: str) -> str:
        return f"<{address}>"


class Adder:
    """Adds."""

    def __call__(self, a: int, b: int = 1) -> int:
        """Add two numbers.

        Args:
            a: The first.
            b: The second.
        """
        return a + b


@dataclass
class Scale:
    factor: int

    def __call__(self, value: int) -> int:
        return value * self.factor


@pytest.mark.parametrize(
    ("function", "description", "arguments", "result"),
    [
        (HTTPGetter(), ("http_getter", "Gets pages.", {"address": None}), '{"address": "x"}', "<x>"),
        (Adder(), ("adder", "Add two numbers.", {"a": "The first.", "b": "The second."}), '{"a": 1, "b": 2}', 3),
        (functools.partial(Adder(), 5), ("adder", "Add two numbers.", {"b": "The second."}), '{"b": 2}', 7),
        (Scale(3), ("scale", "", {"value": None}), '{"value": 2}', 6),
    ],
)
async def test_an_object_that_can_be_called_is_a_tool(
    function: Callable[..., Any], description: tuple[str, str, dict[str, Any]], arguments: str, result: Any
) -> None:
    tool = function_tool(function)
    assert described(tool) == description
    assert await invoke(tool, arguments) == result


def test_an_object_that_can_be_called_may_be_given_a_name() -> None:
    assert function_tool(Adder(), name_override="plus").name == "plus"


async def test_an_async_object_runs_on_the_event_loop() -> None:
    class Where:
        async def __call__(self) -> bool:
            return threading.current_thread() is here

    here = threading.current_thread()
    assert await invoke(function_tool(Where())) is True


def count_up(to: int) -> Iterator[int]:
    yield from range(to)


async def count_slowly(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number


class Counter:
    def __call__(self, to: int) -> Iterator[int]:
        yield from range(to)

    def run(self, to: int) -> Iterator[int]:
        yield from range(to)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (count_up, "count_up"),
        (count_slowly, "count_slowly"),
        (functools.partial(count_slowly, 3), "count_slowly"),
        (Counter(), "counter"),
        (Counter().run, "run"),
    ],
)
def test_a_generator_is_refused(function: Callable[..., Any], name: str) -> None:
    with pytest.raises(UserError, match=f"Tool '{name}' is a generator.* return a list or a text"):
        function_tool(function)


@pytest.mark.parametrize("first", ["self", "cls"])
def test_a_method_without_its_object_is_refused(first: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def look({first}, place: str) -> str: ...", namespace)
    with pytest.raises(UserError, match=rf"would be asked for '{first}'.*function_tool\(obj\.look\)"):
        function_tool(namespace["look"], name_override="find")


def test_a_parameter_named_self_with_a_type_is_an_ordinary_one() -> None:
    def greet(self: str) -> str:
        return self

    assert list(function_tool(greet).params_json_schema["properties"]) == ["self"]


@pytest.mark.parametrize("function", [Shop, functools.partial(Shop, {})])
def test_a_class_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match="function_tool needs a function, not the class Shop"):
        function_tool(function)


def test_a_class_method_that_is_not_bound_is_refused() -> None:
    method = inspect.getattr_static(Shop, "open_at")
    with pytest.raises(UserError, match=r"not classmethod .*function_tool\(Class\.method\)"):
        function_tool(method)


def test_a_function_without_signature_is_refused() -> None:
    with pytest.raises(UserError, match="Tool 'max' has no signature that can be read"):
        function_tool(max)


def météo() -> str:
    return "sunny"


@pytest.mark.parametrize(
    ("function", "options", "name"),
    [
        (lambda: "x", {}, "<lambda>"),
        (météo, {}, "météo"),
        (convert, {"name_override": "convert units"}, "convert units"),
        (convert, {"name_override": ""}, ""),
        (convert, {"name_override": "x" * 65}, "x" * 65),
        (convert, {"name_override": "convert\n"}, "convert\\n"),
    ],
)
def test_a_name_that_the_api_does_not_take_is_refused(
    function: Callable[..., Any], options: dict[str, Any], name: str
) -> None:
    with pytest.raises(UserError) as caught:
        function_tool(function, **options)
    assert caught.value.message.startswith(f"A tool can't be called '{name}': names have 1 to 64 of the characters")
    assert "name_override=" in str(caught.value)


@pytest.mark.parametrize("name", ["a", "look-up_2", "X" * 64])
def test_a_name_may_have_every_character_that_the_api_takes(name: str) -> None:
    assert function_tool(lambda: "x", name_override=name).name == name


def test_a_tool_made_by_hand_needs_such_a_name_too() -> None:
    async def answer(ctx: ToolContext[Any], arguments: str) -> str:
        return "x"

    with pytest.raises(UserError, match="A tool can't be called 'look up'"):
        FunctionTool("look up", "", {}, answer)
