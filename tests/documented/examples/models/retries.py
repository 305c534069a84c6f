from agentkit import Agent, ModelRetrySettings, ModelSettings, Runner, retry_policies

agent = Agent(
    name="Assistant",
    model="gpt-5",
    model_settings=ModelSettings(
        retry=ModelRetrySettings(
            max_retries=4,
            backoff={
                "initial_delay": 0.01,
                "max_delay": 0.05,
                "multiplier": 2.0,
                "jitter": False,
            },
            policy=retry_policies.any(
                retry_policies.provider_suggested(),
                retry_policies.retry_after(),
                retry_policies.network_error(),
                retry_policies.http_status([408, 409, 429, 500, 502, 503, 504]),
            ),
        )
    ),
)

print(Runner.run_sync(agent, "Hello").final_output)
