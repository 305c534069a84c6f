"""Examples of the OpenAI Agents SDK's documentation, unchanged but for the import, against the embedded platform."""

import contextlib
import io
from collections.abc import Iterator

import pytest

import agentkit

HELLO_WORLD = """
from agentkit import Agent, Runner

agent = Agent(name="Assistant", instructions="You are a helpful assistant")

result = Runner.run_sync(agent, "Write a haiku about recursion in programming.")
print(result.final_output)
"""

HANDOFFS = """
from agentkit import Agent, Runner
import asyncio

spanish_agent = Agent(name="Spanish agent", instructions="You only speak Spanish.")
english_agent = Agent(name="English agent", instructions="You only speak English")

triage_agent = Agent(
    name="Triage agent",
    instructions="Handoff to the appropriate agent based on the language of the request.",
    handoffs=[spanish_agent, english_agent],
)

async def main():
    result = await Runner.run(triage_agent, input="Hola, ¿cómo estás?")
    print(result.last_agent.name)
    print(result.final_output)

if __name__ == "__main__":
    asyncio.run(main())
"""

FUNCTIONS = """
import asyncio
from agentkit import Agent, Runner, function_tool

@function_tool
def get_weather(city: str) -> str:
    return f"The weather in {city} is sunny."

agent = Agent(
    name="Hello world",
    instructions="You are a helpful agent.",
    tools=[get_weather],
)

async def main():
    result = await Runner.run(agent, input="What's the weather in Tokyo?")
    print(result.final_output)

if __name__ == "__main__":
    asyncio.run(main())
"""

HOMEWORK = """
import asyncio
from agentkit import Agent, Runner

history_tutor_agent = Agent(
    name="History Tutor",
    handoff_description="Specialist agent for historical questions",
    instructions="You provide assistance with historical queries. Explain important events and context clearly.",
)

math_tutor_agent = Agent(
    name="Math Tutor",
    handoff_description="Specialist agent for math questions",
    instructions="You provide help with math problems. Explain your reasoning at each step and include examples",
)

triage_agent = Agent(
    name="Triage Agent",
    instructions="You determine which agent to use based on the user's homework question",
    handoffs=[history_tutor_agent, math_tutor_agent]
)

async def main():
    for question in ("who was the first president of the united states?", "What is the derivative of x^2?"):
        result = await Runner.run(triage_agent, question)
        print(result.last_agent.name)

asyncio.run(main())
"""

STREAMED_TEXT = """
import asyncio
from openai.types.responses import ResponseTextDeltaEvent
from agentkit import Agent, Runner

async def main():
    agent = Agent(
        name="Joker",
        instructions="You are a helpful assistant.",
    )

    result = Runner.run_streamed(agent, input="Please tell me 5 jokes.")
    async for event in result.stream_events():
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
            print(event.data.delta, end="", flush=True)

if __name__ == "__main__":
    asyncio.run(main())
"""

STREAMED_ITEMS = """
import asyncio
from agentkit import Agent, ItemHelpers, Runner, function_tool

@function_tool
def how_many_jokes() -> int:
    return 3

async def main():
    agent = Agent(
        name="Joker",
        instructions="First call the `how_many_jokes` tool, then tell that many jokes.",
        tools=[how_many_jokes],
    )

    result = Runner.run_streamed(
        agent,
        input="Hello",
    )
    print("=== Run starting ===")
    async for event in result.stream_events():
        # We'll ignore the raw responses event deltas
        if event.type == "raw_response_event":
            continue
        elif event.type == "agent_updated_stream_event":
            print(f"Agent updated: {event.new_agent.name}")
            continue
        elif event.type == "run_item_stream_event":
            if event.item.type == "tool_call_item":
                print("-- Tool was called")
            elif event.item.type == "tool_call_output_item":
                print(f"-- Tool output: {event.item.output}")
            elif event.item.type == "message_output_item":
                print(f"-- Message output:\\n {ItemHelpers.text_message_output(event.item)}")
            else:
                pass  # Ignore other event types

    print("=== Run complete ===")

if __name__ == "__main__":
    asyncio.run(main())
"""

CALENDAR = """
import asyncio
from pydantic import BaseModel
from agentkit import Agent, Runner

class CalendarEvent(BaseModel):
    name: str
    date: str
    participants: list[str]

agent = Agent(
    name="Calendar extractor",
    instructions="Extract calendar events from text",
    output_type=CalendarEvent,
)

async def main():
    result = await Runner.run(agent, "Alice and Bob are going to a science fair on Friday.")
    print(result.final_output.participants, result.final_output.date)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def embedded(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    agentkit.connect("embedded")
    yield
    agentkit.disconnect()


def run(source: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, "example.py", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def test_hello_world() -> None:
    assert len(run(HELLO_WORLD).strip().splitlines()) == 3


def test_handoff_by_language() -> None:
    name, answer = run(HANDOFFS).split("\n", 1)
    assert name == "Spanish agent"
    assert "¡Hola!" in answer


def test_function_tool() -> None:
    assert run(FUNCTIONS).strip() == "The weather in Tokyo is sunny."


def test_handoff_by_subject() -> None:
    assert run(HOMEWORK).split("\n")[:2] == ["History Tutor", "Math Tutor"]


def test_streamed_text() -> None:
    assert [line[:2] for line in run(STREAMED_TEXT).splitlines() if line[:1].isdigit()] == [
        "1.",
        "2.",
        "3.",
        "4.",
        "5.",
    ]


def test_streamed_items() -> None:
    lines = run(STREAMED_ITEMS).splitlines()
    assert lines[:4] == [
        "=== Run starting ===",
        "Agent updated: Joker",
        "-- Tool was called",
        "-- Tool output: 3",
    ]
    assert lines[4] == "-- Message output:"
    assert lines[-1] == "=== Run complete ==="
    assert [line.strip()[:2] for line in lines if line.strip()[:1].isdigit()] == ["1.", "2.", "3."]


def test_structured_output() -> None:
    assert run(CALENDAR).strip() == "['Alice', 'Bob'] Friday"
