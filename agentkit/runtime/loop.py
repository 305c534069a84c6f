"""The loop: call the model, carry out what it asks for, until it has answered. All ways of running drain this one."""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from agentkit import _logging
from agentkit._secrets import Redactor
from agentkit.exceptions import AgentsException, MaxTurnsExceeded, ModelBehaviorError, ModelRefusalError, UserError
from agentkit.models import Model
from agentkit.runtime.execute import execute_handoff, execute_tools
from agentkit.runtime.final import error_handled, final_from_tools
from agentkit.runtime.guardrails import TRIPWIRES, check_input, check_output
from agentkit.runtime.hooks import call_hooks
from agentkit.runtime.ledger import Entry
from agentkit.runtime.model_call import call_model
from agentkit.runtime.progress import RunProgress
from agentkit.runtime.stopping import stop_all
from agentkit.runtime.stream_events import AgentUpdatedStreamEvent, RunItemStreamEvent, StreamEvent
from agentkit.runtime.traced import end_agent, finish_trace, note_failure, start_agent, start_trace
from agentkit.runtime.turn import (
    Equipment,
    Final,
    HandOver,
    NextStep,
    RunAgain,
    Turn,
    Waiting,
    classify,
    decide_next_step,
)

__all__ = ["run_loop"]

_EVENT_NAMES: dict[str, Any] = {
    "message": "message_output_created",
    "reasoning": "reasoning_item_created",
    "tool_call": "tool_called",
    "tool_output": "tool_output",
    "handoff_call": "handoff_requested",
    "handoff_output": "handoff_occured",
    "mcp_approval_request": "mcp_approval_requested",
    "mcp_approval_response": "mcp_approval_response",
    "mcp_list_tools": "mcp_list_tools",
    "compaction": "compaction_item_created",
}


async def run_loop(run: RunProgress) -> AsyncGenerator[Sequence[StreamEvent]]:
    """Carry out a run, and yield what happens in it, in lists as it comes.

    However it ends, the history is left valid, every span closed, the session whole and the run's trace kept.

    Raises:
        AgentsException: The run was stopped; `run_data` holds the result so far.
    """
    own_trace = False
    try:
        own_trace = start_trace(run)
        _logging.run_started(run.agent.name, trace_id=run.trace.trace_id if run.trace else None, streamed=run.streamed)
        await run.begin()
        start_agent(run)
        async with aclosing(_turns(run)) as turns:
            async for events in turns:
                yield events
        if run.status == "running":
            run.status = "waiting" if run.waiting else "completed"
    except SystemExit as error:  # it would end the event loop, and with it all other runs
        ended = UserError(f"Code that the run calls called sys.exit({error.code!r}).", hint="Raise an error instead.")
        note_failure(run, ended, own_trace)
        raise ended from error
    except BaseException as error:
        note_failure(run, error, own_trace)
        raise
    finally:
        if run.status == "running":  # the consumer left: GeneratorExit takes no except clause's word for it
            run.status = "cancelled"
        try:
            if run.status not in ("completed", "waiting"):
                run.close_open_ends("The run was stopped before this call had finished.")
                if run.status != "guardrail":  # what a guardrail has stopped is not remembered
                    await _save_what_came(run)
        finally:
            end_agent(run)
            finish_trace(run, own_trace)
            tokens = run.context.usage.total_tokens
            _logging.run_ended(run.agent.name, run.status, turns=run.turn, total_tokens=tokens)


async def _turns(run: RunProgress) -> AsyncGenerator[Sequence[StreamEvent]]:
    yield [AgentUpdatedStreamEvent(run.agent)]
    turn = await run.open_turn()  # in the middle of which a run goes on
    if not run.goes_on:
        await _agent_starts(run)
    while True:
        equipment, model = await run.equipment()
        if turn is None:
            told = len(run.ledger.entries)
            if (over := await _is_over(run, model)) is not None:
                yield _new_events(run, told)
                await _end_with(run, over.output)
                return
            run.turn += 1
            async with aclosing(_answer(run, model, equipment)) as batches:
                async for batch in batches:
                    yield batch
            run.input_checked = True
            turn = _understood(run, equipment)
            yield _new_events(run, len(run.ledger.entries) - len(turn.kinds))
        told = len(run.ledger.entries)
        async with aclosing(execute_tools(run, turn, equipment)) as outputs:
            async for _ in outputs:
                yield _new_events(run, told)
                told = len(run.ledger.entries)
        step = await _next_step(run, turn, equipment)
        yield _new_events(run, told)
        match step:
            case Waiting():
                return
            case Final(output):
                await _end_with(run, output)
                return
            case HandOver(agent):
                await run.save()
                end_agent(run)
                run.hand_over(agent)
                start_agent(run)
                yield [AgentUpdatedStreamEvent(agent)]
                await _agent_starts(run)
            case RunAgain():
                await run.save()
        turn = None
        if run.stop_after_turn:
            run.status = "cancelled"
            return


async def _save_what_came(run: RunProgress) -> None:
    """Save what a stopped run had done. That this fails must not hide what stopped the run."""
    try:
        await run.save()
    except Exception as error:  # a session of any make
        warnings.warn(
            f"What the stopped run had done could not be saved to its session: {Redactor().clean(str(error))}",
            stacklevel=2,
        )


def _understood(run: RunProgress, equipment: Equipment) -> Turn:
    """Return what the model's answer means, once it is in the ledger."""
    response = run.responses[-1]
    turn = classify(response, equipment)
    for kind, item in zip(turn.kinds, response.raw_output, strict=True):
        run.ledger.add(Entry(kind, item, run.agent_key, run.turn))
    if run.server_keeps_history:
        run.sent_count = len(run.ledger.history)
        if run.options.conversation_id is None:
            run.previous_response_id = response.response_id or run.previous_response_id
    return turn


def _new_events(run: RunProgress, told: int) -> list[StreamEvent]:
    """Return the events of inner runs, and those for the ledger's entries from number `told` on."""
    if not run.streamed:
        return []
    entries, items = run.ledger.entries, run.items()
    inner = list(run.inner_events)
    run.inner_events.clear()
    return inner + [RunItemStreamEvent(_EVENT_NAMES[entries[i].kind], items[i]) for i in range(told, len(entries))]


async def _agent_starts(run: RunProgress) -> None:
    if calls := run.hook_calls("on_agent_start", "on_start"):
        run.context.turn_input = list(run.ledger.history)
        await call_hooks(calls, run.context, run.agent)


async def _is_over(run: RunProgress, model: Model) -> Final | None:
    """Return the final output in place of an error where the run ends here; None where it goes on.

    Raises:
        MaxTurnsExceeded: It has taken all turns that it may take.
        BudgetExceeded: It has spent what it may spend.
    """
    limit = run.options.max_turns
    if limit is not None and run.turn - run.turns_before >= limit:
        error = MaxTurnsExceeded(
            f"The run was stopped after {limit} turn{'' if limit == 1 else 's'} (max_turns).",
            hint="What it had done is in the exception's run_data; run_data.to_state() goes on from there.",
        )
        return await _handled(run, "max_turns", error)
    for meter in run.meters():
        if meter.budget_usd is not None or meter.budget_tokens is not None:
            from agentkit.runtime.costs import check_budget

            name = getattr(model, "model", None)
            check_budget(meter.usage, name, budget_usd=meter.budget_usd, budget_tokens=meter.budget_tokens)
    return None


def _answer(run: RunProgress, model: Model, equipment: Equipment) -> AsyncGenerator[Sequence[StreamEvent]]:
    """Call the model, at the run's start with the input guardrails beside it: nothing else is done before they pass."""
    batches = call_model(run, model, equipment)
    guards = [] if run.input_checked else [*(run.config.input_guardrails or ()), *run.agent.input_guardrails]
    return _guarded(run, guards, batches) if guards else batches


async def _guarded(
    run: RunProgress, guards: Sequence[Any], batches: AsyncGenerator[Sequence[StreamEvent]]
) -> AsyncGenerator[Sequence[StreamEvent]]:
    for first in (guard for guard in guards if not guard.run_in_parallel):
        await _check(run, [first])
    beside = [guard for guard in guards if guard.run_in_parallel]
    if not beside:
        async with aclosing(batches):
            async for batch in batches:
                yield batch
        return
    async with aclosing(_while_checking(run, beside, batches)) as guarded:
        async for batch in guarded:
            yield batch


async def _check(run: RunProgress, guards: Sequence[Any]) -> None:
    await check_input(
        guards, run.agent, run.given, run.context, results=run.input_guardrail_results, parent=run.agent_span
    )


async def _while_checking(
    run: RunProgress, guards: Sequence[Any], batches: AsyncGenerator[Sequence[StreamEvent]]
) -> AsyncGenerator[Sequence[StreamEvent]]:
    """Yield the model's events while the guardrails run; a tripwire cancels the call that is under way."""
    come: deque[Sequence[StreamEvent]] = deque()
    news = asyncio.Event()

    async def pump() -> None:
        async with aclosing(batches):
            async for batch in batches:
                come.append(batch)
                news.set()

    tasks = [asyncio.ensure_future(_check(run, guards)), asyncio.ensure_future(pump())]
    for task in tasks:
        task.add_done_callback(lambda _: news.set())
    try:
        while not all(task.done() for task in tasks) or come:
            for task in tasks:
                if task.done():
                    task.result()  # raises what it raised, the guardrails' verdict first
            while come:
                yield come.popleft()
            if not all(task.done() for task in tasks):
                await news.wait()
                news.clear()
        for task in tasks:
            task.result()
    except TRIPWIRES:
        run.deltas = []  # what the model has begun to say is not part of the conversation
        raise
    finally:
        await stop_all(tasks)


async def _next_step(run: RunProgress, turn: Turn, equipment: Equipment) -> NextStep:
    """Return what comes after a turn whose tools have run; a handoff is carried out on the way."""
    if run.waiting:
        return Waiting()
    final = None if turn.handoff is not None else await final_from_tools(run, turn, equipment)
    if final is not None:
        return final
    handed_to = await execute_handoff(run, turn, equipment)
    try:
        return decide_next_step(turn, equipment, handed_to)
    except ModelRefusalError as error:
        return await _handled(run, "model_refusal", error)
    except ModelBehaviorError as error:
        return await _handled(run, "invalid_final_output", error)


async def _handled(run: RunProgress, kind: Any, error: AgentsException) -> Final:
    """Return the final output that an error handler gives in place of `error`, or raise that."""
    final = await error_handled(run, kind, error)
    if final is None:
        raise error
    return final


async def _end_with(run: RunProgress, output: Any) -> None:
    """End the run with its final output, unless a guardrail stops it."""
    if calls := run.hook_calls("on_agent_end", "on_end"):
        await call_hooks(calls, run.context, run.agent, output)
    guards = [*(run.config.output_guardrails or ()), *run.agent.output_guardrails]
    if guards:
        await check_output(
            guards, run.agent, output, run.context, results=run.output_guardrail_results, parent=run.agent_span
        )
    run.final_output = output
    await run.save()
    session = run.options.session
    if session is not None and hasattr(session, "run_compaction"):  # it makes itself smaller when it is time to
        response_id = run.responses[-1].response_id if run.responses else None
        store = run.agent.model_settings.resolve(run.config.model_settings).store
        await session.run_compaction({"response_id": response_id} | ({} if store is None else {"store": store}))
