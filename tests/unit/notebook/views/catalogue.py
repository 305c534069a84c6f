"""One of everything that a user may hold, by the name of its class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import agentkit
from agentkit import Agent, GuardrailFunctionOutput, ModelSettings, RunConfig, Runner, SQLiteSession, Usage
from agentkit.testing import ScriptedModel, call

SECRET = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
"""Given wherever a key or a header is."""
LONG = "All work and no play makes Jack a dull boy. " * 400


@agentkit.function_tool(needs_approval=True, timeout=5)
async def pay(amount: float, currency: str = "EUR") -> str:
    """Pay an amount.

    Args:
        amount: How much.
        currency: Of which money.
    """
    return LONG


@agentkit.input_guardrail
def on_topic(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(LONG, False)


@agentkit.output_guardrail
def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput({"words": [LONG]}, False)


@agentkit.tool_input_guardrail
def small(data: Any) -> agentkit.ToolGuardrailFunctionOutput:
    return agentkit.ToolGuardrailFunctionOutput.allow()


@agentkit.tool_output_guardrail
def safe(data: Any) -> agentkit.ToolGuardrailFunctionOutput:
    return agentkit.ToolGuardrailFunctionOutput.reject_content(LONG)


@dataclass
class Place:
    """What an agent answers."""

    city: str
    days: int


class Screen(agentkit.Computer):
    """A computer that isn't there."""

    environment = property(lambda self: "mac")  # type: ignore[assignment]
    dimensions = property(lambda self: (800, 600))  # type: ignore[assignment]

    def screenshot(self, *_: Any) -> Any: ...

    click = double_click = scroll = type = wait = move = keypress = drag = screenshot


class SlowScreen(agentkit.AsyncComputer):
    """Another."""

    environment = property(lambda self: "mac")  # type: ignore[assignment]
    dimensions = property(lambda self: (800, 600))  # type: ignore[assignment]

    async def screenshot(self, *_: Any) -> Any: ...

    click = double_click = scroll = type = wait = move = keypress = drag = screenshot


class Kept(agentkit.SessionABC):
    """A session of a user's own."""

    session_id = "mine"

    async def get_items(self, *_: Any) -> Any: ...

    add_items = pop_item = clear_session = get_items


class Processor(agentkit.TracingProcessor):
    """A processor of a user's own."""

    def on_trace_start(self, *_: Any) -> None: ...

    on_trace_end = on_span_start = on_span_end = shutdown = force_flush = on_trace_start


class Provider(agentkit.ModelProvider):
    """A provider of a user's own."""

    def get_model(self, model_name: str | None) -> agentkit.Model:
        return ScriptedModel()


class Schema(agentkit.AgentOutputSchemaBase):
    """A schema of a user's own."""

    def is_plain_text(self) -> bool:
        return False

    def name(self) -> str:
        return "Plan"

    def json_schema(self) -> dict[str, Any]:
        return {}

    def is_strict_json_schema(self) -> bool:
        return True

    def validate_json(self, json_str: str) -> Any:
        return json_str


def desk() -> Agent[Any]:
    """Return an agent with one of everything."""
    refunds = Agent[Any](name="Refunds", tools=[pay], handoff_description="For money back")
    agent = Agent[Any](
        name="Desk",
        instructions=LONG,
        model=ScriptedModel(call("pay", amount=3.5), LONG),
        tools=[pay, refunds.as_tool("ask_refunds", "Asks."), agentkit.WebSearchTool()],
        handoffs=[refunds],
        input_guardrails=[on_topic],
        output_guardrails=[polite],
        model_settings=ModelSettings(temperature=0.2, extra_headers={"Authorization": f"Bearer {SECRET}"}),
    )
    refunds.handoffs.append(agent)
    return agent


async def examples(folder: Path) -> dict[str, Any]:
    """Return objects by the name of their class in `agentkit`."""
    agent = desk()
    found: dict[str, Any] = {}
    for part in (
        settings_and_tools(agent),
        guardrails(agent),
        tracing(agent),
        models(agent),
        file_search(),
        fine_tuning(),
        await runs(agent, folder),
    ):
        found |= part
    return found


def settings_and_tools(agent: Agent[Any]) -> dict[str, Any]:
    context = agentkit.RunContextWrapper({"user": LONG})
    return {
        "Agent": agent,
        "AgentBase": agent,
        "AgentGraph": agent.graph(),
        "AgentHookContext": agentkit.AgentHookContext({"user": 1}),
        "AgentHooks": agentkit.AgentHooks(),
        "AgentOutputSchema": agentkit.AgentOutputSchema(list[int]),
        "AgentOutputSchemaBase": Schema(),
        "AsyncComputer": SlowScreen(),
        "Attachment": agentkit.Attachment("a.txt", "text/plain", LONG.encode()),
        "ChatQuirks": agentkit.ChatQuirks(reasoning_field="thoughts"),
        "CodeInterpreterTool": agentkit.CodeInterpreterTool(),
        "Computer": Screen(),
        "ComputerTool": agentkit.ComputerTool(Screen()),
        "ComputerToolSafetyCheckData": agentkit.ComputerToolSafetyCheckData(context, agent, None, None),  # type: ignore[arg-type]
        "FileSearchTool": agentkit.FileSearchTool(vector_store_ids=["vs_1"], max_num_results=3),
        "FunctionTool": pay,
        "GenerateDynamicPromptData": agentkit.GenerateDynamicPromptData(context, agent),
        "Handoff": agentkit.handoff(agent, input_filter=lambda data: data, is_enabled=lambda context, agent: True),
        "HostedMCPTool": agentkit.HostedMCPTool(
            tool_config={"type": "mcp", "server_label": "docs", "server_url": "https://x.org", "authorization": SECRET}
        ),
        "ImageGenerationTool": agentkit.ImageGenerationTool(),
        "LocalShellCommandRequest": agentkit.LocalShellCommandRequest(context, None),  # type: ignore[arg-type]
        "LocalShellTool": agentkit.LocalShellTool(lambda request: "done"),
        "MCPToolApprovalRequest": agentkit.MCPToolApprovalRequest(context, None),  # type: ignore[arg-type]
        "MCPToolChoice": agentkit.MCPToolChoice("docs", "search"),
        "RunConfig": RunConfig(
            model="m", workflow_name="Nightly", tracing={"api_key": SECRET}, call_model_input_filter=lambda data: data
        ),
        "RunContextWrapper": context,
        "RunHooks": agentkit.RunHooks(),
        "SessionSettings": agentkit.SessionSettings(limit=3),
        "ToolContext": agentkit.ToolContext({"user": LONG}, tool_name="pay", tool_call_id="c1", agent=agent),
        "ToolExecutionConfig": agentkit.ToolExecutionConfig(2),
        "ToolOutputFileContent": agentkit.ToolOutputFileContent(file_data=LONG, filename="x.txt"),
        "ToolOutputImage": agentkit.ToolOutputImage(image_url="data:image/png;base64," + "A" * 9_000),
        "ToolOutputText": agentkit.ToolOutputText(text=LONG),
        "WebSearchTool": agentkit.WebSearchTool(search_context_size="low"),
    }


def guardrails(agent: Agent[Any]) -> dict[str, Any]:
    context = agentkit.ToolContext(None, tool_name="pay")
    output = GuardrailFunctionOutput(LONG, True)
    told = agentkit.ToolGuardrailFunctionOutput.reject_content("Too much.")
    checked = agentkit.InputGuardrailResult(on_topic, output)
    answered = agentkit.OutputGuardrailResult(polite, LONG, agent, output)
    return {
        "GuardrailFunctionOutput": output,
        "InputGuardrail": on_topic,
        "InputGuardrailResult": checked,
        "InputGuardrailTripwireTriggered": agentkit.InputGuardrailTripwireTriggered(checked),
        "OutputGuardrail": polite,
        "OutputGuardrailResult": answered,
        "OutputGuardrailTripwireTriggered": agentkit.OutputGuardrailTripwireTriggered(answered),
        "ToolGuardrailFunctionOutput": told,
        "ToolInputGuardrail": small,
        "ToolInputGuardrailData": agentkit.ToolInputGuardrailData(context, agent),
        "ToolInputGuardrailResult": agentkit.ToolInputGuardrailResult(small, told),
        "ToolInputGuardrailTripwireTriggered": agentkit.ToolInputGuardrailTripwireTriggered(small, told),
        "ToolOutputGuardrail": safe,
        "ToolOutputGuardrailData": agentkit.ToolOutputGuardrailData(context, agent, LONG),
        "ToolOutputGuardrailResult": agentkit.ToolOutputGuardrailResult(safe, told),
        "ToolOutputGuardrailTripwireTriggered": agentkit.ToolOutputGuardrailTripwireTriggered(safe, told),
    }


def tracing(agent: Agent[Any]) -> dict[str, Any]:
    exporter = agentkit.BackendSpanExporter(SECRET)
    with agentkit.trace("Nightly") as kept, agentkit.function_span("pay", LONG, LONG) as span:
        pass
    kept.tracing_api_key = SECRET
    return {
        "AgentSpanData": agentkit.AgentSpanData("Desk", ["Refunds"], ["pay"], "str"),
        "BackendSpanExporter": exporter,
        "BatchTraceProcessor": agentkit.BatchTraceProcessor(exporter),
        "ConsoleSpanExporter": agentkit.ConsoleSpanExporter(),
        "CustomSpanData": agentkit.CustomSpanData("mine", {"text": LONG}),
        "FunctionSpanData": agentkit.FunctionSpanData("pay", LONG, LONG),
        "GenerationSpanData": agentkit.GenerationSpanData([{"role": "user", "content": LONG}], model="m"),
        "GuardrailSpanData": agentkit.GuardrailSpanData("polite", True),
        "HandoffSpanData": agentkit.HandoffSpanData("Desk", "Refunds"),
        "JSONLExporter": agentkit.JSONLExporter("runs.jsonl"),
        "MCPListToolsSpanData": agentkit.MCPListToolsSpanData("files", ["read", "write"]),
        "OTLPSpanExporter": agentkit.OTLPSpanExporter("http://127.0.0.1:4318/v1/traces", headers={"x-key": SECRET}),
        "ResponseSpanData": agentkit.ResponseSpanData(),
        "Span": span,
        "SpanData": agentkit.CustomSpanData("mine"),
        "SpeechGroupSpanData": agentkit.SpeechGroupSpanData(LONG),
        "SpeechSpanData": agentkit.SpeechSpanData(LONG),
        "TaskSpanData": agentkit.TaskSpanData("task"),
        "Trace": kept,
        "TraceProvider": agentkit.TraceProvider(),
        "TracingProcessor": Processor(),
        "TranscriptionSpanData": agentkit.TranscriptionSpanData(LONG),
        "TurnSpanData": agentkit.TurnSpanData(1, "Desk"),
    }


def models(agent: Agent[Any]) -> dict[str, Any]:
    client = agentkit.AsyncOpenAI(api_key=SECRET, base_url="http://localhost:9/v1")
    normalized = agentkit.ModelRetryNormalizedError(429, message=LONG)
    advice = agentkit.ModelRetryAdvice(True, 3.0, normalized=normalized)
    mapped = agentkit.MultiProviderMap()
    mapped.add_provider("own", Provider())
    failed = ValueError(LONG)
    return {
        "Backend": agentkit.connect("http://localhost:9/v1", api_key=SECRET, model="m"),
        "Model": ScriptedModel(),
        "ModelInputData": agentkit.ModelInputData([{"role": "user", "content": LONG}], LONG),
        "ModelProvider": Provider(),
        "ModelResponse": agentkit.ModelResponse(
            [{"type": "function_call", "name": "pay", "arguments": '{"amount": 3}', "call_id": "c"}], model="m"
        ),
        "ModelRetryAdvice": advice,
        "ModelRetryAdviceRequest": agentkit.ModelRetryAdviceRequest(failed, 1, False),
        "ModelRetryBackoffSettings": agentkit.ModelRetryBackoffSettings(1.0),
        "ModelRetryNormalizedError": normalized,
        "ModelRetrySettings": agentkit.ModelRetrySettings(3, policy=agentkit.retry_policies.never()),
        "ModelSettings": ModelSettings(temperature=0.2, extra_headers={"Authorization": f"Bearer {SECRET}"}),
        "ModelTracing": agentkit.ModelTracing.ENABLED,
        "MultiProvider": agentkit.MultiProvider(openai_api_key=SECRET),
        "MultiProviderMap": mapped,
        "OpenAIChatCompletionsModel": agentkit.OpenAIChatCompletionsModel("m", client),
        "OpenAIConversationsSession": agentkit.OpenAIConversationsSession(openai_client=client),
        "OpenAIProvider": agentkit.OpenAIProvider(api_key=SECRET),
        "OpenAIResponsesCompactionSession": agentkit.OpenAIResponsesCompactionSession(
            "c", SQLiteSession("c"), client=client
        ),
        "OpenAIResponsesModel": agentkit.OpenAIResponsesModel("m", client),
        "RetryDecision": agentkit.RetryDecision(True, 2.0, "busy"),
        "RetryPolicyContext": agentkit.RetryPolicyContext(failed, 1, 3, False, normalized, advice),
    }


def file_search() -> dict[str, Any]:
    from agentkit.files.opening import StoreInfo
    from agentkit.files.progress import FileOutcome
    from agentkit.files.report import report_of

    store = object.__new__(agentkit.VectorStore)
    store._info = StoreInfo("vs_1", "handbook", "completed", 1, metadata={"team": LONG[:400]}, completed=2, failed=1)
    hit = agentkit.Hit(LONG, 0.5, "file-1", "leave.md", {"year": 2026, "about": LONG}, "leave", page=3)
    outcomes = [FileOutcome("a.md", "uploaded", "", 12, "file-1"), FileOutcome("b.pdf", "failed", "It has no text.")]
    return {
        "AddReport": report_of("handbook", outcomes),
        "Citation": agentkit.Citation(1, "file", "file-1", "leave.md", quote=LONG, score=0.5, said="Yes."),
        "Hit": hit,
        "SearchResult": agentkit.SearchResult("leave", "handbook", [hit, hit]),
        "StoreProgress": agentkit.StoreProgress("handbook", "indexing", 3, 1, file="a.md"),
        "VectorStore": store,
    }


def fine_tuning() -> dict[str, Any]:
    from agentkit.backend import Backend
    from agentkit.finetuning.asking import JobError, JobEvent, JobInfo
    from agentkit.finetuning.following import Known
    from agentkit.finetuning.snapshot import snapshot_of

    error = JobError("out_of_memory", LONG)
    info = JobInfo("ftjob-1", "failed", "tiny-1", "sft", 0, seed=7, suffix="support", error=error)
    steps = {step: {"train_loss": 1 / step, "total_steps": 900} for step in range(1, 900)}
    known = Known(info, events=(JobEvent("1", 0, "info", LONG, "message"),), rows=steps)
    examples = agentkit.FineTuningDataset.from_examples([(LONG, "Yes.")] * 12, name="train")
    scores = {"question": ["Why?"], "expected": ["So."], "answer": [LONG], "right": [False], "error": [None]}
    return {
        "CheckReport": examples.check(),
        "ComparedScores": agentkit.ComparedScores({"right": [1], "cases": [2]}, index=["before"]),
        "Estimate": agentkit.Estimate("tiny-1", "sft", 12, 3, True, 1_200, 240, "o200k_base"),
        "FineTuningDataset": examples,
        "FineTuningJob": agentkit.FineTuningJob(object.__new__(Backend), known),
        "FineTuningProgress": agentkit.FineTuningProgress("train", "uploading", 3, 12),
        "JobSnapshot": snapshot_of(known, "embedded", events=5),
        "Scores": agentkit.Scores(scores),
    }


async def runs(agent: Agent[Any], folder: Path) -> dict[str, Any]:
    resting = await Runner.run(agent, "Pay 3.50")
    state = resting.to_state()
    for item in resting.interruptions:
        state.approve(item)
    session = SQLiteSession("travel", folder / "sessions.sqlite")
    plain = Agent[Any](name="Plain", model=ScriptedModel("Yes", "No"))
    streaming = Runner.run_streamed(plain, "Really?")
    events = [event async for event in streaming.stream_events()]
    result = await Runner.run(plain, "Really?", session=session)
    data = agentkit.RunErrorData("Hi", result.new_items, [], [], result.raw_responses, plain)
    invoked = agentkit.CallModelData(agentkit.ModelInputData([], LONG), plain, None)
    usage = Usage()
    usage.add(Usage(1, 1_200, 30, 1_230), agent_name="Desk", model="gpt-5")
    context = agentkit.RunContextWrapper(None)
    error = agentkit.MaxTurnsExceeded(LONG[:200])
    return {
        **items(agent),
        "AgentToolInvocation": agentkit.AgentToolInvocation("ask", "c", LONG),
        "AgentToolStreamEvent": agentkit.AgentToolStreamEvent(events[0], plain, {"arguments": LONG}),
        "AgentUpdatedStreamEvent": agentkit.AgentUpdatedStreamEvent(plain),
        "CallModelData": invoked,
        "ChatMessage": agentkit.ChatMessage("user", LONG),
        "CompactingSession": agentkit.CompactingSession(session),
        "FunctionToolResult": agentkit.FunctionToolResult(pay, LONG),
        "HandoffInputData": agentkit.HandoffInputData("Hi", (), tuple(result.new_items)),
        "Partial": agentkit.Partial(Place, ("city", "days"), {"city": LONG}, frozenset()),
        "RecordedTrace": agentkit.open_trace(result),
        "RawResponsesStreamEvent": next(e for e in events if isinstance(e, agentkit.RawResponsesStreamEvent)),
        "RequestUsage": usage.request_usage_entries[0],
        "RunErrorData": data,
        "RunErrorDetails": await _error_details(),
        "RunErrorHandlerInput": agentkit.RunErrorHandlerInput(error, context, data),
        "RunErrorHandlerResult": agentkit.RunErrorHandlerResult(LONG),
        "RunItemStreamEvent": next(e for e in events if isinstance(e, agentkit.RunItemStreamEvent)),
        "RunResult": result,
        "RunResultBase": resting,
        "RunResultStreaming": streaming,
        "RunState": resting.to_state(),
        "SQLiteSession": session,
        "SessionABC": Kept(),
        "SessionInfo": (await SQLiteSession.sessions(folder / "sessions.sqlite"))[0],
        "ToolErrorFormatterArgs": agentkit.ToolErrorFormatterArgs(
            "tool_not_found", "function", "pay", "c", LONG, context
        ),
        "ToolsToFinalOutputResult": agentkit.ToolsToFinalOutputResult(True, LONG),
        "Usage": usage,
    }


async def _error_details() -> Any:
    model = ScriptedModel(*[call("look")] * 5)

    @agentkit.function_tool
    def look() -> str:
        return "nothing"

    try:
        await Runner.run(Agent[Any](name="Lost", model=model, tools=[look]), "Hi", max_turns=2)
    except agentkit.MaxTurnsExceeded as error:
        return error.run_data
    raise AssertionError("it ended")


def items(agent: Agent[Any]) -> dict[str, Any]:
    call_ = {"type": "function_call", "name": "pay", "arguments": '{"amount": 3.5}', "call_id": "c", "id": "i"}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": LONG}]}
    thought = {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "Hm. " + LONG}]}
    asked = {"type": "mcp_approval_request", "id": "m", "name": "delete", "arguments": "{}", "server_label": "files"}
    replied = {"type": "mcp_approval_response", "approval_request_id": "m", "approve": True}
    listed = {"type": "mcp_list_tools", "id": "l", "server_label": "files", "tools": []}
    handed = {"type": "function_call_output", "call_id": "c", "output": "{}"}
    return {
        "CompactionItem": agentkit.CompactionItem(agent, {"type": "compaction", "encrypted_content": LONG}),
        "HandoffCallItem": agentkit.HandoffCallItem(agent, {**call_, "name": "transfer_to_refunds"}),
        "HandoffOutputItem": agentkit.HandoffOutputItem(agent, handed, agent, Agent[Any](name="Refunds")),
        "MCPApprovalRequestItem": agentkit.MCPApprovalRequestItem(agent, asked),
        "MCPApprovalResponseItem": agentkit.MCPApprovalResponseItem(agent, replied),
        "MCPListToolsItem": agentkit.MCPListToolsItem(agent, listed),
        "MessageOutputItem": agentkit.MessageOutputItem(agent, said),
        "ReasoningItem": agentkit.ReasoningItem(agent, thought),
        "ToolApprovalItem": agentkit.ToolApprovalItem(agent, call_),
        "ToolCallItem": agentkit.ToolCallItem(agent, call_),
        "ToolCallOutputItem": agentkit.ToolCallOutputItem(agent, handed, LONG),
    }
