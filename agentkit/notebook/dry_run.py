"""What a question would send, without sending it: `%ask agent --dry-run …`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentkit import pricing
from agentkit.notebook.token_estimate import TokenEstimate, estimate_tokens

if TYPE_CHECKING:
    from agentkit.notebook.running import Question
    from agentkit.runtime.next_request import NextRequest

__all__ = ["DryRun", "dry_run"]


@dataclass(frozen=True)
class DryRun:
    """The request that a question would begin with. Nothing of it was sent."""

    agent: str
    """Who would be asked."""
    model: str
    """The model's name."""
    address: str
    """Where it would go, such as `POST https://api.openai.com/v1/responses`; "" for a model of your own."""
    instructions: str
    """What the model would be told."""
    messages: list[dict[str, Any]]
    """The conversation, in the shape of the Responses API; the question is the last."""
    earlier: int
    """How many of them, from the first, are the session's."""
    tools: list[dict[str, Any]]
    """Tools and handoffs, each with `name`, `description` and `parameters`, or a hosted tool as it is sent."""
    settings: dict[str, Any]
    """The model settings that are set, and the name of the `output_type`; of `extra_headers` the names."""
    body: dict[str, Any] | None = field(repr=False)
    """The JSON that would be sent; None for a model of your own."""
    estimate: TokenEstimate
    """About how many input tokens it has."""
    budget_usd: float | None = None
    """What the run may cost."""
    max_turns: int | None = None
    """Model calls that the run may make."""

    @property
    def input_tokens(self) -> int:
        """About how many input tokens it has, but for `estimate.uncounted` files."""
        return self.estimate.tokens

    @property
    def cost_usd(self) -> float | None:
        """What its input would cost at list price; None where that isn't known."""
        price = pricing.price_of(self.model)
        return None if price is None else price.cost_usd(self.input_tokens, 0)

    @property
    def most_usd(self) -> float | None:
        """What it would cost with the longest answer that its settings allow; None where that isn't known."""
        price, most = pricing.price_of(self.model), self.settings.get("max_tokens")
        return None if price is None or most is None else price.cost_usd(self.input_tokens, most)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from agentkit.notebook.display.request_view import request_bundle

        return request_bundle(self)


def dry_run(question: Question) -> DryRun:
    """Return what a question would send; blocks until the agent's instruction functions and MCP servers have answered.

    The session is read and not changed: a question that begins anew goes without what it holds.

    Raises:
        UserError: The run could not begin.
    """
    from agentkit.notebook.settings import settings
    from agentkit.runtime.background import run_blocking
    from agentkit.runtime.next_request import next_request

    limits = settings().checked()
    config = limits.limited(question.config)
    given: Any = question.input
    session = None if question.afresh else question.session
    request = run_blocking(
        next_request(question.agent, given, context=question.context, run_config=config, session=session)
    )
    return _described(request, config.budget_usd if config else None, question.max_turns or limits.max_turns)


def _described(request: NextRequest, budget_usd: float | None, max_turns: int) -> DryRun:
    arguments, body = request.arguments, request.body or {}
    settings = arguments["model_settings"]
    values = settings.to_json_dict()
    values["extra_headers"] = settings.extra_headers and sorted(settings.extra_headers)  # their values may be keys
    tools = [_flat(tool) for tool in body.get("tools") or _given_tools(arguments)]
    schema = arguments["output_schema"]
    form = None if schema is None or schema.is_plain_text() else schema.json_schema()
    items = [dict(item) for item in arguments["input"]]
    if form is not None:
        values["output_type"] = schema.name()
    return DryRun(
        agent=request.agent.name,
        model=str(body.get("model") or getattr(request.model, "model", None) or type(request.model).__name__),
        address=request.address,
        instructions=arguments["system_instructions"] or "",
        messages=items,
        earlier=request.earlier,
        tools=tools,
        settings={name: value for name, value in values.items() if value is not None},
        body=request.body,
        estimate=estimate_tokens(arguments["system_instructions"], items, tools, form),
        budget_usd=budget_usd,
        max_turns=max_turns,
    )


def _flat(tool: dict[str, Any]) -> dict[str, Any]:
    """Return a tool in the Responses API's shape, whichever API's it has."""
    inner = tool.get("function")
    return {"type": "function", **inner} if isinstance(inner, dict) else tool


def _given_tools(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tools that a model of your own is given, in the Responses API's shape."""
    tools: list[dict[str, Any]] = []
    for tool in arguments["tools"]:
        schema = getattr(tool, "params_json_schema", None)
        described = {"description": tool.description, "parameters": schema} if schema is not None else {}
        tools.append({"type": "function" if described else type(tool).__name__, "name": tool.name, **described})
    for handoff in arguments["handoffs"]:
        described = {"description": handoff.tool_description, "parameters": handoff.input_json_schema}
        tools.append({"type": "function", "name": handoff.tool_name, **described})
    return tools
