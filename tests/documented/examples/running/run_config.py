import asyncio

from agentkit import Agent, GuardrailFunctionOutput, ModelSettings, RunConfig, Runner, input_guardrail, output_guardrail

seen = []


@input_guardrail
def note_input(context, agent, input):
    seen.append(input)
    return GuardrailFunctionOutput(output_info="input seen", tripwire_triggered=False)


@output_guardrail
def note_output(context, agent, output):
    seen.append(output)
    return GuardrailFunctionOutput(output_info="output seen", tripwire_triggered=False)


agent = Agent(name="Assistant", instructions="You are a helpful assistant", model="no-such-model")


async def main():
    result = await Runner.run(
        agent,
        "What is 6 times 7?",
        run_config=RunConfig(
            model="gpt-4o",
            model_settings=ModelSettings(temperature=0.2, top_p=0.5),
            input_guardrails=[note_input],
            output_guardrails=[note_output],
            workflow_name="Sums",
            group_id="thread_1",
            trace_metadata={"customer": "c_9"},
            trace_include_sensitive_data=False,
        ),
    )
    print(result.final_output)
    print(seen)
    print([item.output.output_info for item in result.input_guardrail_results + result.output_guardrail_results])


asyncio.run(main())
