import copy

import pytest

from agentkit.tools import StrictSchemaError, ensure_strict_json_schema


def test_an_empty_schema_is_an_object_without_properties() -> None:
    assert ensure_strict_json_schema({}) == {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }


def test_the_given_schema_is_left_alone() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}}
    before = copy.deepcopy(schema)
    ensure_strict_json_schema(schema)
    assert schema == before


def test_a_reference_with_siblings_is_replaced_by_its_target() -> None:
    schema = {
        "type": "object",
        "properties": {"p": {"$ref": "#/$defs/P", "description": "A point."}},
        "$defs": {"P": {"type": "object", "properties": {"x": {"type": "number"}}}},
    }
    assert ensure_strict_json_schema(schema)["properties"]["p"] == {
        "type": "object",
        "properties": {"x": {"type": "number"}},
        "description": "A point.",
        "additionalProperties": False,
        "required": ["x"],
    }


def test_one_of_becomes_any_of() -> None:
    schema = {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "null"}]}}}
    assert ensure_strict_json_schema(schema)["properties"]["a"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}


def test_free_keys_are_refused_with_their_place() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}}},
    }
    with pytest.raises(StrictSchemaError, match=r"a\.\[\] takes arbitrary keys"):
        ensure_strict_json_schema(schema)


def test_a_reference_to_nowhere_is_refused() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/Gone", "description": "x"}}}
    with pytest.raises(StrictSchemaError, match="a refers to '#/\\$defs/Gone', which isn't there"):
        ensure_strict_json_schema(schema)
