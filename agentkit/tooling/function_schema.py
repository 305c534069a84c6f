"""A tool's parameters, from a Python function: JSON schema, validation, and the way back to call arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from agentkit.exceptions import UserError
from agentkit.tooling.callables import call_signature, check_callable, check_tool_name, own_name
from agentkit.tooling.context import RunContextWrapper
from agentkit.tooling.docstrings import DocstringStyle, FuncDocumentation, generate_func_documentation
from agentkit.tooling.parameter_hints import parameter_hints
from agentkit.tooling.plain_schema import PlainField, plain_object_schema
from agentkit.tooling.strict_schema import ensure_strict_json_schema

__all__ = ["FuncSchema", "function_schema"]


@dataclass(frozen=True)
class FuncSchema:
    """A function seen as a tool."""

    name: str
    """Name the model calls it by."""
    description: str | None
    """What it does, for the model."""
    make_model: Callable[[], type[BaseModel]]
    """Makes `params_pydantic_model`."""
    params_json_schema: dict[str, Any]
    """Its JSON schema, strict where `strict_json_schema` is true."""
    signature: inspect.Signature
    """The function's signature, without what a partial gives it."""
    takes_context: bool = False
    """Whether the first parameter is the run's context."""
    strict_json_schema: bool = True
    """Whether the schema is in the form that strict mode takes."""

    @functools.cached_property
    def params_pydantic_model(self) -> type[BaseModel]:
        """Model with one field for each parameter, without the context. Made when it is first asked for."""
        return self.make_model()

    @functools.cached_property
    def _places(self) -> list[tuple[str, str, Any]]:  # the kinds are members of a private enum
        """Name, field and kind of each parameter."""
        own = _own_parameters(self.signature, self.takes_context)
        return [(name, _field_name(name), parameter.kind) for name, parameter in own]

    def to_call_args(self, data: BaseModel) -> tuple[list[Any], dict[str, Any]]:
        """Return the positional and keyword arguments that `data` stands for, the context not among them."""
        positional: list[Any] = []
        keyword: dict[str, Any] = {}
        for name, field, kind in self._places:
            value = getattr(data, field)
            if kind is inspect.Parameter.VAR_POSITIONAL:
                positional.extend(value)
            elif kind is inspect.Parameter.VAR_KEYWORD:
                keyword.update(value)
            elif kind is inspect.Parameter.KEYWORD_ONLY:
                keyword[name] = value
            else:
                positional.append(value)
        return positional, keyword


def function_schema(
    func: Callable[..., Any],
    docstring_style: DocstringStyle | None = None,
    name_override: str | None = None,
    description_override: str | None = None,
    use_docstring_info: bool = True,
    strict_json_schema: bool = True,
) -> FuncSchema:
    """Return the schema of `func` as a tool.

    Args:
        func: A function, sync or async, a bound method, a partial, or an object with `__call__`. Its first parameter
            may be the run's context (annotated `RunContextWrapper` or `ToolContext`); it is no part of the schema.
        docstring_style: Style of the docstring; found out when None.
        name_override: Name for the tool instead of the function's.
        description_override: Description instead of the docstring's.
        use_docstring_info: Whether to read the docstring at all.
        strict_json_schema: Whether to bring the schema into strict form.

    Raises:
        UserError: It is no function that can be a tool (a class, a generator, a method without its object), the API
            doesn't take its name, or a parameter can't be described: the context isn't first, `**kwargs` in strict
            mode, or a type that can't be read or has no JSON schema.
    """
    check_callable(func)
    name = own_name(func) if name_override is None else name_override
    check_tool_name(name)
    documentation = (
        generate_func_documentation(func, docstring_style) if use_docstring_info else FuncDocumentation(name, None)
    )
    signature = call_signature(func, name)
    hints = parameter_hints(func, signature.parameters, name)
    takes_context = _takes_context(signature, hints, name)
    own = [(parameter, hints.get(key, Any)) for key, parameter in _own_parameters(signature, takes_context)]
    make_model, schema = _model_and_schema(name, own, documentation, strict_json_schema)
    return FuncSchema(
        name=name,
        description=description_override or documentation.description,
        make_model=make_model,
        params_json_schema=ensure_strict_json_schema(schema) if strict_json_schema else schema,
        signature=signature,
        takes_context=takes_context,
        strict_json_schema=strict_json_schema,
    )


def _takes_context(signature: inspect.Signature, hints: dict[str, Any], name: str) -> bool:
    takes = False
    for index, parameter_name in enumerate(signature.parameters):
        hint = hints.get(parameter_name)
        kind = get_origin(hint) or hint
        if isinstance(kind, type) and issubclass(kind, RunContextWrapper):
            if index > 0:
                raise UserError(
                    f"Tool {name!r} takes its context as parameter {index + 1}, {parameter_name!r}.",
                    hint="Make it the first parameter.",
                )
            takes = True
    return takes


def _own_parameters(signature: inspect.Signature, takes_context: bool) -> list[tuple[str, inspect.Parameter]]:
    return list(signature.parameters.items())[1 if takes_context else 0 :]


def _field_name(parameter: str) -> str:
    """Return the model's field for a parameter: renamed where pydantic has that name for itself."""
    taken = parameter.startswith(("_", "model_")) or hasattr(BaseModel, parameter)
    return f"param_{parameter.lstrip('_')}" if taken else parameter


def _field(
    parameter: inspect.Parameter, hint: Any, documentation: FuncDocumentation, tool: str, strict: bool
) -> tuple[Any, FieldInfo]:
    description = documentation.param_descriptions.get(parameter.name) or _annotated_description(hint)
    extra: dict[str, Any] = {"description": description} if description else {}
    if _field_name(parameter.name) != parameter.name:
        extra |= {"alias": parameter.name, "title": parameter.name.replace("_", " ").strip().title()}
    if parameter.kind is parameter.VAR_POSITIONAL:
        return list[hint], Field(default_factory=list, **extra)
    if parameter.kind is parameter.VAR_KEYWORD:
        if strict:
            raise UserError(
                f"Tool {tool!r} takes **{parameter.name}, which strict mode can't express.",
                hint="Name the parameters, or pass strict_mode=False.",
            )
        return dict[str, hint], Field(default_factory=dict, **extra)
    if isinstance(parameter.default, FieldInfo):
        return hint, FieldInfo.merge_field_infos(parameter.default, **extra)
    return hint, Field(... if parameter.default is parameter.empty else parameter.default, **extra)


def _annotated_description(hint: Any) -> str | None:
    """Return the text in `Annotated[str, "the city"]`, where there is one."""
    if get_origin(hint) is not Annotated:
        return None
    return next((note for note in get_args(hint)[1:] if isinstance(note, str)), None)


def _model_and_schema(
    name: str, parameters: list[tuple[inspect.Parameter, Any]], documentation: FuncDocumentation, strict: bool
) -> tuple[Callable[[], type[BaseModel]], dict[str, Any]]:
    """Return what makes the model, and its schema: without making the model where all parameters have plain types."""
    make = functools.partial(_model, name, parameters, documentation, strict)
    plain = [_plain_field(parameter, hint, documentation) for parameter, hint in parameters]
    if None not in plain:
        schema = plain_object_schema(f"{name}_args", [field for field in plain if field is not None])
        if schema is not None:
            return make, schema
    try:
        model = make()
        return lambda: model, model.model_json_schema()
    except UserError:
        raise
    except Exception as error:  # pydantic's schema errors have no common base, and users' types may raise anything
        raise UserError(
            f"Tool {name!r} has a parameter of a type that JSON can't carry: {error}",
            hint="Use JSON types, dataclasses, TypedDicts, enums or pydantic models.",
        ) from error


def _model(
    name: str, parameters: list[tuple[inspect.Parameter, Any]], documentation: FuncDocumentation, strict: bool
) -> type[BaseModel]:
    fields: dict[str, Any] = {
        _field_name(parameter.name): _field(parameter, hint, documentation, name, strict)
        for parameter, hint in parameters
    }
    return create_model(f"{name}_args", **fields)


def _plain_field(parameter: inspect.Parameter, hint: Any, documentation: FuncDocumentation) -> PlainField | None:
    """Return the parameter as a plain field, or None where it takes pydantic to describe it."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return None
    if isinstance(parameter.default, FieldInfo) or _field_name(parameter.name) != parameter.name:
        return None
    description = documentation.param_descriptions.get(parameter.name)
    if get_origin(hint) is Annotated:
        if not all(isinstance(note, str) for note in get_args(hint)[1:]):
            return None
        description, hint = description or _annotated_description(hint), get_args(hint)[0]
    default = ... if parameter.default is parameter.empty else parameter.default
    return PlainField(parameter.name, hint, description, default)
