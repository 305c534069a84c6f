"""Options whose values are numbers, amounts or model settings; those set often have options of their own."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from typing import TYPE_CHECKING, Any

from agentkit.notebook.options import Arguments, Command, Option, closest, usage_error

if TYPE_CHECKING:
    from agentkit.models import ModelSettings

__all__ = [
    "AGENT_SETTINGS",
    "COUNT",
    "RUN_SETTINGS",
    "check_tool_choice",
    "count",
    "dollars",
    "model_settings",
    "pair",
    "setting_names",
    "yes_or_no",
]

COUNT = "a whole number of 1 or more"
"""What an option that `count` converts has to be."""

_CHOICES = ("auto", "required", "none")
_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


def yes_or_no(text: str) -> bool:
    """Return what `yes` or `no` means.

    Raises:
        ValueError: It is neither.
    """
    if text.lower() not in (*_YES, *_NO):
        raise ValueError
    return text.lower() in _YES


def count(text: str) -> int:
    """Return a whole number of 1 or more: `500` or `1_000`.

    Raises:
        ValueError: It is none.
    """
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def dollars(text: str) -> float:
    """Return an amount of US dollars: `0.05` or `$0.05`.

    Raises:
        ValueError: It is none above 0.
    """
    amount = float(text.strip().removeprefix("$"))
    if not 0 < amount < math.inf:
        raise ValueError
    return amount


def pair(text: str) -> tuple[str, str]:
    """Return the two sides of `name=value`.

    Raises:
        ValueError: There is no `=`, or nothing before it.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError
    return name.strip(), value.strip()


_TEMPERATURE = Option("--temperature", "Randomness, 0 to 2.", "NUMBER", convert=float)
_MAX_TOKENS = Option("--max-tokens", "Most tokens of an answer.", "COUNT", kind=COUNT, convert=count)
_SET = Option(
    "--set",
    'Any other model setting, its value in JSON: --set top_logprobs=3 reasoning={"effort": "low"}.',
    "NAME=VALUE",
    many=True,
    expression=True,
    convert=pair,
    values="model settings",
)

RUN_SETTINGS = (_TEMPERATURE, _MAX_TOKENS, _SET)
"""Options for one run."""

AGENT_SETTINGS = (
    _TEMPERATURE,
    Option("--top-p", "Share of probability to sample from, 0 to 1.", "NUMBER", convert=float),
    _MAX_TOKENS,
    Option("--tool-choice", "auto, required, none, or the tool that it must call.", "CHOICE", values="tool choices"),
    Option(
        "--parallel-tool-calls",
        "Whether an answer may hold several calls.",
        "yes or no",
        convert=yes_or_no,
        values="choices",
        choices=("yes", "no"),
    ),
    Option("--frequency-penalty", "-2 to 2; Chat Completions only.", "NUMBER", convert=float),
    Option("--presence-penalty", "-2 to 2; Chat Completions only.", "NUMBER", convert=float),
    Option(
        "--truncation",
        "What becomes of input that is too long: auto drops some, disabled is an error.",
        "HOW",
        values="choices",
        choices=("auto", "disabled"),
    ),
    Option(
        "--reasoning-effort",
        "How much a reasoning model thinks.",
        "LEVEL",
        values="choices",
        choices=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    ),
    Option("--verbosity", "How wordy its answers are.", "LEVEL", values="choices", choices=("low", "medium", "high")),
    Option(
        "--store",
        "Whether the platform keeps its responses.",
        "yes or no",
        convert=yes_or_no,
        values="choices",
        choices=("yes", "no"),
    ),
    Option("--metadata", "Kept with the platform's responses.", "NAME=VALUE", many=True, whole=True, convert=pair),
    _SET,
)
"""Options of an agent."""

_RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "max_tokens": (1, None),
    "top_logprobs": (0, 20),
}
_BY_NAME = ("temperature", "top_p", "max_tokens", "tool_choice", "parallel_tool_calls", "frequency_penalty",
            "presence_penalty", "truncation", "verbosity", "store")  # fmt: skip
_SECRET_SETTINGS = ("extra_headers",)


def setting_names() -> list[str]:
    """Return the names of all model settings, in the order of their documentation."""
    from agentkit.models import ModelSettings

    return [field.name for field in dataclasses.fields(ModelSettings)]


def model_settings(command: Command, arguments: Arguments) -> ModelSettings:
    """Return the settings that a magic's options make.

    Raises:
        UsageError: One is given twice, is out of its range, has no such name, or can't have that value.
    """
    from agentkit.exceptions import UserError
    from agentkit.models import ModelSettings

    values: dict[str, Any] = {name: arguments[name] for name in _BY_NAME if arguments[name] is not None}
    if arguments["reasoning_effort"]:
        values["reasoning"] = {"effort": arguments["reasoning_effort"]}
    if arguments["metadata"]:
        values["metadata"] = dict(arguments["metadata"])
    for name, text in arguments["set"] or ():
        if name in values:
            raise usage_error(command, f"{name} is set twice.")
        values[name] = _value(command, name, text)
    set_generally = {name for name, _ in arguments["set"] or ()}
    for name, (low, high) in _RANGES.items():
        flag = f"--set {name}" if name in set_generally else f"--{name.replace('_', '-')}"
        _check_range(command, flag, values.get(name), low, high)
    try:
        return ModelSettings(**values)
    except UserError as error:
        raise usage_error(command, str(error)) from None


def check_tool_choice(command: Command, choice: Any, tools: list[str]) -> None:
    """Refuse a tool choice that names no tool.

    Args:
        command: The magic, for the error.
        choice: What was chosen; None and what is no text is left to the platform.
        tools: Names of the agent's tools and handoffs.

    Raises:
        UsageError: It is neither one of them nor auto, required or none.
    """
    if isinstance(choice, str) and choice not in (*_CHOICES, *tools):
        known = ", ".join([*_CHOICES, *tools])
        raise usage_error(command, f"--tool-choice has to be one of {known}; not {choice}.{closest(choice, tools)}")


def _value(command: Command, name: str, text: str) -> Any:
    """Return a setting's value, read as JSON and checked against its type."""
    from pydantic import TypeAdapter, ValidationError

    from agentkit.exceptions import UserError
    from agentkit.models import ModelSettings

    known = setting_names()
    if name not in known:
        near = closest(name, known) or f' For a parameter of the API alone: --set extra_args={{"{name}": …}}.'
        raise usage_error(command, f"There is no model setting {name}.{near}")
    shown = "…" if name in _SECRET_SETTINGS else repr(text)
    try:
        value = _read(text)
        adapter: TypeAdapter[Any] = TypeAdapter(typing.get_type_hints(ModelSettings)[name])
        checked = adapter.validate_python(value)
    except ValidationError as error:
        kind = str(dict(_types())[name]).replace(" | None", "")
        problem = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise usage_error(command, f"--set {name} can't be {shown}: {problem}; it is {kind}.") from None
    except (UserError, ValueError) as error:
        raise usage_error(command, f"--set {name} can't be {shown}: {error}.") from None
    _check_keys(command, name, value, checked)
    # a mapping that pydantic has gone through is still what was given; a settings object it has made of one is new
    return checked if dataclasses.is_dataclass(checked) or not isinstance(value, (dict, list)) else value


def _check_keys(command: Command, name: str, given: Any, made: Any) -> None:
    """Refuse keys that a settings object doesn't have: pydantic would drop them."""
    if dataclasses.is_dataclass(made) and isinstance(given, dict):
        known = [field.name for field in dataclasses.fields(made)]
        for key in given:
            if key not in known:
                near = closest(key, known) or f" It has {', '.join(known)}."
                raise usage_error(command, f"--set {name} has no {key}.{near}")


def _read(text: str) -> Any:
    """Return what a text stands for: JSON, or itself where it is plain words."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        if text[:1] in ("{", "[", '"'):
            raise ValueError("it is no JSON") from None
    return {"True": True, "False": False, "None": None}.get(text, text)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _types() -> list[tuple[str, Any]]:
    from agentkit.models import ModelSettings

    return [(field.name, field.type) for field in dataclasses.fields(ModelSettings)]


def _check_range(command: Command, flag: str, value: Any, low: float, high: float | None) -> None:
    if value is None:
        return
    if not isinstance(value, (int, float)) or not low <= value or (high is not None and value > high):
        said = f"{low} or more" if high is None else f"{low} to {high}"
        raise usage_error(command, f"{flag} has to be {said}, not {value}.")
