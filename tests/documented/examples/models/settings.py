from openai.types.shared import Reasoning

from agentkit import Agent, ModelSettings, RunConfig, Runner

agent = Agent(
    name="English agent",
    instructions="You only speak English",
    model="gpt-5",
    model_settings=ModelSettings(
        temperature=0.1,
        parallel_tool_calls=False,
        truncation="auto",
        max_tokens=500,
        store=True,
        reasoning=Reasoning(effort="high"),
        verbosity="low",
        metadata={"team": "docs"},
        response_include=["reasoning.encrypted_content"],
        extra_headers={"x-team": "docs"},
        extra_body={"safety_identifier": "user_1"},
        extra_args={"service_tier": "flex", "user": "user_12345"},
    ),
)

result = Runner.run_sync(agent, "Hello", run_config=RunConfig(model_settings=ModelSettings(temperature=0.9)))
print(result.final_output)
