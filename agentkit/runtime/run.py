"""`Runner`: the ways to run an agent."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from agentkit.exceptions import UserError
from agentkit.models import TResponseInputItem
from agentkit.runtime.agent import Agent
from agentkit.runtime.background import run_blocking
from agentkit.runtime.loop import run_loop
from agentkit.runtime.progress import RunProgress
from agentkit.runtime.result import RunResult, RunResultStreaming
from agentkit.runtime.run_config import DEFAULT_MAX_TURNS, RunConfig
from agentkit.tools import RunContextWrapper, TContext

__all__ = ["Runner"]


class Runner:
    """Runs agents: `run` in async code, `run_sync` anywhere, `run_streamed` to watch."""

    @classmethod
    async def run(
        cls,
        starting_agent: Agent[TContext],
        input: str | list[TResponseInputItem],  # noqa: A002 (the documented name)
        *,
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        run_config: RunConfig | None = None,
    ) -> RunResult:
        """Run an agent until it has answered, and return the result.

        The model is called; the tools that it calls are run, the agent that it hands over to takes over, and the
        model is called again, until it answers with neither.

        Args:
            starting_agent: The agent that begins.
            input: A user's message, or the items of a conversation in the shape of the Responses API.
            context: Any object; tools, instruction functions and callbacks get it, the model doesn't.
            max_turns: Model calls that the run may make; None for any number.
            run_config: Settings for the whole run.

        Raises:
            MaxTurnsExceeded: The run took more turns than `max_turns`.
            ModelBehaviorError: The model's answer can't be used.
            ModelServerError: The model's server can't be reached, or answered with an error.
            UserError: Agent, input or settings can't be used.
        """
        run = _new_run(starting_agent, input, context, max_turns, run_config, streamed=False)
        async with aclosing(run_loop(run)) as batches:
            async for _ in batches:
                pass
        return RunResult(run)

    @classmethod
    def run_sync(
        cls,
        starting_agent: Agent[TContext],
        input: str | list[TResponseInputItem],  # noqa: A002 (the documented name)
        *,
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        run_config: RunConfig | None = None,
    ) -> RunResult:
        """Run an agent until it has answered, and return the result. Blocks, and works in a notebook's cell too.

        The run goes on in a background thread's event loop while the caller waits. Arguments and errors as for `run`.
        """
        return run_blocking(cls.run(starting_agent, input, context=context, max_turns=max_turns, run_config=run_config))

    @classmethod
    def run_streamed(
        cls,
        starting_agent: Agent[TContext],
        input: str | list[TResponseInputItem],  # noqa: A002 (the documented name)
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        run_config: RunConfig | None = None,
    ) -> RunResultStreaming:
        """Start a run, and return the result while it goes on: iterate over its `stream_events()`.

        Arguments as for `run`; errors are raised by `stream_events()`.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            hint = "Call it in an async function, or in a notebook's cell; or use Runner.run_sync."
            raise UserError("Runner.run_streamed needs a running event loop.", hint=hint) from None
        return RunResultStreaming(_new_run(starting_agent, input, context, max_turns, run_config, streamed=True))


def _new_run(
    agent: Agent[Any],
    input: str | list[Any],  # noqa: A002 (the documented name)
    context: Any,
    max_turns: int | None,
    config: RunConfig | None,
    *,
    streamed: bool,
) -> RunProgress:
    if not isinstance(agent, Agent):
        raise UserError(f"Runner needs an Agent to start with, not {type(agent).__name__} {agent!r:.60}.")
    if not isinstance(input, (str, list)):
        raise UserError(f"The input has to be text or a list of items, not {type(input).__name__}.")
    for item in input if isinstance(input, list) else ():
        if not isinstance(item, dict) and not hasattr(item, "model_dump"):
            hint = "Use {'role': 'user', 'content': …}, or what to_input_list() returns."
            raise UserError(f"An item of the input is {type(item).__name__} {item!r:.60}.", hint=hint)
    if max_turns is not None and (not isinstance(max_turns, int) or max_turns < 1):
        raise UserError(f"max_turns has to be 1 or more, not {max_turns!r}.")
    if config is not None and not isinstance(config, RunConfig):
        raise UserError(f"run_config has to be a RunConfig, not {type(config).__name__}.")
    return RunProgress(agent, input, RunContextWrapper(context), max_turns, config or RunConfig(), streamed=streamed)
