"""When a model call that failed is made again: settings, policies, and what a policy is told."""

from __future__ import annotations

import inspect
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from agentkit._repr import fields_repr
from agentkit.exceptions import UserError

__all__ = [
    "ModelRetryAdvice",
    "ModelRetryAdviceRequest",
    "ModelRetryBackoffSettings",
    "ModelRetryNormalizedError",
    "ModelRetrySettings",
    "RetryDecision",
    "RetryPolicy",
    "RetryPolicyContext",
    "evaluate_policy",
    "retry_policies",
]

_INITIAL_DELAY_S = 0.5
_MAX_DELAY_S = 8.0
_MULTIPLIER = 2.0
_LEAST_SHARE = 0.5
"""With jitter, the least of a delay that is waited: many runs that failed at once then don't all come back at once."""


@dataclass
class ModelRetryBackoffSettings:
    """How long to wait before a model call is made again, where the server doesn't say."""

    __repr__ = fields_repr

    initial_delay: float | None = None
    """Seconds before the first retry; 0.5 when None."""
    max_delay: float | None = None
    """Most seconds before any; 8 when None. A server may ask for up to 60, or this where it is more."""
    multiplier: float | None = None
    """By what each delay is longer than the one before; 2 when None."""
    jitter: bool | None = None
    """Whether a delay is shortened at random, to no less than half; yes when None."""

    def __post_init__(self) -> None:
        for name in ("initial_delay", "max_delay", "multiplier"):
            if (value := getattr(self, name)) is not None and not (_is_number(value) and 0 <= value < float("inf")):
                raise UserError(
                    f"ModelRetryBackoffSettings got {name}={value!r}.", hint="A number of 0 or more; or None."
                )

    def delay(self, attempt: int) -> float:
        """Return the seconds to wait after attempt number `attempt`, counted from 1."""
        initial = _INITIAL_DELAY_S if self.initial_delay is None else self.initial_delay
        most = _MAX_DELAY_S if self.max_delay is None else self.max_delay
        multiplier = _MULTIPLIER if self.multiplier is None else self.multiplier
        try:
            delay = min(initial * multiplier ** (attempt - 1), most)
        except OverflowError:
            delay = most
        return delay if self.jitter is False else delay * random.uniform(_LEAST_SHARE, 1)

    def to_json_dict(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self)


@dataclass
class ModelRetryNormalizedError:
    """What is known of an error, whichever package raised it."""

    __repr__ = fields_repr

    status_code: int | None = None
    """HTTP status of the answer."""
    error_code: str | None = None
    """The platform's code, such as "rate_limit_exceeded"."""
    message: str | None = None
    """The error's text."""
    request_id: str | None = None
    """The platform's id for the request."""
    retry_after: float | None = None
    """Seconds that the server asks to wait."""
    is_abort: bool = False
    """Whether the call was cancelled."""
    is_network_error: bool = False
    """Whether the server was not reached, or its answer broke off."""
    is_timeout: bool = False
    """Whether it took too long."""


ReplaySafety = Literal["safe", "unsafe", "unknown"]
"""Whether a request can be repeated: the server did nothing; it has begun to answer; nobody knows."""


@dataclass
class ModelRetryAdvice:
    """What the model's adapter says of a failure. A model of your own may have `get_retry_advice(request)`."""

    __repr__ = fields_repr

    suggested: bool | None = None
    """Whether to try again; None leaves it to the policy."""
    retry_after: float | None = None
    """Seconds to wait first."""
    replay_safety: str | None = None
    """"safe" where the server surely did nothing, "unsafe" where it has begun to answer; else "unknown" or None."""
    reason: str | None = None
    """Why."""
    normalized: ModelRetryNormalizedError | None = None
    """What is known of the error; read off the error itself when None."""
    response_started: bool = False
    """Whether the answer had begun."""


@dataclass
class ModelRetryAdviceRequest:
    """What `get_retry_advice` of a model is given."""

    __repr__ = fields_repr

    error: Exception
    """What went wrong."""
    attempt: int
    """Attempts made, this one included."""
    stream: bool
    """Whether the call is streamed."""
    previous_response_id: str | None = None
    """Response that the call goes on from."""
    conversation_id: str | None = None
    """Conversation on the platform that the call belongs to."""


@dataclass
class RetryDecision:
    """What a policy decides."""

    __repr__ = fields_repr

    retry: bool
    """Whether to try again."""
    delay: float | None = None
    """Seconds to wait first; what the server asks for, or the back-off, when None."""
    reason: str | None = None
    """Why."""
    approve_unsafe_replay: bool = False
    """Whether to repeat even a request that acts, where the server may have carried it out already."""
    is_veto: bool = False
    """Whether no other policy of an `any(…)` can say otherwise."""


@dataclass
class RetryPolicyContext:
    """What a policy is given."""

    __repr__ = fields_repr

    error: Exception
    """What went wrong."""
    attempt: int
    """Attempts made, this one included."""
    max_retries: int
    """Retries that may be made."""
    stream: bool
    """Whether the call is streamed."""
    normalized: ModelRetryNormalizedError
    """What is known of the error."""
    provider_advice: ModelRetryAdvice | None = None
    """What the model's adapter says."""
    previous_response_id: str | None = None
    """Response that the call goes on from."""
    conversation_id: str | None = None
    """Conversation on the platform that the call belongs to."""

    @property
    def response_started(self) -> bool:
        """Whether the answer had begun."""
        return self.provider_advice is not None and self.provider_advice.response_started

    @property
    def replay_safety(self) -> ReplaySafety:
        """Whether the request can be repeated."""
        said = None if self.provider_advice is None else self.provider_advice.replay_safety
        return "safe" if said == "safe" else "unsafe" if said == "unsafe" else "unknown"

    @property
    def stateful_request(self) -> bool:
        """Whether the call goes on from something that the platform keeps."""
        return bool(self.previous_response_id or self.conversation_id)


RetryPolicy = Callable[[RetryPolicyContext], bool | RetryDecision | Awaitable[bool | RetryDecision]]
"""Decides whether a failed model call is made again; sync or async."""


@dataclass
class ModelRetrySettings:
    """Retries of a model call: `ModelSettings(retry=ModelRetrySettings(max_retries=5))`.

    Without them, calls are retried as often as the `openai` client of the model would (twice), after connection errors,
    408, 409, 429 and 5xx. See `docs/retries.md`.
    """

    __repr__ = fields_repr

    max_retries: int | None = None
    """Retries after the first attempt; the client's number when None, 0 for none."""
    backoff: ModelRetryBackoffSettings | Mapping[str, Any] | None = None
    """How long to wait before each: settings, or their names and values."""
    policy: RetryPolicy | None = None
    """Which failures are retried, such as `retry_policies.network_error()`; what the model's adapter suggests when
    None."""

    def __post_init__(self) -> None:
        if isinstance(self.backoff, Mapping):
            unknown = set(self.backoff) - {field.name for field in fields(ModelRetryBackoffSettings)}
            if unknown:
                raise UserError(
                    f"ModelRetrySettings(backoff=…) has no {', '.join(sorted(map(repr, unknown)))}.",
                    hint="It takes initial_delay, max_delay, multiplier and jitter.",
                )
            self.backoff = ModelRetryBackoffSettings(**self.backoff)
        limit = self.max_retries
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
            raise UserError(f"ModelRetrySettings got max_retries={limit!r}.", hint="A whole number or None.")
        if self.policy is not None and not callable(self.policy):
            raise UserError(
                f"ModelRetrySettings got policy={self.policy!r:.80}.",
                hint="Use one of retry_policies, such as retry_policies.network_error(), or a function of your own.",
            )

    def merged(self, override: ModelRetrySettings) -> ModelRetrySettings:
        """Return these settings with those of `override` that are not None put over them, back-off field by field."""
        changes = _set_fields(override)
        if isinstance(self.backoff, ModelRetryBackoffSettings) and override.backoff is not None:
            changes["backoff"] = replace(self.backoff, **_set_fields(override.backoff))
        return replace(self, **changes)

    def to_json_dict(self) -> dict[str, Any]:
        """Return the settings as JSON, without the policy."""
        backoff = self.backoff
        return {
            "max_retries": self.max_retries,
            "backoff": backoff.to_json_dict() if isinstance(backoff, ModelRetryBackoffSettings) else None,
        }


async def evaluate_policy(policy: RetryPolicy, context: RetryPolicyContext) -> RetryDecision:
    """Return what `policy` decides, whichever way it says so."""
    decided = policy(context)
    if inspect.isawaitable(decided):
        decided = await decided
    return decided if isinstance(decided, RetryDecision) else RetryDecision(bool(decided))


class _RetryPolicies:
    """The policies that come with agentkit, as `retry_policies`."""

    def __repr__(self) -> str:
        return "retry_policies"

    def never(self) -> RetryPolicy:
        """Return the policy that retries nothing."""
        return lambda context: False

    def provider_suggested(self) -> RetryPolicy:
        """Return the policy that does as the model's adapter says; a no of it outweighs the yes of others.

        The adapters for OpenAI's APIs suggest it after connection errors and timeouts, 408, 409, 429 (unless the quota
        is used up) and 5xx, as far as the server doesn't say otherwise by `x-should-retry`.
        """

        def policy(context: RetryPolicyContext) -> bool | RetryDecision:
            advice = context.provider_advice
            if advice is None or advice.suggested is None:
                return False
            return RetryDecision(
                advice.suggested,
                delay=advice.retry_after if advice.suggested else None,
                reason=advice.reason,
                is_veto=not advice.suggested,
            )

        return policy

    def network_error(self) -> RetryPolicy:
        """Return the policy that retries what found no server, broke off or took too long."""
        return lambda context: context.normalized.is_network_error or context.normalized.is_timeout

    def retry_after(self) -> RetryPolicy:
        """Return the policy that retries where the server says how long to wait."""

        def policy(context: RetryPolicyContext) -> bool | RetryDecision:
            delay, advice = context.normalized.retry_after, context.provider_advice
            if delay is None and advice is not None:
                delay = advice.retry_after
            return False if delay is None else RetryDecision(True, delay=delay)

        return policy

    def http_status(self, statuses: Iterable[int]) -> RetryPolicy:
        """Return the policy that retries after these HTTP statuses."""
        wanted = frozenset(statuses)
        return lambda context: context.normalized.status_code in wanted

    def all(self, *policies: RetryPolicy) -> RetryPolicy:
        """Return the policy that retries where all of `policies` do; never where there are none."""

        async def policy(context: RetryPolicyContext) -> bool | RetryDecision:
            together: RetryDecision | None = None
            for each in policies:
                decision = await evaluate_policy(each, context)
                if not decision.retry:
                    return decision
                together = _joined(together, decision)
            return together or False

        return policy

    def any(self, *policies: RetryPolicy) -> RetryPolicy:
        """Return the policy that retries where one of `policies` does, unless the provider advises against it."""

        async def policy(context: RetryPolicyContext) -> bool | RetryDecision:
            yes: RetryDecision | None = None
            no: RetryDecision | None = None
            for each in policies:
                decision = await evaluate_policy(each, context)
                if decision.is_veto and not decision.retry:
                    return decision
                if decision.retry:
                    yes = _joined(yes, decision)
                else:
                    no = decision
            return yes or no or False

        return policy


retry_policies = _RetryPolicies()
"""Policies for `ModelRetrySettings(policy=…)`."""


def _joined(first: RetryDecision | None, second: RetryDecision) -> RetryDecision:
    """Return two decisions to retry as one; the later one's delay and reason win."""
    if first is None:
        return second
    return RetryDecision(
        True,
        delay=first.delay if second.delay is None else second.delay,
        reason=second.reason or first.reason,
        approve_unsafe_replay=first.approve_unsafe_replay or second.approve_unsafe_replay,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _set_fields(settings: Any) -> dict[str, Any]:  # a dataclass of settings
    """Return the fields that are not None."""
    return {f.name: value for f in fields(settings) if (value := getattr(settings, f.name)) is not None}
