from typing import Any

from agentkit import Agent, RunContextWrapper, Runner, UserError, function_tool


def my_custom_error_function(context: RunContextWrapper[Any], error: Exception) -> str:
    """Tell the model what a person could be told."""
    print(f"A tool call failed with the following error: {error}")
    return "An internal server error occurred. Please try again later."


@function_tool(failure_error_function=my_custom_error_function)
def get_user_profile(user_id: str) -> str:
    """Fetch a user's profile from an API that fails for some."""
    if user_id == "user_123":
        return "User profile for user_123 successfully retrieved."
    raise ValueError(f"Could not retrieve profile for user_id: {user_id}. API returned an error.")


@function_tool
def get_user_orders(user_id: str) -> str:
    """Fetch a user's orders."""
    raise ValueError(f"No orders of {user_id}")


@function_tool(failure_error_function=None)
def get_user_secrets(user_id: str) -> str:
    """Fetch a user's secrets."""
    raise PermissionError(f"No secrets of {user_id}")


agent = Agent(name="Clerk", instructions="Use the tools.", tools=[get_user_profile, get_user_orders, get_user_secrets])
for request in ("Get the profile of user_456", "Get the orders of user_456", "Get the secrets of user_456"):
    try:
        result = Runner.run_sync(agent, request)
        print([item.output for item in result.new_items if item.type == "tool_call_output_item"])
    except UserError as error:
        print("raised: UserError, caused by", error.__cause__)
