"""Model calls that are made again after passing failures.

Any model's are, whatever it is made of: the decision is taken here, from what its error says. The `openai` client's own
retries are off meanwhile, so that the two never multiply.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

from agentkit.exceptions import AgentsException, ModelConnectionError
from agentkit.models.call import accepted_arguments, streams_batches
from agentkit.models.interface import Model, ModelResponse
from agentkit.models.responses import response_from_wire
from agentkit.models.retry import (
    ModelRetryAdvice,
    ModelRetryAdviceRequest,
    ModelRetryBackoffSettings,
    ModelRetrySettings,
    RetryPolicyContext,
    evaluate_policy,
    retry_policies,
)
from agentkit.models.retry_advice import acts, advise, normalize
from agentkit.models.sent import OnRequest, telling
from agentkit.models.stream import RawResponsesStreamEvent
from agentkit.models.wire import client_retries_off

__all__ = ["OnRetry", "RetryNotice", "get_response", "stream"]

logger = logging.getLogger("agentkit")

_DEFAULT_RETRIES = 2
_LONGEST_WAIT_S = 60.0
"""What a server may ask for, unless the settings allow more. Beyond it the caller knows better what to do."""
_WORTH_A_WARNING_S = 5.0

_PRELUDE = frozenset({"response.created", "response.queued", "response.in_progress"})
"""Events that come before anything of the answer."""
_FAILURE = frozenset({"response.failed", "error"})


@dataclass(frozen=True, slots=True)
class RetryNotice:
    """Tells that a model call failed and will be made again."""

    attempt: int
    """The attempt that failed, counted from 1."""
    max_retries: int
    """Retries that may be made in all."""
    error: Exception
    """What went wrong."""
    delay_s: float
    """Seconds until the next attempt."""
    reason: str | None = None
    """Why it is made."""


OnRetry = Callable[[RetryNotice], object]
"""Is told of each retry before the wait for it."""

Sleep = Callable[[float], Awaitable[object]]


async def get_response(
    model: Model,
    arguments: dict[str, Any],
    *,
    on_retry: OnRetry | None = None,
    on_request: OnRequest | None = None,
    sleep: Sleep = asyncio.sleep,
) -> ModelResponse:
    """Return a model's whole answer, asking again after passing failures.

    Args:
        model: Any model.
        arguments: Those of `Model.get_response` by name; what the model doesn't take is left out.
        on_retry: Is told of each retry.
        on_request: Is told of each request, where the model is one of agentkit's adapters.
        sleep: Waits so many seconds.

    Raises:
        Exception: What the last attempt raised.
    """
    accepted = accepted_arguments(model.get_response, arguments)
    attempt = 1
    while True:
        try:
            with _asking(on_request):
                return await model.get_response(**accepted)
        except Exception as error:
            notice = await _next_attempt(error, model, arguments, attempt=attempt, streamed=False, started=False)
            if notice is None:
                raise
            _tell(notice, on_retry)
        await sleep(notice.delay_s)
        attempt += 1


async def stream(
    model: Model,
    arguments: dict[str, Any],
    *,
    on_retry: OnRetry | None = None,
    on_request: OnRequest | None = None,
    sleep: Sleep = asyncio.sleep,
) -> AsyncGenerator[list[RawResponsesStreamEvent]]:
    """Yield the events of a model's answer, in lists as they come, asking again as long as none of it has come.

    Events that only announce an answer, `response.created` and `response.in_progress`, may come once for each attempt.
    Arguments and errors as for `get_response`.
    """
    attempt = 1
    while True:
        announced = answering = False
        try:
            async with aclosing(_batches(model, arguments)) as batches:
                with _asking(on_request):
                    batch = await anext(batches, None)
                while batch is not None:
                    if not answering:
                        answering = _has_answer(batch)
                        announced = True
                    yield batch
                    if answering:
                        async for batch in batches:
                            yield batch
                        return
                    batch = await anext(batches, None)
            raise ModelConnectionError("The model's stream ended before its answer had begun.")
        except Exception as error:
            if answering:
                raise
            notice = await _next_attempt(error, model, arguments, attempt=attempt, streamed=True, started=announced)
            if notice is None:
                raise
            _tell(notice, on_retry)
        await sleep(notice.delay_s)
        attempt += 1


def _batches(model: Any, arguments: dict[str, Any]) -> AsyncGenerator[list[RawResponsesStreamEvent]]:
    if streams_batches(model):
        batches: AsyncGenerator[list[RawResponsesStreamEvent]] = model.stream_batches(**arguments)
        return batches
    return _one_by_one(model, arguments)


async def _one_by_one(model: Any, arguments: dict[str, Any]) -> AsyncGenerator[list[RawResponsesStreamEvent]]:
    events = model.stream_response(**accepted_arguments(model.stream_response, arguments))
    try:
        async for event in events:
            yield [RawResponsesStreamEvent(event)]
    finally:
        if hasattr(events, "aclose"):
            await events.aclose()


@contextmanager
def _asking(on_request: OnRequest | None) -> Iterator[None]:
    """Have the client try once, and `on_request` told what it is given to send."""
    token, told = client_retries_off.set(True), telling.set(on_request)
    try:
        yield
    finally:
        telling.reset(told)
        client_retries_off.reset(token)


def _has_answer(batch: list[RawResponsesStreamEvent]) -> bool:
    """Return whether anything of the answer is among the events.

    Raises:
        ModelServerError: The platform gave up before any of it.
    """
    for event in batch:
        kind = event.wire_type
        if kind in _FAILURE:
            failed = event.json
            answer = failed.get("response") or {"status": "failed", "error": failed.get("error") or failed}
            response_from_wire(answer)
        if kind not in _PRELUDE:
            return True
    return False


async def _next_attempt(
    error: Exception, model: Model, arguments: dict[str, Any], *, attempt: int, streamed: bool, started: bool
) -> RetryNotice | None:
    """Return what there is to tell of the next attempt, or None where there is none to be made."""
    retry = arguments["model_settings"].retry or ModelRetrySettings()
    limit = _limit(retry, model)
    known = normalize(error)
    if known.is_abort or limit == 0:
        return None
    context = RetryPolicyContext(
        error,
        attempt,
        limit,
        streamed,
        known,
        _advice(error, model, arguments, attempt=attempt, streamed=streamed, started=started)
        or advise(error, known, started=started),
        arguments.get("previous_response_id"),
        arguments.get("conversation_id"),
    )
    decision = await evaluate_policy(retry.policy or retry_policies.provider_suggested(), context)
    if attempt > limit:
        if decision.retry:
            _add(error, f"It was tried {attempt} times.")
        return None
    if not decision.retry:
        return None
    if acts(arguments) and context.replay_safety != "safe" and not decision.approve_unsafe_replay:
        _add(error, "It was not tried again: the server may have carried it out, and it does more than answer.")
        return None
    asked = context.normalized.retry_after
    if context.provider_advice is not None and context.provider_advice.retry_after is not None:
        asked = context.provider_advice.retry_after
    backoff = retry.backoff if isinstance(retry.backoff, ModelRetryBackoffSettings) else ModelRetryBackoffSettings()
    longest = max(_LONGEST_WAIT_S, backoff.max_delay or 0)
    if asked is not None and asked > longest and decision.delay in (None, asked):
        _add(error, f"The server asks to wait {asked:.0f} s; agentkit waits {longest:.0f} s at most.")
        return None
    delay = decision.delay if decision.delay is not None else asked
    return RetryNotice(attempt, limit, error, delay or backoff.delay(attempt), decision.reason)


def _advice(
    error: Exception, model: Any, arguments: dict[str, Any], *, attempt: int, streamed: bool, started: bool
) -> ModelRetryAdvice | None:
    """Return what the model itself says of a failure, where it says something."""
    ask = getattr(model, "get_retry_advice", None)
    if ask is None:
        return None
    advice: ModelRetryAdvice | None = ask(
        ModelRetryAdviceRequest(
            error, attempt, streamed, arguments.get("previous_response_id"), arguments.get("conversation_id")
        )
    )
    if advice is not None and started:
        advice.response_started, advice.replay_safety = True, "unsafe"
    return advice


def _limit(retry: ModelRetrySettings, model: Any) -> int:
    """Return how many retries may be made: those of the settings, else of the model's client."""
    if retry.max_retries is not None:
        return retry.max_retries
    of_client = getattr(getattr(model, "client", None), "max_retries", None)
    return of_client if isinstance(of_client, int) else _DEFAULT_RETRIES


def _tell(notice: RetryNotice, on_retry: OnRetry | None) -> None:
    level = logging.WARNING if notice.delay_s >= _WORTH_A_WARNING_S else logging.INFO
    logger.log(
        level,
        "A model call failed (%s); retry %d of %d in %.1f s.",
        type(notice.error).__name__,
        notice.attempt,
        notice.max_retries,
        notice.delay_s,
    )
    if on_retry is not None:
        on_retry(notice)


def _add(error: Exception, sentence: str) -> None:
    """Say one more thing in an error."""
    if isinstance(error, AgentsException):
        error.message = f"{error.message} {sentence}"
        error.args = (f"{error} {sentence}", *error.args[1:])
    else:
        error.add_note(sentence)
