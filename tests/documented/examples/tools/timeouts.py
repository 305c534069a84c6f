import asyncio

from agentkit import Agent, Runner, ToolTimeoutError, function_tool


def own_words(context, error: Exception) -> str:
    return "The lookup took too long. Try a smaller range."


@function_tool(timeout=0.05)
async def slow_lookup(query: str) -> str:
    """Look something up slowly."""
    await asyncio.sleep(30)
    return f"Result for {query}"


@function_tool(timeout=0.05, timeout_error_function=own_words)
async def slow_search(query: str) -> str:
    """Search for something slowly."""
    await asyncio.sleep(30)
    return f"Result for {query}"


@function_tool(timeout=0.05, timeout_behavior="raise_exception")
async def slow_count(query: str) -> str:
    """Count something slowly."""
    await asyncio.sleep(30)
    return f"Result for {query}"


async def main():
    for tool, verb in ((slow_lookup, "Look up"), (slow_search, "Search for"), (slow_count, "Count")):
        agent = Agent(name="Timeout demo", instructions="Use the tool.", tools=[tool])
        try:
            result = await Runner.run(agent, f'{verb} "mail"')
            print([item.output for item in result.new_items if item.type == "tool_call_output_item"])
        except ToolTimeoutError as error:
            print("ToolTimeoutError", error.tool_name, error.timeout_seconds)


asyncio.run(main())
