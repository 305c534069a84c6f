"""`Runner`: the ways to run an agent."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.models import TResponseInputItem
from agentkit.runtime.agent import Agent
from agentkit.runtime.agent_check import check_agent
from agentkit.runtime.background import run_blocking
from agentkit.runtime.hooks import RunHooks
from agentkit.runtime.loop import run_loop
from agentkit.runtime.progress import RunOptions, RunProgress
from agentkit.runtime.result import RunResult, RunResultStreaming
from agentkit.runtime.run_config import DEFAULT_MAX_TURNS, RunConfig, RunErrorHandlers
from agentkit.runtime.run_state import RunState
from agentkit.tooling import Approvals, RunContextWrapper, TContext
from agentkit.tooling.callers_thread import lent_by_cell

__all__ = ["Runner", "new_run"]


class Runner:
    """Runs agents: `run` in async code, `run_sync` anywhere, `run_streamed` to watch."""

    @classmethod
    @called_as("Runner.run")
    async def run(
        cls,
        starting_agent: Agent[TContext],
        input: str | list[TResponseInputItem] | RunState,  # noqa: A002 (the documented name)
        *,
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        error_handlers: RunErrorHandlers | None = None,
        previous_response_id: str | None = None,
        auto_previous_response_id: bool = False,
        conversation_id: str | None = None,
        session: Any = None,
    ) -> RunResult:
        """Run an agent until it has answered, and return the result.

        The model is called; the tools that it calls are run, the agent that it hands over to takes over, and the
        model is called again, until it answers with neither. A run whose calls need approval rests instead: the
        result's `interruptions` say which.

        Args:
            starting_agent: The agent that begins.
            input: A user's message, the items of a conversation in the shape of the Responses API, or the state of a
                run that rested, to go on with it.
            context: Any object; tools, instruction functions and callbacks get it, the model doesn't.
            max_turns: Model calls that the run may make, counted from here where it goes on from a state; None for any
                number.
            hooks: Called at the events of the run.
            run_config: Settings for the whole run.
            error_handlers: What to do in place of raising an error: functions under "max_turns", "model_refusal" and
                "invalid_final_output" that return the final output instead.
            previous_response_id: Response that the run goes on from, on platforms that keep the conversation.
            auto_previous_response_id: Whether each model call goes on from the last one's response, so that only what
                is new is sent.
            conversation_id: Conversation that the run belongs to, on platforms that keep it.
            session: Where earlier messages come from and new ones go, such as a `SQLiteSession`.

        Raises:
            MaxTurnsExceeded: The run took more turns than `max_turns`.
            ModelBehaviorError: The model's answer can't be used.
            ModelServerError: The model's server can't be reached, or answered with an error.
            InputGuardrailTripwireTriggered: A guardrail stopped the run over its input.
            OutputGuardrailTripwireTriggered: A guardrail stopped the run over its final output.
            UserError: Agent, input or settings can't be used.
        """
        run = new_run(
            starting_agent, input, context=context, max_turns=max_turns, hooks=hooks, run_config=run_config,
            error_handlers=error_handlers, previous_response_id=previous_response_id,
            auto_previous_response_id=auto_previous_response_id, conversation_id=conversation_id, session=session,
        )  # fmt: skip
        with lent_by_cell():
            async with aclosing(run_loop(run)) as batches:
                async for _ in batches:
                    pass
        return RunResult(run)

    @classmethod
    @called_as("Runner.run_sync")
    def run_sync(
        cls,
        starting_agent: Agent[TContext],
        input: str | list[TResponseInputItem] | RunState,  # noqa: A002 (the documented name)
        *,
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        error_handlers: RunErrorHandlers | None = None,
        previous_response_id: str | None = None,
        auto_previous_response_id: bool = False,
        conversation_id: str | None = None,
        session: Any = None,
    ) -> RunResult:
        """Run an agent until it has answered, and return the result. Blocks, and works in a notebook's cell too.

        The run goes on in a background thread's event loop while the caller waits. Arguments and errors as for `run`.
        """
        return run_blocking(
            cls.run(
                starting_agent, input, context=context, max_turns=max_turns, hooks=hooks, run_config=run_config,
                error_handlers=error_handlers, previous_response_id=previous_response_id,
                auto_previous_response_id=auto_previous_response_id, conversation_id=conversation_id, session=session,
            )
        )  # fmt: skip

    @classmethod
    @called_as("Runner.run_streamed")
    def run_streamed(
        cls,
        starting_agent: Agent[TContext],
        input: str | list[TResponseInputItem] | RunState,  # noqa: A002 (the documented name)
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        previous_response_id: str | None = None,
        auto_previous_response_id: bool = False,
        conversation_id: str | None = None,
        session: Any = None,
        *,
        error_handlers: RunErrorHandlers | None = None,
    ) -> RunResultStreaming:
        """Start a run, and return the result while it goes on: iterate over its `stream_events()`.

        Arguments as for `run`; errors are raised by `stream_events()`.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            hint = "Call it in an async function, or in a notebook's cell; or use Runner.run_sync."
            raise UserError("Runner.run_streamed needs a running event loop.", hint=hint) from None
        run = new_run(
            starting_agent, input, context=context, max_turns=max_turns, hooks=hooks, run_config=run_config,
            error_handlers=error_handlers, previous_response_id=previous_response_id,
            auto_previous_response_id=auto_previous_response_id, conversation_id=conversation_id, session=session,
            streamed=True,
        )  # fmt: skip
        with lent_by_cell(until_it_ends=True):
            return RunResultStreaming(run)


def new_run(
    agent: Agent[Any],
    input: str | list[Any] | RunState,  # noqa: A002 (the documented name)
    *,
    context: Any = None,
    max_turns: int | None = DEFAULT_MAX_TURNS,
    hooks: RunHooks[Any] | None = None,
    run_config: RunConfig | dict[str, Any] | None = None,
    error_handlers: RunErrorHandlers | None = None,
    previous_response_id: str | None = None,
    auto_previous_response_id: bool = False,
    conversation_id: str | None = None,
    session: Any = None,
    approvals: Approvals | None = None,
    streamed: bool = False,
) -> RunProgress:
    """Return a run that hasn't begun. Arguments as for `Runner.run`, and what has been approved beforehand.

    Raises:
        UserError: An argument can't be used; the message names it.
    """
    if not isinstance(agent, Agent):
        raise UserError(f"Runner needs an Agent to start with, not {type(agent).__name__} {agent!r:.60}.")
    check_agent(agent)  # it may have been changed since it was made
    _check_input(input)
    if max_turns is not None and (isinstance(max_turns, bool) or not isinstance(max_turns, int) or max_turns < 1):
        raise UserError(f"max_turns has to be 1 or more, not {max_turns!r}.")
    if hooks is not None and not isinstance(hooks, RunHooks):
        raise UserError(f"hooks have to be RunHooks, not {type(hooks).__name__}.")
    config = _config(run_config)
    options = RunOptions(
        max_turns, hooks, _handlers(error_handlers), previous_response_id, auto_previous_response_id, conversation_id,
        session,
    )  # fmt: skip
    _check_memory(options)
    if isinstance(input, RunState):
        run = input.resumed(agent, config, options, context=context, streamed=streamed)
    else:
        run = RunProgress(agent, input, RunContextWrapper(context), config, options, streamed=streamed)
    if approvals is not None:
        run.context.approvals = approvals
    return run


def _check_input(input: Any) -> None:  # noqa: A002 (the documented name)
    if isinstance(input, (str, RunState)):
        return
    if not isinstance(input, list):
        raise UserError(f"The input has to be text or a list of items, not {type(input).__name__}.")
    for item in input:
        if not isinstance(item, dict) and not hasattr(item, "model_dump"):
            hint = "Use {'role': 'user', 'content': …}, or what to_input_list() returns."
            raise UserError(f"An item of the input is {type(item).__name__} {item!r:.60}.", hint=hint)


def _config(given: RunConfig | dict[str, Any] | None) -> RunConfig:
    if given is None:
        return RunConfig()
    if isinstance(given, RunConfig):
        return given
    if not isinstance(given, dict):
        raise UserError(f"run_config has to be a RunConfig, not {type(given).__name__}.")
    return RunConfig(**given)


def _handlers(given: Any) -> RunErrorHandlers | None:
    for name, handler in (given or {}).items():
        if name not in RunErrorHandlers.__annotations__:
            names = ", ".join(RunErrorHandlers.__annotations__)
            raise UserError(f"There is no error handler named {name!r}.", hint=f"There are: {names}.")
        if not callable(handler):
            raise UserError(f"The error handler {name!r} is no function: {handler!r:.60}.")
    return given  # type: ignore[no-any-return]


def _check_memory(options: RunOptions) -> None:
    """Refuse two memories of one conversation: each would tell the model what the other has told it."""
    kept_there = options.previous_response_id or options.auto_previous_response_id or options.conversation_id
    if options.session is not None and kept_there:
        raise UserError(
            "A run can't have a session and a conversation that the platform keeps.",
            hint="Leave out session, or else conversation_id and previous_response_id.",
        )
    if options.conversation_id and (options.previous_response_id or options.auto_previous_response_id):
        raise UserError(
            "A run can't have both a conversation_id and a previous_response_id.", hint="Leave out one of them."
        )
    for name in ("get_items", "add_items"):
        if options.session is not None and not callable(getattr(options.session, name, None)):
            hint = "Use a SQLiteSession, or an object with the methods of Session."
            raise UserError(f"The session is a {type(options.session).__name__} without {name}().", hint=hint)
