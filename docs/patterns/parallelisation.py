"""The same question to several agents at once, and one that looks at all the answers.

`asyncio.gather` runs them side by side: it takes as long as the slowest, not as all together.
"""

import asyncio

import agentkit
from agentkit import Agent, Runner, function_tool, trace


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return {"Oslo": "Oslo: 3 °C, snow", "Rome": "Rome: 21 °C, sunny"}.get(city, f"{city}: 15 °C, rain")


scout = Agent(name="Scout", instructions="Tell the weather.", tools=[get_weather])
summary = Agent(name="Summary", instructions="Summarize the reports in one sentence.")


async def main() -> None:
    with trace("Three cities"):
        reports = await asyncio.gather(
            *(Runner.run(scout, f"What's the weather in {city}?") for city in ("Oslo", "Rome", "Lima"))
        )
        for report in reports:
            print(report.final_output)
        result = await Runner.run(summary, "\n".join(report.final_output for report in reports))
    print(f"Summary: {result.final_output}")


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
