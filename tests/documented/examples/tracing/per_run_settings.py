from agentkit import Agent, RunConfig, Runner, flush_traces, gen_trace_id

trace_id = gen_trace_id()
Runner.run_sync(
    Agent(name="Assistant"),
    "Hello",
    run_config=RunConfig(
        tracing={"api_key": "sk-tracing-123"},
        trace_id=trace_id,
        workflow_name="Customer service",
        group_id="thread_7",
        trace_metadata={"customer": "c_9"},
    ),
)
flush_traces()
print(trace_id)
