"""The request that a run would begin with, made as the run would make it, and not sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.models import Model
from agentkit.models.sent import plain_address
from agentkit.models.wire_model import WireModel
from agentkit.runtime.agent import Agent
from agentkit.runtime.model_call import model_arguments
from agentkit.runtime.run import new_run
from agentkit.runtime.run_config import RunConfig

__all__ = ["NextRequest", "next_request"]


@dataclass(frozen=True)
class NextRequest:
    """What a model would get."""

    agent: Agent[Any]
    """Who would be asked."""
    model: Model
    """Its model."""
    arguments: dict[str, Any]
    """What the model would be called with: the arguments of `Model.get_response`."""
    body: dict[str, Any] | None
    """The JSON that would be sent; None for a model of your own, which makes its request itself."""
    address: str
    """Where that would go, without a name or password: `POST https://api.openai.com/v1/responses`; "" as for `body`."""
    earlier: int
    """Items of the input that come from the session."""


async def next_request(
    agent: Agent[Any],
    input: str | list[Any],  # noqa: A002 (what `Runner.run` calls it)
    *,
    context: Any = None,
    run_config: RunConfig | None = None,
    session: Any = None,
) -> NextRequest:
    """Return the first request that `Runner.run` would make.

    No model is called; hooks, guardrails and traces are left alone, and the session is only read. What makes the
    request is asked: instruction functions, `is_enabled` of tools, MCP servers for their tools, input filters. A server
    that has no default model of its own may be asked for its models.

    Args:
        agent: Who would be asked.
        input: Text or items.
        context: Object for instruction functions and tools.
        run_config: Settings of the run.
        session: The conversation that it would be part of.

    Raises:
        UserError: The run could not begin.
    """
    run = new_run(agent, input, context=context, run_config=run_config, session=session, streamed=True)
    if not isinstance(input, (str, list)):
        raise UserError("A run that goes on from a state calls tools first: what it sends then isn't known before.")
    await run.begin()
    equipment, model = await run.equipment()
    arguments = await model_arguments(run, model, equipment)
    earlier = max(len(run.ledger.input_items) - len(run.unsaved_input), 0)
    if not isinstance(model, WireModel):
        return NextRequest(agent, model, arguments, None, "", earlier)
    body = _json.loads(model.request_body(**arguments))
    place = plain_address(str(model.client.base_url))
    return NextRequest(agent, model, arguments, body, f"POST {place}{model.path}", earlier)
