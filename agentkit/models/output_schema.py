"""The type that an agent's answer is to have: its JSON schema for the model, and the validation of what comes back."""

from __future__ import annotations

import abc
import re
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from typing_extensions import TypedDict, is_typeddict

from agentkit.exceptions import ModelBehaviorError, UserError
from agentkit.tooling import StrictSchemaError, ensure_strict_json_schema

__all__ = ["AgentOutputSchema", "AgentOutputSchemaBase", "check_output_type", "type_name"]

_WRAPPER_KEY = "response"
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)
_NO_TYPES = (
    *(str, bytes, bytearray, bool, int, float, complex, list, tuple, dict, set, frozenset, type(...), BaseModel),
    *(ModuleType, *_FUNCTIONS),
)
"""What is passed by mistake. All else may be a type that pydantic knows."""


class AgentOutputSchemaBase(abc.ABC):
    """Describes an output type. Subclass it to read a model's answer in a way of your own."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name()})"

    @abc.abstractmethod
    def is_plain_text(self) -> bool:
        """Return whether the answer is text and needs no schema."""

    @abc.abstractmethod
    def name(self) -> str:
        """Return the name of the type."""

    @abc.abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema that the answer has to follow."""

    @abc.abstractmethod
    def is_strict_json_schema(self) -> bool:
        """Return whether the schema is in strict form."""

    @abc.abstractmethod
    def validate_json(self, json_str: str) -> Any:
        """Return the answer as the output type.

        Raises:
            ModelBehaviorError: The text isn't JSON of that type.
        """


class AgentOutputSchema(AgentOutputSchemaBase):
    """Describes an output type of any kind that pydantic's `TypeAdapter` takes.

    The APIs take objects only, so any other type is sent as an object with the one key `response`.

    Args:
        output_type: The type.
        strict_json_schema: Whether the model must keep to the schema.

    Raises:
        UserError: It is no type, or has no JSON schema, or none in strict form.
    """

    def __init__(self, output_type: Any, strict_json_schema: bool = True) -> None:
        check_output_type(output_type)
        self.output_type = output_type
        self.strict_json_schema = strict_json_schema
        self._is_wrapped = False
        if self.is_plain_text():
            self._adapter: TypeAdapter[Any] = TypeAdapter(str)
            self._schema: dict[str, Any] = self._adapter.json_schema()
            return
        self._is_wrapped = not _is_object(output_type)
        wrapped: Any = TypedDict("wrapped", {_WRAPPER_KEY: output_type}) if self._is_wrapped else output_type  # type: ignore[operator]
        try:
            self._adapter = TypeAdapter(wrapped)
            self._schema = self._make_schema()
        except PydanticUserError as error:
            raise _without_schema(self.name(), error) from error

    def _make_schema(self) -> dict[str, Any]:
        try:
            schema = self._adapter.json_schema()
            return ensure_strict_json_schema(schema) if self.strict_json_schema else schema
        except StrictSchemaError as error:
            raise UserError(
                f"Output type {self.name()}: {error.message}",
                hint="Give it named fields, or use AgentOutputSchema(…, strict_json_schema=False).",
            ) from error

    def is_plain_text(self) -> bool:
        """Return whether the answer is text and needs no schema."""
        return self.output_type is None or self.output_type is str

    def name(self) -> str:
        """Return the name of the type, such as `CalendarEvent` or `list[str]`."""
        return type_name(self.output_type)

    def output_type_name(self) -> str:
        """Return the name of the type; the older name of `name`."""
        return self.name()

    @property
    def wrapper_key(self) -> str | None:
        """The key that the answer is the value of, where the type is no object; None where it is."""
        return _WRAPPER_KEY if self._is_wrapped else None

    def is_strict_json_schema(self) -> bool:
        """Return whether the schema is in strict form."""
        return self.strict_json_schema

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema that the answer has to follow.

        Raises:
            UserError: The answer is plain text.
        """
        if self.is_plain_text():
            raise UserError("Plain text has no JSON schema.", hint="Ask is_plain_text() first.")
        return self._schema

    def validate_json(self, json_str: str) -> Any:
        """Return the answer as the output type.

        Raises:
            ModelBehaviorError: The text isn't JSON of that type; the message says where.
        """
        try:
            value = self._read(json_str)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in problem["loc"]) or "the answer"
            raise ModelBehaviorError(
                f"The model's answer is no {self.name()}: {place}: {problem['msg']}. It sent {json_str!r:.200}."
            ) from error
        return value[_WRAPPER_KEY] if self._is_wrapped else value

    def _read(self, json_str: str) -> Any:
        """Return the value. Models that no schema holds to its form like to put a code fence around it."""
        try:
            return self._adapter.validate_json(json_str)
        except ValidationError:
            inner = _unfenced(json_str)
            if inner is None:
                raise
        return self._adapter.validate_json(inner)


def check_output_type(value: Any) -> None:  # whatever was passed
    """Refuse what can't be the type of an answer because it is no type: a text, a number, a function, an instance.

    What can is decided by pydantic, when the schema is made: it may need names that are defined later.

    Args:
        value: What was passed as an output type.

    Raises:
        UserError: It is no type; the message has the value, and what to pass.
    """
    if not isinstance(value, _NO_TYPES) or hasattr(value, "__supertype__"):
        return
    kind = type(value)
    hint = "Pass a type: a pydantic model, a dataclass, a TypedDict, or one such as list[str]."
    match value:
        case str():
            name = value if value.isidentifier() else "City"
            hint = f"Pass the type itself, without quotes: output_type={name}."
        case list() if len(value) == 1 and isinstance(value[0], type):
            hint = f"For a list of them pass list[{type_name(value[0])}]."
        case BaseModel():
            hint = f"Pass its class: output_type={kind.__name__}."
        case bool() | int() | float() | list() | tuple() | dict() | set() | frozenset():
            hint = f"{hint} For values such as this one pass {kind.__name__}."
    shown = f"the function {value.__name__}" if isinstance(value, _FUNCTIONS) else f"{value!r:.60}"
    raise UserError(f"An output type has to be a type, not {shown}.", hint=hint)


def _without_schema(name: str, error: PydanticUserError) -> UserError:
    """Return the error of a type that pydantic makes no schema of."""
    if error.code == "class-not-fully-defined" or error.code == "undefined-annotation":
        missing = re.search(r"name '(\w+)' is not defined|define `(\w+)`", str(error.__cause__ or error.message))
        named = next((part for part in missing.groups() if part), None) if missing else None
        which = f" {named}" if named else ""
        return UserError(
            f"Output type {name} names a type{which} that isn't defined here.",
            hint="Define it first, or pass the type itself, without quotes.",
        )
    hint = "Use a pydantic model, a dataclass, a TypedDict, or a type such as list[str]."
    if error.code == "schema-for-unknown-type":
        unknown = re.search(r"schema for (.+?)\. Set `arbitrary", error.message)
        part = "" if unknown is None else re.sub(r"^<class '(?:.*\.)?(\w+)'>$", r"\1", unknown[1])
        return UserError(f"Output type {name} has no schema: pydantic doesn't know {part or name}.", hint=hint)
    return UserError(f"Output type {name} has no schema: {error.message}", hint=hint)


def _unfenced(text: str) -> str | None:
    """Return what a code fence around a whole answer holds, or None without one."""
    match = re.fullmatch(r"\s*```[a-zA-Z]*\s*\n(.*?)\n?```\s*", text, re.DOTALL)
    return match[1] if match else None


def _is_object(output_type: Any) -> bool:
    kind = get_origin(output_type) or output_type
    if is_typeddict(kind):
        return True
    return isinstance(kind, type) and (issubclass(kind, BaseModel) or hasattr(kind, "__dataclass_fields__"))


def type_name(kind: Any) -> str:
    """Return a type as one would write it: `CalendarEvent`, `list[str]`, `City | None`, `Literal['a', 'b']`."""
    if kind is type(None):
        return "None"
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " | ".join(map(type_name, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    name: str = getattr(kind, "__name__", None) or ("..." if kind is ... else str(kind))
    return f"{name}[{', '.join(map(type_name, arguments))}]" if arguments and "[" not in name else name
