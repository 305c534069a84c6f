"""Settings for a whole run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal

from typing_extensions import TypedDict

from agentkit._called_as import called_as
from agentkit._repr import fields_repr
from agentkit.exceptions import AgentsException, UserError
from agentkit.models import Model, ModelProvider, ModelResponse, ModelSettings, MultiProvider, TResponseInputItem
from agentkit.tooling import RunContextWrapper, TContext
from agentkit.tracing.processors import data_wanted

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent
    from agentkit.runtime.guardrails import InputGuardrail, OutputGuardrail
    from agentkit.runtime.handoff_history import HandoffHistoryMapper
    from agentkit.runtime.handoffs import HandoffInputFilter
    from agentkit.runtime.items import RunItem

__all__ = [
    "DEFAULT_MAX_TURNS",
    "CallModelData",
    "CallModelInputFilter",
    "ModelInputData",
    "RunConfig",
    "RunErrorData",
    "RunErrorHandler",
    "RunErrorHandlerInput",
    "RunErrorHandlerResult",
    "RunErrorHandlers",
    "SessionInputCallback",
    "ToolErrorFormatter",
    "ToolErrorFormatterArgs",
    "ToolExecutionConfig",
]

DEFAULT_MAX_TURNS = 10
"""Model calls that a run may make unless told otherwise."""


@dataclass
class ModelInputData:
    """What a model is about to get."""

    __repr__ = fields_repr

    input: list[TResponseInputItem]
    """The conversation; a list of its own, free to be changed."""
    instructions: str | None
    """The agent's instructions."""


@dataclass
class CallModelData(Generic[TContext]):
    """What a `call_model_input_filter` is given."""

    __repr__ = fields_repr

    model_data: ModelInputData
    """What the model is about to get."""
    agent: Agent[Any]
    """The agent whose model is called."""
    context: Any
    """The object given as `context` to the run."""


CallModelInputFilter = Callable[[CallModelData[Any]], ModelInputData | Awaitable[ModelInputData]]
"""Makes what a model gets, just before it is called; sync or async."""

SessionInputCallback = Callable[
    [list[TResponseInputItem], list[TResponseInputItem]],
    list[TResponseInputItem] | Awaitable[list[TResponseInputItem]],
]
"""Makes the run's input from the session's items and the new ones; sync or async."""


@dataclass
class ToolErrorFormatterArgs(Generic[TContext]):
    """What a `tool_error_formatter` is given."""

    __repr__ = fields_repr

    kind: Literal["approval_rejected", "tool_not_found"]
    """What happened to the call."""
    tool_type: Literal["function"]
    """What kind of tool it is."""
    tool_name: str
    """Name that the model called."""
    call_id: str
    """Id of the call."""
    default_message: str
    """What the model is told otherwise."""
    run_context: RunContextWrapper[TContext]
    """The run's context."""
    error: Exception | None = None
    """The exception, where there is one."""


ToolErrorFormatter = Callable[[ToolErrorFormatterArgs[Any]], str | Awaitable[str | None] | None]
"""Makes what the model is told of a call that was not made; the usual text when it returns None; sync or async."""


@dataclass
class ToolExecutionConfig:
    """How tools are run."""

    __repr__ = fields_repr

    max_function_tool_concurrency: int | None = None
    """Function tools that run at once; any number when None."""

    def __post_init__(self) -> None:
        limit = self.max_function_tool_concurrency
        if limit is not None and limit < 1:
            raise UserError(f"max_function_tool_concurrency has to be 1 or more, not {limit!r}.")


@dataclass
class RunErrorData:
    """What a run had done when it failed, for an error handler."""

    __repr__ = fields_repr

    input: str | list[TResponseInputItem]
    """The input that the run was given."""
    new_items: list[RunItem]
    """What it has added."""
    history: list[TResponseInputItem]
    """Input and what it has added, as items."""
    output: list[TResponseInputItem]
    """What it has added, as items."""
    raw_responses: list[ModelResponse]
    """The model's answers."""
    last_agent: Agent[Any]
    """The agent that ran last."""


@dataclass
class RunErrorHandlerInput(Generic[TContext]):
    """What an error handler is given."""

    __repr__ = fields_repr

    error: AgentsException
    """What went wrong."""
    context: RunContextWrapper[TContext]
    """The run's context."""
    run_data: RunErrorData
    """What the run had done."""


@dataclass
class RunErrorHandlerResult:
    """A final output in place of an error."""

    __repr__ = fields_repr

    final_output: Any
    """The run's final output."""
    include_in_history: bool = True
    """Whether it becomes a message of the conversation."""


RunErrorHandler = Callable[[RunErrorHandlerInput[Any]], Any]
"""Returns a `RunErrorHandlerResult`, or a final output, or None to let the error be raised; sync or async."""


class RunErrorHandlers(TypedDict, total=False):
    """What to do in place of raising an error, by what went wrong."""

    max_turns: RunErrorHandler
    model_refusal: RunErrorHandler
    invalid_final_output: RunErrorHandler


@dataclass
class RunConfig:
    """Settings for a whole run. What is None is left to the agents."""

    __repr__ = fields_repr

    model: str | Model | None = None
    """Model for all agents, whatever model each has."""
    model_provider: ModelProvider = field(default_factory=MultiProvider)
    """Finds models by name, prefixes such as `litellm/` included; the connected platform's by default."""
    model_settings: ModelSettings | None = None
    """Settings put over those of each agent."""
    handoff_input_filter: HandoffInputFilter | None = None
    """Makes what the next agent sees at handoffs that have no filter of their own."""
    nest_handoff_history: bool = False
    """Whether the next agent sees the conversation as one message that tells it."""
    handoff_history_mapper: HandoffHistoryMapper | None = None
    """Makes that message."""
    input_guardrails: list[InputGuardrail[Any]] | None = None
    """Checks of the input, besides those of the first agent."""
    output_guardrails: list[OutputGuardrail[Any]] | None = None
    """Checks of the final output, besides those of the last agent."""
    tracing_disabled: bool = False
    """Whether the run leaves no trace."""
    tracing: Any = None  # a TracingConfig
    """Settings of the trace's export, such as `{"api_key": …}`."""
    trace_include_sensitive_data: bool = field(default_factory=data_wanted)
    """Whether the trace holds inputs and outputs of models and tools."""
    workflow_name: str = "Agent workflow"
    """Name of the run in traces."""
    trace_id: str | None = None
    """Id for the trace, `trace_` and 32 letters and digits; made up when None."""
    group_id: str | None = None
    """Id that links the traces of one conversation."""
    trace_metadata: dict[str, Any] | None = None
    """Kept with the trace."""
    session_input_callback: SessionInputCallback | None = None
    """Makes the input from the session's items and the new ones; one after the other when None."""
    session_settings: Any = None  # SessionSettings
    """Settings put over those of the session, such as how many items are read."""
    call_model_input_filter: CallModelInputFilter | None = None
    """Makes what a model gets, just before it is called."""
    tool_error_formatter: ToolErrorFormatter | None = None
    """Makes what the model is told of calls that were rejected or name no tool."""
    tool_not_found_behavior: Literal["return_error_to_model", "raise_error"] = "return_error_to_model"
    """Whether the model is told of a call that names no tool, or the run is stopped by `ModelBehaviorError`."""
    tool_execution: ToolExecutionConfig | None = None
    """How tools are run."""
    budget_usd: float | None = None
    """Dollars that the run may cost; checked before each model call."""
    budget_tokens: int | None = None
    """Tokens that the run may use, sent and received; checked before each model call."""

    def __post_init__(self) -> None:
        if self.tool_not_found_behavior not in ("return_error_to_model", "raise_error"):
            raise UserError(
                f"RunConfig has the unknown tool_not_found_behavior {self.tool_not_found_behavior!r}.",
                hint='Use "return_error_to_model" or "raise_error".',
            )
        for name in ("budget_usd", "budget_tokens"):
            limit = getattr(self, name)
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit < 0):
                raise UserError(f"RunConfig: {name} has to be a number of 0 or more, not {limit!r}.")


RunConfig.__init__ = called_as("RunConfig")(RunConfig.__init__)  # type: ignore[method-assign]
