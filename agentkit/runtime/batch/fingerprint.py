"""What an agent is, as a number: the same as long as it would be asked, and could act, in the same way."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from agentkit.backend import current_backend
from agentkit.exceptions import NoBackendError
from agentkit.models import AgentOutputSchema, AgentOutputSchemaBase, Model, ModelSettings

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent
    from agentkit.runtime.run_config import RunConfig

__all__ = ["fingerprint"]

_LOOKED_INTO = ("function", "agent", "options", "guardrail_function")
"""Where objects that can be called have what they call."""

_OF_CONFIG = ("model", "model_settings", "input_guardrails", "output_guardrails", "nest_handoff_history",
              "handoff_input_filter", "call_model_input_filter", "tool_not_found_behavior")  # fmt: skip


def fingerprint(agent: Agent[Any], config: RunConfig) -> str:
    """Return a number, in hexadecimal, for an agent and the settings of its runs.

    It counts: instructions, model, settings, tools, handoffs, guardrails, the output type's schema, and the code of
    functions among them, docstrings included; who answers, where models are named. It doesn't count what functions
    read when they are called (files, globals), and the objects that they are bound to.
    """
    described = _Description().of([agent, {name: getattr(config, name) for name in _OF_CONFIG}])
    text = json.dumps([described, _platform(agent, config)], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _platform(agent: Agent[Any], config: RunConfig) -> list[Any]:
    """Return who is asked for a model by name, and for which where none is named."""
    model = config.model if config.model is not None else agent.model
    if isinstance(model, Model):
        return []
    provider = config.model_provider
    backend: Any = getattr(provider, "backend", None)
    with contextlib.suppress(NoBackendError):  # some models need none
        backend = backend or current_backend()
    name = getattr(backend, "name", "")
    return [type(provider).__qualname__, name, model or getattr(backend, "known_model", None)]


class _Description:
    """Describes objects as JSON. Those met before are told by a number: agents may know each other."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []

    def of(self, value: Any) -> Any:
        """Return what is to be counted of any object, as JSON."""
        if value is None or isinstance(value, (str, int, float, bool)):
            return value
        if isinstance(value, bytes):
            return hashlib.sha256(value).hexdigest()
        if isinstance(value, Mapping):
            return [[str(key), self.of(entry)] for key, entry in value.items()]
        if isinstance(value, (list, tuple)):
            return [self.of(entry) for entry in value]
        if isinstance(value, (set, frozenset)):
            return sorted(json.dumps(self.of(entry), sort_keys=True) for entry in value)
        if id(value) in self._seen:
            return f"#{self._seen[id(value)]}"
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)  # or another could get its id
        return self._object(value)

    def _object(self, value: Any) -> Any:
        kind = type(value).__qualname__
        if isinstance(value, ModelSettings):
            return value.to_json_dict()
        if isinstance(value, Model):
            return [kind, getattr(value, "model", None)]
        if isinstance(value, type) or hasattr(value, "__origin__"):
            return self._type(value)
        if isinstance(value, AgentOutputSchemaBase):
            return [kind, value.name(), None if value.is_plain_text() else value.json_schema()]
        if isinstance(value, functools.partial):
            return [kind, self.of(value.func), self.of(value.args), self.of(value.keywords)]
        if isinstance(value, MethodType):
            return [type(value.__self__).__qualname__, self.of(value.__func__)]
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, CodeType):
            return self._code(value)
        if is_dataclass(value):
            return [kind, [[f.name, self.of(getattr(value, f.name))] for f in fields(value) if f.name != "hooks"]]
        parts = [[name, self.of(getattr(value, name))] for name in _LOOKED_INTO if hasattr(value, name)]
        return [kind, getattr(value, "name", None) if isinstance(getattr(value, "name", None), str) else None, parts]

    def _type(self, kind: Any) -> Any:
        try:
            return AgentOutputSchema(kind, strict_json_schema=False).json_schema()
        except Exception:  # no type of data, or one that pydantic doesn't know: told by its name
            return getattr(kind, "__qualname__", None) or str(kind)

    def _function(self, function: FunctionType) -> Any:
        cells = []
        for cell in function.__closure__ or ():
            try:
                cells.append(self.of(cell.cell_contents))
            except ValueError:  # not filled yet
                cells.append(None)
        return [self._code(function.__code__), self.of(function.__defaults__), self.of(function.__kwdefaults__), cells]

    def _code(self, code: CodeType) -> Any:
        constants = [self.of(constant) for constant in code.co_consts]
        digest = hashlib.sha256(code.co_code).hexdigest()
        return [code.co_name, digest, constants, list(code.co_names), list(code.co_varnames)]
