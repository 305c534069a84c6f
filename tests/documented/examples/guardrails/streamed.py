import asyncio

from agentkit import Agent, GuardrailFunctionOutput, InputGuardrailTripwireTriggered, Runner, input_guardrail


@input_guardrail
async def no_homework(context, agent, input):
    return GuardrailFunctionOutput(output_info="homework", tripwire_triggered="homework" in input)


agent = Agent(name="Assistant", input_guardrails=[no_homework])


async def main():
    result = Runner.run_streamed(agent, "Do my homework")
    try:
        async for _ in result.stream_events():
            pass
    except InputGuardrailTripwireTriggered as tripped:
        print("tripped:", tripped.guardrail_result.output.output_info, result.is_complete)
    print([one.output.tripwire_triggered for one in result.input_guardrail_results])


asyncio.run(main())
