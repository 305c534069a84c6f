"""Agents, tools and sessions as a plan wants them, new ones each time; and the ways to run them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from agentkit import (
    Agent,
    AgentsException,
    GuardrailFunctionOutput,
    HandoffInputData,
    InputGuardrail,
    ModelInputData,
    OutputGuardrail,
    RunConfig,
    RunErrorHandlerResult,
    RunState,
    SessionSettings,
    ToolExecutionConfig,
    ToolsToFinalOutputResult,
    handoff,
)
from agentkit.extensions.handoff_filters import remove_all_tools
from agentkit.runtime.ledger import OUTPUT_KINDS

from .catalogue import NO_JSON, hosted_tools, plain_tools
from .plans import AgentPlan, Plan
from .raw_model import RawModel, SharedList, said
from .seen import HookLog

__all__ = ["EARLIER", "Ending", "World", "ending"]

EARLIER = [{"role": "user", "content": "Long ago"}, said("Yes?")]


class Verdict(BaseModel):
    ok: bool


OUTPUTS: dict[str, Any] = {"text": None, "model": Verdict, "list": list[int]}


def last_only(data: HandoffInputData) -> HandoffInputData:
    return data.clone(input_history=data.input_history[-1:], pre_handoff_items=())


async def last_only_async(data: HandoffInputData) -> HandoffInputData:
    return last_only(data)


async def decides(context: Any, results: list[Any]) -> ToolsToFinalOutputResult:
    return ToolsToFinalOutputResult(len(results) > 1, [result.output for result in results])


BEHAVIORS: dict[str, Any] = {
    "again": "run_llm_again",
    "first": "stop_on_first_tool",
    "named": {"stop_at_tool_names": ["now", "give"]},
    "function": decides,
    "never": lambda context, results: ToolsToFinalOutputResult(False),
}


class World:
    """Everything that a run of a plan needs.

    Args:
        plan: The plan.
        after: A world that a run of the plan has come to rest in, which this one goes on from: as another process
            would, knowing nothing but what the model has said so far and what the session holds.
    """

    def __init__(self, plan: Plan, after: World | None = None) -> None:
        self.plan = plan
        last_word = '{"ok":true}' if plan.agents[0].output == "model" else "That is all."
        self.model = RawModel(plan.replies, last_word)
        self.helper_model = RawModel(plan.helper, "Helped.")
        self.hooks = HookLog()
        earlier = list(EARLIER) if plan.session in ("earlier", "limited", "combined") else []
        self.session = (
            None if plan.session is None else SharedList(after.session.items if after and after.session else earlier)
        )
        self.decided = 0
        if after is not None:
            self.model.position, self.helper_model.position = after.model.position, after.helper_model.position
            self.model.requests, self.helper_model.requests = after.model.requests, after.helper_model.requests
            self.hooks.events = after.hooks.events
            self.decided = after.decided
        self.agents = self._agents()

    def _agents(self) -> list[Agent[Any]]:
        helper = Agent(name="helper", model=self.helper_model, tools=[*plain_tools()])
        tool = helper.as_tool("ask_helper", "Helps.")
        agents = [self._agent(letter, plan, tool) for letter, plan in zip("abc", self.plan.agents, strict=False)]
        for agent, plan in zip(agents, self.plan.agents, strict=True):
            agent.handoffs = [way(agents[to], how) for to, how in plan.ways if to < len(agents)]
        return agents

    def _agent(self, name: str, plan: AgentPlan, helper: Any) -> Agent[Any]:
        decide = {"approves": True, "declines": False}.get(plan.hosted or "")
        return Agent(
            name=name,
            instructions=f"You are {name}.",
            model=self.model,
            tools=([*plain_tools(), helper] if plan.equipped else []) + (hosted_tools(decide) if plan.hosted else []),
            output_type=OUTPUTS[plan.output],
            tool_use_behavior=BEHAVIORS[plan.behavior],
            output_guardrails=[] if plan.output_guard is None else [output_guard(plan.output_guard)],
        )

    def config(self) -> RunConfig:
        """Return the run's settings."""
        options = self.plan.options
        return RunConfig(
            input_guardrails=[input_guard(kind) for kind in self.plan.input_guards],
            tool_execution=ToolExecutionConfig(1) if "one_at_a_time" in options else None,
            tool_not_found_behavior="raise_error" if "raise_on_unknown" in options else "return_error_to_model",
            tool_error_formatter=(lambda told: f"formatted {told.kind}") if "formats" in options else None,
            handoff_input_filter=last_only if "drops" in options else None,
            call_model_input_filter=filters_input if "filters_input" in options else None,
            nest_handoff_history="nests" in options,
            trace_include_sensitive_data="keeps_secrets" not in options,
            tracing_disabled="untraced" in options,
            budget_tokens=20 if "frugal" in options else None,
            session_settings=SessionSettings(limit=1) if self.plan.session == "limited" else None,
            session_input_callback=(lambda old, new: old[-1:] + new) if self.plan.session == "combined" else None,
        )

    def arguments(self) -> dict[str, Any]:
        """Return what the runner is called with, besides agent and input."""
        return {
            "max_turns": self.plan.max_turns,
            "hooks": self.hooks,
            "run_config": self.config(),
            "error_handlers": {name: HANDLERS[name] for name in sorted(self.plan.handlers)},
            "session": self.session,
        }

    def decide(self, state: RunState) -> None:
        """Approve or reject what waits, as the plan says."""
        for item in state.get_interruptions():
            approve, always, message = self.plan.decisions[self.decided % len(self.plan.decisions)]
            self.decided += 1
            if approve:
                state.approve(item, always_approve=always)
            else:
                state.reject(item, always_reject=always, rejection_message=message)
        assert state.get_interruptions() == []


def way(agent: Agent[Any], how: str) -> Any:
    """Return a way to an agent."""
    match how:
        case "agent":
            return agent
        case "filtered":
            return handoff(agent, input_filter=remove_all_tools)
        case "async_filtered":
            return handoff(agent, input_filter=last_only_async)
        case "nested":
            return handoff(agent, nest_handoff_history=True)
        case "with_input":
            return handoff(agent, on_handoff=lambda context, given: None, input_type=Reason)
        case _:
            return handoff(agent, is_enabled=how != "disabled")


class Reason(BaseModel):
    reason: str


def filters_input(data: Any) -> ModelInputData:
    return ModelInputData(data.model_data.input[-2:], "Be brief.")


def input_guard(kind: str) -> InputGuardrail[Any]:
    found = GuardrailFunctionOutput(kind, kind.startswith("trips"))

    async def look(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        return found

    def look_sync(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        return found

    return InputGuardrail(look_sync if kind == "sync" else look, kind, kind not in ("first", "trips_first"))


def output_guard(kind: str) -> OutputGuardrail[Any]:
    async def look(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(kind, kind == "trips_on_bad" and output == "bad")

    def look_sync(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(kind, False)

    return OutputGuardrail(look_sync if kind == "sync" else look, kind)


HANDLERS: dict[str, Any] = {
    "max_turns": lambda given: RunErrorHandlerResult("That took too long."),
    "model_refusal": lambda given: RunErrorHandlerResult("It refused.", include_in_history=False),
    "invalid_final_output": lambda given: None if "{" in str(given.error) else "unreadable",
}


@dataclass
class Ending:
    """What came of one call of the runner: what has to be the same however it was run."""

    items: list[Any]
    agents: list[str]
    conversation: list[dict[str, Any]]
    final_output: str
    status: str
    usage: dict[str, int]
    error: str | None
    raced: bool
    """Whether one of several calls at once stopped the run: what the others had done by then is a matter of chance."""


def ending(data: Any, error: AgentsException | None) -> Ending:
    """Return what came of one phase of a run."""
    items = [(type(item).__name__, item.raw, getattr(item, "outcome", None)) for item in data.new_items]
    last_turn = [entry for entry in data._run.ledger.entries if entry.turn == data._run.turn]
    answers = [entry.outcome for entry in last_turn if entry.kind in OUTPUT_KINDS]
    return Ending(
        items=items,
        agents=[item.agent.name for item in data.new_items],
        conversation=data.to_input_list(),
        final_output="" if gives_objects(data) else shown(data.final_output),
        status=data.status,
        usage=data.usage.to_dict(),
        error=None if error is None else f"{type(error).__name__}: {error}",
        raced=len(answers) > 1 and "stopped" in answers,
    )


def gives_objects(data: Any) -> bool:
    """Return whether a tool returned what is no JSON: of that, a saved run knows but the text."""
    given = [str(item.raw.get("arguments")) for item in data.new_items if item.raw.get("name") == "give"]
    return any(f'"{name}"' in arguments for arguments in given for name in NO_JSON)


def shown(value: Any) -> str:
    """Return a final output as text that can be compared: nan is no nan's equal, and not all have a text."""
    try:
        return f"{type(value).__name__} {value!r}"
    except Exception:  # of `Untellable`, or of Python's limit on digits
        return type(value).__name__
