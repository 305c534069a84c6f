"""The strict check that the other tests lean on can fail."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

DELTA = {
    "type": "response.output_text.delta",
    "sequence_number": 4,
    "item_id": "msg_1",
    "output_index": 0,
    "content_index": 0,
    "delta": "x",
    "logprobs": [],
}


def test_a_right_event_passes(strictly_event: Any) -> None:
    assert strictly_event(DELTA).delta == "x"


@pytest.mark.parametrize("field", ["sequence_number", "item_id", "output_index", "content_index", "delta", "logprobs"])
def test_a_missing_field_fails(strictly_event: Any, field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        strictly_event({name: value for name, value in DELTA.items() if name != field})


def test_a_wrong_type_fails(strictly_event: Any) -> None:
    with pytest.raises(ValidationError, match="sequence_number"):
        strictly_event({**DELTA, "sequence_number": "4"})


def test_an_unknown_field_fails(strictly_event: Any) -> None:
    with pytest.raises(AssertionError, match="unknown fields"):
        strictly_event({**DELTA, "colour": "red"})


def test_an_unknown_event_fails(strictly_event: Any) -> None:
    with pytest.raises(KeyError):
        strictly_event({**DELTA, "type": "response.output_text.dleta"})
