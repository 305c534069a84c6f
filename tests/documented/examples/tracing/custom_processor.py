import asyncio

from agentkit import (
    Agent,
    Runner,
    Span,
    Trace,
    TracingProcessor,
    add_trace_processor,
    function_tool,
    set_trace_processors,
)


class Noting(TracingProcessor):
    def __init__(self):
        self.noted = []

    def on_trace_start(self, trace: Trace) -> None:
        self.noted.append(f"start of {trace.name}")

    def on_trace_end(self, trace: Trace) -> None:
        self.noted.append(f"end of {trace.name}")

    def on_span_start(self, span: Span) -> None:
        pass

    def on_span_end(self, span: Span) -> None:
        self.noted.append(span.span_data.type)

    def shutdown(self) -> None:
        pass

    def force_flush(self) -> None:
        pass


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


agent = Agent(name="Weather", instructions="Tell the weather.", tools=[get_weather])
replacing, added = Noting(), Noting()
set_trace_processors([replacing])
add_trace_processor(added)
asyncio.run(Runner.run(agent, "How is the weather in Oslo?"))
print(replacing.noted)
print(added.noted == replacing.noted)
set_trace_processors([])
