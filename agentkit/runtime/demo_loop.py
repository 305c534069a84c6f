"""A conversation with an agent at the terminal, for trying it out."""

from __future__ import annotations

from typing import Any

from agentkit.models import TResponseInputItem
from agentkit.runtime.agent import Agent
from agentkit.runtime.items import RunItem, ToolCallItem, ToolCallOutputItem
from agentkit.runtime.result import RunResultBase, RunResultStreaming
from agentkit.runtime.run import Runner
from agentkit.runtime.run_config import DEFAULT_MAX_TURNS
from agentkit.tooling import TContext

__all__ = ["run_demo_loop"]


async def run_demo_loop(
    agent: Agent[Any],
    *,
    stream: bool = True,
    context: TContext | None = None,
    max_turns: int | None = DEFAULT_MAX_TURNS,
) -> None:
    """Read messages from the terminal and print an agent's answers, until `exit`, `quit` or the end of input.

    The conversation is kept, and goes on with the agent that answered last.

    Args:
        agent: The agent to begin with.
        stream: Whether answers are printed while they come, with a line for each tool call and handoff.
        context: Given to each run.
        max_turns: Model calls for one answer; any number when None.
    """
    current: Agent[Any] = agent
    conversation: list[TResponseInputItem] = []
    while True:
        try:
            said = input(" > ").strip()  # noqa: ASYNC250 (nothing else goes on meanwhile)
        except EOFError:
            print()
            return
        if said.lower() in ("exit", "quit"):
            return
        if not said:
            continue
        conversation.append({"role": "user", "content": said})
        result: RunResultBase
        if stream:
            result = await _printed(Runner.run_streamed(current, conversation, context=context, max_turns=max_turns))
        else:
            result = await Runner.run(current, conversation, context=context, max_turns=max_turns)
            print(result.final_output)
        current, conversation = result.last_agent, result.to_input_list()


async def _printed(result: RunResultStreaming) -> RunResultStreaming:
    """Print a run while it goes on, and return it when it is over."""
    agent = result.current_agent
    async for event in result.stream_events():
        if event.type == "raw_response_event":
            if event.data.type == "response.output_text.delta":
                print(event.data.delta, end="", flush=True)
        elif event.type == "agent_updated_stream_event":
            if event.new_agent is not agent:
                print(f"\n[Agent updated: {event.new_agent.name}]", flush=True)
        elif event.type == "run_item_stream_event":
            _print_item(event.item)
    print()
    return result


def _print_item(item: RunItem) -> None:
    if isinstance(item, ToolCallItem):
        print(f"\n[Tool called: {item.raw.get('name') or item.raw.get('type')}]", flush=True)
    elif isinstance(item, ToolCallOutputItem):
        print(f"\n[Tool output: {item.output}]", flush=True)
