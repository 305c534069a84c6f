import asyncio
import enum
import json
import re
import threading
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from agentkit import RunContextWrapper, ToolContext, UserError, function_tool
from agentkit.exceptions import ModelBehaviorError, ToolCallError
from agentkit.tooling import FunctionTool, generate_func_documentation


async def invoke(tool: FunctionTool, arguments: str = "{}", context: Any = None) -> Any:
    return await tool.on_invoke_tool(ToolContext(context, tool_name=tool.name), arguments)


class Location(TypedDict):
    lat: float
    long: float


def test_schema_follows_the_signature_and_the_docstring() -> None:
    @function_tool(name_override="fetch_data", strict_mode=False)
    def read_file(ctx: RunContextWrapper[Any], path: str, directory: str | None = None) -> str:
        """Read the contents of a file.

        Args:
            path: The path to the file to read.
            directory: The directory to read the file from.
        """
        return "<file contents>"

    assert (read_file.name, read_file.description) == ("fetch_data", "Read the contents of a file.")
    assert read_file.params_json_schema == {
        "properties": {
            "path": {"description": "The path to the file to read.", "title": "Path", "type": "string"},
            "directory": {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "default": None,
                "description": "The directory to read the file from.",
                "title": "Directory",
            },
        },
        "required": ["path"],
        "title": "fetch_data_args",
        "type": "object",
    }


def test_strict_schema_closes_objects_and_requires_everything() -> None:
    @function_tool
    def fetch_weather(location: Location, unit: str | None = None) -> str:
        return "sunny"

    schema = fetch_weather.params_json_schema
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["location", "unit"]
    assert schema["properties"]["unit"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Unit"}
    assert schema["$defs"]["Location"]["additionalProperties"] is False


GOOGLE = """Add numbers.

Args:
    a: The first.
    b: The second.
"""
NUMPY = """Add numbers.

Parameters
----------
a : int
    The first.
b : int
    The second.
"""
SPHINX = """Add numbers.

:param a: The first.
:param b: The second.
"""


@pytest.mark.parametrize("docstring", [GOOGLE, NUMPY, SPHINX])
def test_docstring_style_is_found_out(docstring: str) -> None:
    def add(a: int, b: int) -> int:
        return a + b

    add.__doc__ = docstring
    documentation = generate_func_documentation(add)
    assert documentation.description == "Add numbers."
    assert documentation.param_descriptions == {"a": "The first.", "b": "The second."}


def test_docstring_can_be_left_unread() -> None:
    @function_tool(use_docstring_info=False)
    def add(a: int) -> int:
        """Secret notes."""
        return a

    assert add.description == ""


def test_annotated_text_describes_a_parameter() -> None:
    @function_tool
    def look_up(city: Annotated[str, "Name of a city"], days: Annotated[int, Field(ge=1, le=7)] = 3) -> str:
        return city

    properties = look_up.params_json_schema["properties"]
    assert properties["city"] == {"description": "Name of a city", "title": "City", "type": "string"}
    assert (properties["days"]["minimum"], properties["days"]["maximum"]) == (1, 7)


class Tree(BaseModel):
    branches: list[Annotated["Tree", Field(description="A branch.")]]


class Unit(enum.Enum):
    CELSIUS = "c"
    KELVIN = "k"


class Person(BaseModel):
    name: str
    age: int


async def test_arguments_arrive_as_the_types_of_the_signature() -> None:
    got: list[Any] = []

    @function_tool
    async def take(person: Person, unit: Unit, *rest: int, flag: bool = False) -> str:
        got.extend([person, unit, rest, flag])
        return "ok"

    await invoke(take, '{"person": {"name": "Ada", "age": 36}, "unit": "k", "rest": [1, 2], "flag": true}')
    assert got == [Person(name="Ada", age=36), Unit.KELVIN, (1, 2), True]


@pytest.mark.parametrize("name", ["schema", "json", "model_config", "_hidden", "copy"])
async def test_parameter_names_that_pydantic_uses_itself_work(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def f({name}: int) -> int:\n    return {name}", namespace)
    tool = function_tool(namespace["f"])
    assert list(tool.params_json_schema["properties"]) == [name]
    assert await invoke(tool, f'{{"{name}": 7}}') == 7


async def test_context_reaches_the_tool_and_stays_out_of_the_schema() -> None:
    @function_tool
    def who(ctx: RunContextWrapper[str]) -> str:
        return ctx.context

    assert who.params_json_schema["properties"] == {}
    assert await invoke(who, context="Ada") == "Ada"


async def test_tool_context_tells_of_the_call() -> None:
    @function_tool
    def which(ctx: ToolContext[None]) -> str:
        return ctx.tool_name

    assert await invoke(which) == "which"


async def test_a_sync_function_runs_beside_the_event_loop() -> None:
    @function_tool
    def where() -> str:
        return threading.current_thread().name

    assert await invoke(where) != threading.current_thread().name


def test_a_tool_can_be_called_like_its_function() -> None:
    @function_tool
    def add(a: int, b: int = 1) -> int:
        return a + b

    assert add(2, b=3) == 5
    with pytest.raises(UserError, match="Tool 'bare' wasn't made from a function"):
        FunctionTool("bare", "", {}, invoke)()  # type: ignore[arg-type]


@pytest.mark.parametrize("strict", [False, True])
def test_a_tool_is_not_made_a_tool_twice(strict: bool) -> None:
    @function_tool
    def add(a: int) -> int:
        return a

    with pytest.raises(UserError, match="'add' is a tool already"):
        function_tool(add, strict_mode=strict)


async def test_a_failure_is_told_to_the_model() -> None:
    @function_tool
    def divide(a: int, b: int) -> float:
        return a / b

    said = await invoke(divide, '{"a": 1, "b": 0}')
    assert said == "An error occurred while running the tool. Please try again. Error: division by zero"


@pytest.mark.parametrize("is_async", [False, True])
async def test_own_failure_function_makes_the_text(is_async: bool) -> None:
    def plain(ctx: RunContextWrapper[Any], error: Exception) -> str:
        return f"sorry: {error}"

    async def later(ctx: RunContextWrapper[Any], error: Exception) -> str:
        return f"sorry: {error}"

    @function_tool(failure_error_function=later if is_async else plain)
    async def fail() -> str:
        raise RuntimeError("broken")

    assert await invoke(fail) == "sorry: broken"


async def test_without_failure_function_the_error_is_raised() -> None:
    @function_tool(failure_error_function=None)
    async def fail() -> str:
        raise RuntimeError("broken")

    with pytest.raises(ToolCallError, match="Tool 'fail' raised RuntimeError: broken") as caught:
        await invoke(fail)
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("error", "said"), [(StopIteration(), "StopIteration"), (SystemExit(2), r"it called sys\.exit\(2\)")]
)
async def test_a_tool_may_raise_even_what_ends_other_things(is_async: bool, error: BaseException, said: str) -> None:
    if is_async and isinstance(error, StopIteration):
        pytest.skip("Python itself turns it into a RuntimeError there")

    def fail() -> None:
        raise error

    async def fail_later() -> None:
        raise error

    assert re.search(said, await invoke(function_tool(fail_later if is_async else fail)))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("{not json", "Invalid JSON"),
        ('{"a": "x"}', r"a: Input should be a valid integer.*\(got 'x'\)"),
        ("{}", "a: Field required"),
        ("[1]", "Input should be an object"),
    ],
)
async def test_bad_arguments_are_named(arguments: str, problem: str) -> None:
    @function_tool(failure_error_function=None)
    def double(a: int) -> int:
        return 2 * a

    with pytest.raises(ModelBehaviorError, match=f"Invalid JSON input for tool double: {problem}"):
        await invoke(double, arguments)


@pytest.mark.parametrize("arguments", ["", " ", "\n", "null", " null ", '""', '" "', '"null"', '"{}"', "{}"])
async def test_nothing_stands_for_no_arguments(arguments: str) -> None:
    @function_tool(failure_error_function=None)
    def wait(minutes: int = 5) -> int:
        return minutes

    assert await invoke(wait, arguments) == 5


@pytest.mark.parametrize("arguments", ["", "null", '" "'])
async def test_nothing_is_not_enough_where_arguments_are_needed(arguments: str) -> None:
    @function_tool(failure_error_function=None)
    def double(a: int) -> int:
        return 2 * a

    with pytest.raises(ModelBehaviorError, match="Invalid JSON input for tool double: a: Field required"):
        await invoke(double, arguments)


async def test_arguments_that_were_encoded_twice_are_decoded_twice() -> None:
    @function_tool
    def shout(text: str) -> str:
        return text.upper()

    assert await invoke(shout, json.dumps(json.dumps({"text": 'é "x"'}))) == 'É "X"'


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (json.dumps(json.dumps(json.dumps({"a": 1}))), "Input should be an object"),
        ('"a = 1"', "Input should be an object"),
        ('"{not json"', "Invalid JSON"),
        ('"{', "Invalid JSON"),
        (json.dumps('{"a": "x"}'), "a: Input should be a valid integer"),
    ],
)
async def test_other_texts_are_no_arguments(arguments: str, problem: str) -> None:
    @function_tool(failure_error_function=None)
    def double(a: int) -> int:
        return 2 * a

    with pytest.raises(ModelBehaviorError, match=f"Invalid JSON input for tool double: {problem}"):
        await invoke(double, arguments)


async def test_a_recursive_model_with_a_description_can_be_an_argument() -> None:
    @function_tool
    def depth(tree: Tree) -> int:
        return 1 + max((depth_of(branch) for branch in tree.branches), default=0)

    def depth_of(tree: Tree) -> int:
        return 1 + max((depth_of(branch) for branch in tree.branches), default=0)

    assert depth.strict_json_schema
    assert await invoke(depth, '{"tree": {"branches": [{"branches": []}]}}') == 2


def test_context_must_come_first() -> None:
    def late(a: int, ctx: RunContextWrapper[None]) -> int:
        return a

    with pytest.raises(UserError, match="Tool 'late' takes its context as parameter 2, 'ctx'"):
        function_tool(late)


def test_free_keywords_need_non_strict_mode() -> None:
    def free(**options: int) -> int:
        return len(options)

    with pytest.raises(UserError, match=r"takes \*\*options, which strict mode can't express"):
        function_tool(free)
    assert function_tool(free, strict_mode=False).strict_json_schema is False


def test_a_dict_parameter_falls_back_to_non_strict_with_a_warning() -> None:
    def count(words: dict[str, int]) -> int:
        return len(words)

    with pytest.warns(UserWarning, match="Tool 'count' is used without strict mode: words takes arbitrary keys"):
        tool = function_tool(count)
    assert tool.strict_json_schema is False


def test_a_type_without_schema_is_refused() -> None:
    def bad(lock: threading.Lock) -> None: ...

    with pytest.raises(UserError, match="Tool 'bad' has a parameter of a type that JSON can't carry"):
        function_tool(bad)


def test_something_else_than_a_function_is_refused() -> None:
    with pytest.raises(UserError, match="function_tool needs a function, not int 7"):
        function_tool(7)  # type: ignore[call-overload]


async def test_cancelling_does_not_wait_for_a_sync_function() -> None:
    go_on, started = threading.Event(), threading.Event()

    @function_tool
    def wait() -> str:
        started.set()
        go_on.wait(10)
        return "done"

    task = asyncio.ensure_future(invoke(wait))
    await asyncio.to_thread(started.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not go_on.is_set()
    go_on.set()
