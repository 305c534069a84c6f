"""JSON schemas in the form that OpenAI's strict mode takes.

Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas: every object is closed
(`additionalProperties: false`), every property is required, optional ones admit null, and a reference stands alone.

A default of null is left out, as the type says it already. Any other stays: the model has to send every property, and
the default is what tells it which value leaves things as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agentkit.exceptions import UserError

__all__ = ["StrictSchemaError", "ensure_strict_json_schema"]

JSONSchema = dict[str, Any]


class StrictSchemaError(UserError):
    """A schema holds something that strict mode can't express, such as an object with free keys."""


def ensure_strict_json_schema(schema: JSONSchema) -> JSONSchema:
    """Return `schema` in strict form. The schema that was given is left alone.

    Raises:
        StrictSchemaError: An object in it takes arbitrary keys; the message names the place.
    """
    if not schema:
        return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    strict: JSONSchema = _strict(schema, path=(), root=schema)
    return strict


def _strict(node: Any, *, path: tuple[str, ...], root: JSONSchema) -> Any:  # any JSON may stand in a schema
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str) and len(node) > 1:  # strict mode takes no keys beside $ref
        return _strict(_without_siblings(node, reference, root, path), path=path, root=root)
    only = node.get("allOf")
    if isinstance(only, list) and len(only) == 1 and isinstance(only[0], dict):
        return _strict({**only[0], **{k: v for k, v in node.items() if k != "allOf"}}, path=path, root=root)
    result: JSONSchema = {}
    for key, value in node.items():
        if key in ("$defs", "definitions", "properties") and isinstance(value, dict):
            result[key] = {name: _strict(sub, path=(*path, name), root=root) for name, sub in value.items()}
        elif key in ("anyOf", "oneOf", "allOf") and isinstance(value, list):
            result["anyOf" if key == "oneOf" else key] = [_strict(sub, path=path, root=root) for sub in value]
        elif key in ("items", "not"):
            result[key] = _strict(value, path=(*path, "[]"), root=root)
        elif not (key == "default" and value is None) and key != "discriminator":
            result[key] = value
    if node.get("type") == "object" or "properties" in node:
        _close(result, node, path)
    return result


def _without_siblings(node: JSONSchema, reference: str, root: JSONSchema, path: tuple[str, ...]) -> JSONSchema:
    """Return a schema whose reference has keys beside it in a form without: with the target in the reference's place.

    A target that refers to itself would have to be put in there without end, so it stays a reference, in an `anyOf` of
    its own. At the root there has to be an object, and the target is put in once.
    """
    siblings = {key: value for key, value in node.items() if key != "$ref"}
    target = _resolve(reference, root, path)
    if node is not root and _is_recursive(reference, root, path):
        return {"anyOf": [{"$ref": reference}], **siblings}
    return {**target, **siblings}


def _is_recursive(reference: str, root: JSONSchema, path: tuple[str, ...]) -> bool:
    seen: set[str] = set()
    waiting = [reference]
    while waiting:
        for found in _references(_resolve(waiting.pop(), root, path)):
            if found == reference:
                return True
            if found not in seen:
                seen.add(found)
                waiting.append(found)
    return False


def _references(node: Any) -> Iterator[str]:  # any JSON
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _references(part)


def _close(result: JSONSchema, node: JSONSchema, path: tuple[str, ...]) -> None:
    if node.get("additionalProperties") not in (None, False):
        place = ".".join(path) or "the top level"
        raise StrictSchemaError(
            f"{place} takes arbitrary keys, which strict mode can't express.",
            hint="Give it a pydantic model or TypedDict with named fields, or turn strict mode off.",
        )
    result["additionalProperties"] = False
    result.setdefault("properties", {})
    result["required"] = list(result["properties"])


def _resolve(reference: str, root: JSONSchema, path: tuple[str, ...]) -> JSONSchema:
    target: Any = root  # walked down through JSON
    for part in reference.removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        target = target.get(key) if isinstance(target, dict) else None
    if not isinstance(target, dict):
        raise StrictSchemaError(f"{'.'.join(path) or 'The schema'} refers to {reference!r}, which isn't there.")
    return target
