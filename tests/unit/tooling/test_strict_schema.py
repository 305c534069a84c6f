"""Schemas in the form that strict mode takes."""

from __future__ import annotations

import copy
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from agentkit.tooling import StrictSchemaError, ensure_strict_json_schema


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


class Node(BaseModel):
    name: str
    children: list[Annotated[Node, Field(description="A branch.")]] = []


def test_a_described_reference_to_a_recursive_schema_stays_one() -> None:
    strict = ensure_strict_json_schema(Node.model_json_schema())
    node = {
        "properties": {
            "name": {"title": "Name", "type": "string"},
            "children": {
                "default": [],
                "items": {"anyOf": [{"$ref": "#/$defs/Node"}], "description": "A branch."},
                "title": "Children",
                "type": "array",
            },
        },
        "required": ["name", "children"],
        "title": "Node",
        "type": "object",
        "additionalProperties": False,
    }
    assert strict == {"$defs": {"Node": node}, **node}  # at the root there has to be an object


def test_schemas_that_refer_to_each_other_stay_references() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A", "description": "An A."}, "c": {"$ref": "#/$defs/C", "title": "C"}},
        "$defs": {
            "A": {"anyOf": [{"$ref": "#/$defs/B", "description": "A B."}, {"type": "null"}]},
            "B": {"type": "array", "items": {"$ref": "#/$defs/A"}},
            "C": {"type": "array", "items": {"$ref": "#/$defs/A"}},
        },
    }
    strict = ensure_strict_json_schema(schema)
    assert strict["properties"] == {
        "a": {"anyOf": [{"$ref": "#/$defs/A"}], "description": "An A."},
        "c": {"type": "array", "items": {"$ref": "#/$defs/A"}, "title": "C"},
    }
    assert strict["$defs"]["A"]["anyOf"] == [
        {"anyOf": [{"$ref": "#/$defs/B"}], "description": "A B."},
        {"type": "null"},
    ]


def test_a_reference_to_the_whole_schema_is_one() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#", "description": "The next."}}}
    assert ensure_strict_json_schema(schema)["properties"]["next"] == {
        "anyOf": [{"$ref": "#"}],
        "description": "The next.",
    }


def test_a_reference_may_have_escaped_names() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/x~1y~0", "description": "An x."}},
        "$defs": {"x/y~": {"type": "string"}},
    }
    assert ensure_strict_json_schema(schema)["properties"]["a"] == {"type": "string", "description": "An x."}


def test_defaults_other_than_null_stay() -> None:
    schema = {
        "type": "object",
        "properties": {
            "days": {"type": "integer", "default": 3},
            "unit": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        },
    }
    strict = ensure_strict_json_schema(schema)
    assert (strict["properties"], strict["required"]) == (
        {
            "days": {"type": "integer", "default": 3},
            "unit": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        ["days", "unit"],
    )
