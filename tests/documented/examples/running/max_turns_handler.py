from agentkit import Agent, RunErrorHandlerInput, RunErrorHandlerResult, Runner, function_tool


@function_tool
def read_page(number: int) -> str:
    """Read a page of the transcript."""
    return f"Page {number}."


agent = Agent(name="Assistant", instructions="Be concise.", tools=[read_page])


def on_max_turns(_data: RunErrorHandlerInput[None]) -> RunErrorHandlerResult:
    return RunErrorHandlerResult(
        final_output="I couldn't finish within the turn limit. Please narrow the request.",
        include_in_history=False,
    )


result = Runner.run_sync(
    agent,
    "Read page 3 of the transcript",
    max_turns=1,
    error_handlers={"max_turns": on_max_turns},
)
print(result.final_output)
print([item["type"] for item in result.to_input_list() if "type" in item])
