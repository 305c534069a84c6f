"""Every exception that agentkit raises.

```
AgentsException                      anything of ours; carries the run so far in `run_data`
├── MaxTurnsExceeded                     the run took more model calls than `max_turns`
├── BudgetExceeded                       the run has spent its `budget_usd` or `budget_tokens`
├── ModelBehaviorError                   the model sent something that can't be used
├── ModelRefusalError                    the model declined to fill the output type
├── UserError                            the calling code asked for something impossible
│   ├── ArgumentError                    a function was called with arguments that it doesn't take; a `TypeError` too
│   ├── NoBackendError                   no key, no server, no `connect()`: nothing could answer
│   ├── RunStateError                    a saved run can't be read
│   ├── ToolCallError                    a tool raised and its `failure_error_function` is None
│   └── UnknownModelError                the platform has no model of that name
├── ModelServerError                     the model's server could not be used
│   ├── ModelConnectionError             nothing answered at the address, or the answer broke off
│   └── ModelStatusError                 it answered with an error status (`status_code`)
├── FineTuningError                      a fine-tuning job that was waited for has failed (in `agentkit.finetuning`)
├── MCPServerError                       an MCP server could not be started, died, or failed at a request
├── ToolTimeoutError                     a tool took too long, and asked for the run to be stopped
├── InputGuardrailTripwireTriggered      an input guardrail said stop
├── OutputGuardrailTripwireTriggered     an output guardrail said stop
├── ToolInputGuardrailTripwireTriggered  a tool's guardrail said stop before a call
└── ToolOutputGuardrailTripwireTriggered a tool's guardrail said stop over an output
```

What the `openai` client raises is raised as its class and ours in one, so that both `except openai.RateLimitError`
and `except ModelStatusError` catch it.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentkit.runtime.result import RunResult

__all__ = [
    "AgentsException",
    "ArgumentError",
    "BudgetExceeded",
    "InputGuardrailTripwireTriggered",
    "MCPServerError",
    "MaxTurnsExceeded",
    "ModelBehaviorError",
    "ModelConnectionError",
    "ModelRefusalError",
    "ModelServerError",
    "ModelStatusError",
    "NoBackendError",
    "OutputGuardrailTripwireTriggered",
    "RunStateError",
    "ToolCallError",
    "ToolInputGuardrailTripwireTriggered",
    "ToolOutputGuardrailTripwireTriggered",
    "ToolTimeoutError",
    "UnknownModelError",
    "UserError",
]


class AgentsException(Exception):  # noqa: N818 (the documented public name)
    """Base of all exceptions that agentkit raises.

    Attributes:
        message: What happened, with the value, and what to do.
        hint: The exact remedy where there is one.
        run_data: The result so far of the run that was stopped, or None outside a run.
    """

    run_data: RunResult | None

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        # not super(): the `openai` client's errors are raised as theirs and ours in one, and theirs take more arguments
        Exception.__init__(self, message if hint is None else f"{message} {hint}")
        self.message = message
        self.hint = hint
        self.run_data = None

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: what is wrong and where; the whole traceback when it asks again (`%tb`)."""
        if getattr(self, "_told", False):
            return traceback.format_exception(self)
        self._told = True
        walked = traceback.walk_tb(self.__traceback__)
        lines = [line for frame, line in walked if frame.f_globals.get("__name__") == "__main__"]
        where = f"Line {lines[-1]} of the cell; " if lines else ""
        return [f"\x1b[31m{type(self).__name__}\x1b[0m: {self}", f"{where}%tb shows the whole traceback."]


class MaxTurnsExceeded(AgentsException):
    """The run called the model more often than `max_turns` allows."""


class BudgetExceeded(AgentsException):
    """The run has spent what `RunConfig(budget_usd=…)` or `budget_tokens` allows.

    Attributes:
        spent: What it has spent, in the unit of the limit.
        limit: What it might spend.
    """

    def __init__(self, message: str, *, spent: float, limit: float, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.spent = spent
        self.limit = limit


class ModelBehaviorError(AgentsException):
    """The model sent something that can't be used: JSON that doesn't parse, a tool that isn't there."""


class ModelRefusalError(AgentsException):
    """The model declined to give an answer of the agent's output type."""


class UserError(AgentsException):
    """The calling code asked for something that can't be done."""


class ArgumentError(UserError, TypeError):
    """A function or class was called with an argument that it doesn't take, or without one that it needs.

    It is the `TypeError` that Python raises for such a call, so that code which catches that goes on working.
    """


class RunStateError(UserError):
    """A saved run can't be read: it is of another version, damaged, or its agents or context aren't there."""


class NoBackendError(UserError):
    """Nothing could answer: no key, no server address and no `agentkit.connect()`."""


class UnknownModelError(UserError):
    """The platform that was asked has no model of that name."""


class ModelServerError(AgentsException):
    """The model's server could not be used.

    Attributes:
        code: What the platform calls the error, such as "rate_limit_exceeded", where it says so.
    """

    code: Any = None  # text with most servers, the number of an HTTP status with some


class ModelConnectionError(ModelServerError):
    """No server answered, or its answer broke off in the middle."""


class ModelStatusError(ModelServerError):
    """The server answered with an error.

    Attributes:
        status_code: The HTTP status, such as 401, 429 or 500.
    """

    def __init__(self, message: str, *, status_code: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status_code = status_code

    def __reduce__(self) -> Any:
        """Return how to make a copy in another process: of this class, without the client's request and response."""
        return _status_error, (self.message, self.status_code, self.hint)


def _status_error(message: str, status_code: int, hint: str | None) -> ModelStatusError:
    return ModelStatusError(message, status_code=status_code, hint=hint)


class ToolCallError(UserError):
    """A tool raised, and asked for its errors to be raised. The tool's exception is the `__cause__`."""


class MCPServerError(AgentsException):
    """An MCP server could not be started or reached, died, took too long, or refused a request.

    Attributes:
        server_name: The server's name.
        tool_name: The tool that was being called, or None outside a call.
        exit_code: What the server's process ended with; negative is the number of a signal.
        status_code: The HTTP status that the server answered with.
        timeout_seconds: The time that it didn't keep to.
        connection_lost: Whether there was no connection, or it broke; the next request makes a new one.
    """

    def __init__(
        self,
        message: str,
        *,
        server_name: str,
        tool_name: str | None = None,
        exit_code: int | None = None,
        status_code: int | None = None,
        timeout_seconds: float | None = None,
        connection_lost: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.server_name = server_name
        self.tool_name = tool_name
        self.exit_code = exit_code
        self.status_code = status_code
        self.timeout_seconds = timeout_seconds
        self.connection_lost = connection_lost

    def __reduce__(self) -> Any:
        """Return how to make a copy in another process."""
        return _mcp_error, (self.message, self.hint, {k: v for k, v in vars(self).items() if k in _MCP_FIELDS})


_MCP_FIELDS = ("server_name", "tool_name", "exit_code", "status_code", "timeout_seconds", "connection_lost")


def _mcp_error(message: str, hint: str | None, fields: dict[str, Any]) -> MCPServerError:
    error = MCPServerError(message, **fields)
    error.hint = hint
    return error


class ToolTimeoutError(AgentsException):
    """A tool took longer than its `timeout_seconds`, and asked for the run to be stopped.

    Attributes:
        tool_name: Its name.
        timeout_seconds: How long a call may take.
    """

    def __init__(self, tool_name: str, timeout_seconds: float) -> None:
        super().__init__(f"Tool {tool_name!r} took longer than {timeout_seconds:g} seconds.")
        self.tool_name = tool_name
        self.timeout_seconds = timeout_seconds


class InputGuardrailTripwireTriggered(AgentsException):
    """An input guardrail stopped the run.

    Attributes:
        guardrail_result: What the guardrail found.
    """

    def __init__(self, guardrail_result: Any) -> None:  # typed where guardrails live, a layer above
        super().__init__(f"Guardrail {_guardrail_name(guardrail_result)} stopped the run.")
        self.guardrail_result = guardrail_result


class OutputGuardrailTripwireTriggered(AgentsException):
    """An output guardrail stopped the run.

    Attributes:
        guardrail_result: What the guardrail found.
    """

    def __init__(self, guardrail_result: Any) -> None:  # typed where guardrails live, a layer above
        super().__init__(f"Guardrail {_guardrail_name(guardrail_result)} stopped the run.")
        self.guardrail_result = guardrail_result


class ToolInputGuardrailTripwireTriggered(AgentsException):
    """A guardrail of a tool stopped the run before a call.

    Attributes:
        guardrail: The guardrail.
        output: What it found.
    """

    def __init__(self, guardrail: Any, output: Any) -> None:  # typed where guardrails live, a layer above
        super().__init__(f"Tool guardrail {guardrail.get_name()!r} stopped the run before the call.")
        self.guardrail = guardrail
        self.output = output


class ToolOutputGuardrailTripwireTriggered(AgentsException):
    """A guardrail of a tool stopped the run over what the tool returned.

    Attributes:
        guardrail: The guardrail.
        output: What it found.
    """

    def __init__(self, guardrail: Any, output: Any) -> None:  # typed where guardrails live, a layer above
        super().__init__(f"Tool guardrail {guardrail.get_name()!r} stopped the run over what the tool returned.")
        self.guardrail = guardrail
        self.output = output


def _guardrail_name(result: Any) -> str:  # a guardrail result of either kind
    guardrail: Any = getattr(result, "guardrail", None)
    return repr(guardrail.get_name() if hasattr(guardrail, "get_name") else type(guardrail).__name__)
