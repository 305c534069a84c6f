from agentkit import Agent, RunConfig, Runner, function_tool


@function_tool
def get_balance(name: str) -> str:
    """Return the balance of an account."""
    return f"{name} has 1234 euros."


agent = Agent(name="Bank", instructions="Tell balances.", tools=[get_balance])
for include in (True, False):
    run_config = RunConfig(workflow_name=f"include={include}", trace_include_sensitive_data=include)
    print(Runner.run_sync(agent, "What is the balance of Ada?", run_config=run_config).final_output)
