import asyncio

from agentkit import Agent, AsyncComputer, ComputerTool, ModelSettings, Runner

done = []


class PaintedComputer(AsyncComputer):
    """A screen that is only painted: it notes what is done."""

    @property
    def environment(self):
        return "browser"

    @property
    def dimensions(self):
        return (1024, 768)

    async def screenshot(self) -> str:
        return "aGVsbG8="

    async def click(self, x, y, button) -> None:
        done.append(("click", x, y, button))

    async def double_click(self, x, y) -> None:
        done.append(("double_click", x, y))

    async def scroll(self, x, y, scroll_x, scroll_y) -> None:
        done.append(("scroll", x, y, scroll_x, scroll_y))

    async def type(self, text) -> None:
        done.append(("type", text))

    async def wait(self) -> None:
        done.append(("wait",))

    async def move(self, x, y) -> None:
        done.append(("move", x, y))

    async def keypress(self, keys) -> None:
        done.append(("keypress", keys))

    async def drag(self, path) -> None:
        done.append(("drag", path))


agent = Agent(
    name="Browser user",
    instructions="You are a helpful agent.",
    tools=[ComputerTool(PaintedComputer())],
    model="computer-use-preview",
    model_settings=ModelSettings(truncation="auto"),
)


async def main():
    result = await Runner.run(agent, "Search for SF sports news and summarize.")
    print(done)
    print([item.type for item in result.new_items])
    print(result.final_output)


asyncio.run(main())
