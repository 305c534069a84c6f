"""What a model of the user's own is called with, for the trace: it makes its request of that itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import ref as _ref

from agentkit import _json
from agentkit.models.call import tools_json
from agentkit.models.sent import json_with, output_format

__all__ = ["GivenArguments"]

_Key = tuple[Any, ...]

_SECRET = ("extra_headers", "extra_query")
"""Settings of which only the names are kept."""
_PLAIN = (str, int, float, type(None))
"""Kinds of settings that nobody can change in place."""


class GivenArguments:
    """What a model was called with, but for the conversation.

    Args:
        model: The model.
        arguments: Those of `Model.get_response`, by name.
    """

    __slots__ = ("_given", "_model")

    def __init__(self, model: Any, arguments: Mapping[str, Any]) -> None:
        self._model = model
        self._given = (  # not the arguments themselves: that would keep a list of the whole conversation for each call
            arguments["tools"], arguments["handoffs"], arguments["system_instructions"], arguments["output_schema"],
            arguments["model_settings"], arguments["previous_response_id"], arguments["conversation_id"],
            arguments["prompt"],
        )  # fmt: skip

    def encode(self) -> bytes:
        """Return it as JSON; the same bytes again where the last arguments that were encoded were the same."""
        global _last
        key = self._key()
        if key is not None and key == _last[0]:
            return _last[1]
        encoded = self._encoded()
        if key is not None and all(isinstance(value, _PLAIN) for value in vars(self._given[4]).values()):
            _last = (key, encoded)
        return encoded

    def _key(self) -> _Key | None:
        """Return what is equal for the same arguments only, and keeps none of them alive; None where nothing is.

        Settings that are no plain values may be changed in place: a key with such is never kept.
        """
        tools, handoffs, instructions, schema, settings, response_id, conversation_id, prompt = self._given
        if prompt is not None:
            return None
        try:
            things: list[Any] = [_ref(thing) for thing in (self._model, *tools, *handoffs)]
            things.append(None if schema is None else _ref(schema))
            told = [(tool.description, id(tool.params_json_schema)) for tool in tools]
        except (TypeError, AttributeError):  # classes that take no weak references; hosted tools, which say less
            return None
        return (len(tools), things, told, instructions, *vars(settings).values(), response_id, conversation_id)

    def _encoded(self) -> bytes:
        tools, handoffs, instructions, schema, settings, response_id, conversation_id, prompt = self._given
        set_ = {name: value for name, value in settings.to_json_dict().items() if value is not None}
        set_ |= {name: sorted(set_[name]) for name in _SECRET if name in set_}
        told = {
            "system_instructions": instructions,
            "model_settings": set_,
            "output_schema": None if schema is None or schema.is_plain_text() else output_format(schema),
            "previous_response_id": response_id,
            "conversation_id": conversation_id,
            "prompt": prompt if prompt is None or isinstance(prompt, dict) else str(prompt),
        }
        known = _json.dumps({name: value for name, value in told.items() if value})
        offered = b',"tools":' + tools_json(tools, handoffs, _tool, _other_tool, adapter="")
        about = {"model": getattr(self._model, "model", None), "made_by": type(self._model).__name__}
        return _json.dumps(about)[:-1] + b',"arguments":' + json_with(known, offered) + b"}"


_last: tuple[_Key | None, bytes] = (None, b"")
"""The arguments that were encoded last, and what became of them: calls of a run differ in their input alone."""


def _tool(name: str, description: str, schema: dict[str, Any], strict: bool) -> dict[str, Any]:
    return {"type": "function", "name": name, "description": description, "parameters": schema, "strict": strict}


def _other_tool(tool: Any) -> dict[str, Any]:
    return {"type": type(tool).__name__, "name": str(getattr(tool, "name", ""))}
