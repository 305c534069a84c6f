from dataclasses import dataclass

from agentkit import Agent, GenerateDynamicPromptData, Runner


@dataclass
class PromptContext:
    prompt_id: str
    poem_style: str


async def build_prompt(data: GenerateDynamicPromptData):
    ctx: PromptContext = data.context.context
    return {
        "id": ctx.prompt_id,
        "version": "1",
        "variables": {"poem_style": ctx.poem_style},
    }


agent = Agent(name="Prompted assistant", prompt=build_prompt)
result = Runner.run_sync(agent, "Say hello", context=PromptContext(prompt_id="pmpt_123", poem_style="limerick"))
print(result.final_output)
