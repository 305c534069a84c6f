"""What tests of the API ask through the client beside its own methods."""

from __future__ import annotations

from typing import Any

import openai
import pytest


def wire(api: openai.OpenAI, path: str, body: Any = None) -> Any:
    """Return the JSON at a path, asked with GET, or with POST where there is a body."""
    return api.get(path, cast_to=object) if body is None else api.post(path, body=body, cast_to=object)


def refusal(call: Any) -> openai.APIStatusError:
    """Return the error with which a call is refused."""
    with pytest.raises(openai.APIStatusError) as caught:
        call()
    return caught.value
