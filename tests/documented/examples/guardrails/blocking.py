import asyncio

from agentkit import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
    RunHooks,
    Runner,
    input_guardrail,
)

asked = []


class Hooks(RunHooks):
    async def on_llm_start(self, context, agent, system_prompt, input_items):
        asked.append(agent.name)


@input_guardrail(name="no shouting", run_in_parallel=False)
def no_shouting(context, agent, input):
    return GuardrailFunctionOutput(output_info={"shouted": input.isupper()}, tripwire_triggered=input.isupper())


async def no_shouting_either(context, agent, input):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=input.isupper())


for guardrail in (no_shouting, InputGuardrail(guardrail_function=no_shouting_either, run_in_parallel=False)):
    agent = Agent(name="Assistant", input_guardrails=[guardrail])
    try:
        asyncio.run(Runner.run(agent, "HELLO", hooks=Hooks()))
    except InputGuardrailTripwireTriggered as tripped:
        result = tripped.guardrail_result
        print(result.guardrail.get_name(), result.output.output_info, asked)
