import json

from agentkit import (
    Agent,
    Runner,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrailTripwireTriggered,
    function_tool,
    tool_input_guardrail,
    tool_output_guardrail,
)


@tool_input_guardrail
def block_secrets(data):
    args = json.loads(data.context.tool_arguments or "{}")
    if "sk-" in json.dumps(args):
        return ToolGuardrailFunctionOutput.reject_content("Remove secrets before calling this tool.")
    if "bomb" in json.dumps(args):
        return ToolGuardrailFunctionOutput.raise_exception({"word": "bomb"})
    return ToolGuardrailFunctionOutput.allow()


@tool_output_guardrail
def redact_output(data):
    text = str(data.output or "")
    if "secret" in text:
        return ToolGuardrailFunctionOutput.reject_content("Output contained sensitive data.")
    return ToolGuardrailFunctionOutput.allow(output_info="clean")


@function_tool(tool_input_guardrails=[block_secrets], tool_output_guardrails=[redact_output])
def classify_text(text: str) -> str:
    """Classify text for internal routing."""
    return f"{text}: {len(text)} characters"


agent = Agent(name="Classifier", instructions="Classify the text.", tools=[classify_text])
for text in ("hello world", "sk-123", "the secret", "a bomb"):
    try:
        result = Runner.run_sync(agent, f'Classify "{text}"')
        print([item.output for item in result.new_items if item.type == "tool_call_output_item"])
        print(len(result.tool_input_guardrail_results), len(result.tool_output_guardrail_results))
    except ToolInputGuardrailTripwireTriggered as tripped:
        print("tripped:", tripped.guardrail.get_name(), tripped.output.output_info)
