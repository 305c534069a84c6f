import asyncio

from agentkit import Agent, RunConfig, Runner, ToolErrorFormatterArgs, function_tool


@function_tool(needs_approval=True)
async def publish_text(text: str) -> str:
    """Publish a text."""
    return f"Published {text}"


def format_rejection(args: ToolErrorFormatterArgs[None]) -> str | None:
    if args.kind != "approval_rejected":
        return None
    return "Publish action was canceled because approval was rejected."


agent = Agent(name="Publisher", instructions="Publish texts.", tools=[publish_text])
run_config = RunConfig(tool_error_formatter=format_rejection)


async def main():
    for message in (None, "The reviewer denied approval."):
        result = await Runner.run(agent, 'Publish "Hello"', run_config=run_config)
        print([(item.name, item.arguments, item.agent.name) for item in result.interruptions])
        state = result.to_state()
        for interruption in result.interruptions:
            state.reject(interruption, rejection_message=message) if message else state.reject(interruption)
        result = await Runner.run(agent, state, run_config=run_config)
        print([item.output for item in result.new_items if item.type == "tool_call_output_item"])


asyncio.run(main())
