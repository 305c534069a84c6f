"""What OpenAI asks of the JSON schemas of functions and answers.

Source: the Structured Outputs guide, https://developers.openai.com/api/docs/guides/structured-outputs
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agentkit.local.errors import ApiError

__all__ = ["check_answer_schema", "check_function_parameters"]


def check_function_parameters(tool: dict[str, Any], param: str) -> None:
    """Check a function's parameters: an object schema; every object closed and complete where `strict` is true.

    Raises:
        ApiError: They are not.
    """
    if (schema := tool.get("parameters")) is None:
        return
    problem = None
    if schema.get("type") != "object":
        problem = (
            f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {_as_json_text(schema.get('type'))}'."
        )
    elif tool.get("strict"):
        problem = next(_strict_problems(schema, ()), None)
    if problem is not None:
        message = f"Invalid schema for function '{tool['name']}': {problem}"
        raise ApiError(message, param=param, code="invalid_function_parameters")


def check_answer_schema(text_format: dict[str, Any], param: str) -> None:
    """Check the schema of an answer's format, if it has one: an object schema; strict where asked.

    Raises:
        ApiError: It is not.
    """
    schema = text_format.get("schema")
    if schema is None or not text_format.get("strict"):
        return
    if schema.get("type") != "object":
        problem: str | None = (
            f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {_as_json_text(schema.get('type'))}'."
        )
    else:
        problem = next(_strict_problems(schema, ()), None)
    if problem is not None:
        message = f"Invalid schema for response_format '{text_format['name']}': {problem}"
        raise ApiError(message, param=param, code="invalid_json_schema")


def _strict_problems(schema: Any, context: tuple[str, ...]) -> Iterator[str]:
    """Yield what keeps a schema from being strict, in the order in which it stands there."""
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            yield f"In context={context}, 'additionalProperties' is required to be supplied and to be false."
        properties = _dict(schema.get("properties"))
        required = _list(schema.get("required"))
        if missing := next((name for name in properties if name not in required), None):
            yield (
                f"In context={context}, 'required' is required to be supplied and to be an array including every key "
                f"in properties. Missing '{missing}'."
            )
        for name, child in properties.items():
            yield from _strict_problems(child, (*context, "properties", name))
    if "items" in schema:
        yield from _strict_problems(schema["items"], (*context, "items"))
    for index, child in enumerate(_list(schema.get("anyOf"))):
        yield from _strict_problems(child, (*context, "anyOf", str(index)))
    for key in ("$defs", "definitions"):
        for name, child in _dict(schema.get(key)).items():
            yield from _strict_problems(child, (*context, key, name))


def _dict(value: Any) -> dict[str, Any]:  # a schema is the user's own JSON, and may hold anything anywhere
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _as_json_text(kind: object) -> str:
    return f'"{kind}"' if isinstance(kind, str) else str(kind)
