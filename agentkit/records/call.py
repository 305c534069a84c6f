"""A model call of an opened trace: what exactly was sent, and sending it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.records.conversation import conversation_of
from agentkit.records.request import RecordedRequest, request_of
from agentkit.records.span import RecordedSpan

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agentkit.models import Model, ModelSettings
    from agentkit.records.replay import Replay

__all__ = ["RecordedCall"]


class RecordedCall(RecordedSpan):
    """A model call of an opened trace."""

    __slots__ = ()

    @property
    def input_start(self) -> int:
        """Index of the first item of `input` in everything that the model was sent."""
        return int(self._known("input_start") or 0)

    @property
    def response_id(self) -> str | None:
        """The id of the answer, where the platform gave one."""
        known: str | None = self._known("response_id")
        return known

    @property
    def retries(self) -> list[dict[str, Any]]:
        """What failed before the call came through: each with its "error" and "delay_s"."""
        return list(self._known("retries") or ())

    @property
    def request(self) -> RecordedRequest:
        """The request that was sent: a dictionary with "url", "body" and others. See `RecordedRequest`.

        Put together anew each time. `request.incomplete` says where it isn't exactly what the model got.
        """
        return request_of(self)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Everything that the model was told: its instructions as a "system" item, then the conversation's items."""
        conversation = conversation_of(self)
        told = self.request.instructions or conversation.instructions
        front = [{"role": "system", "content": told}] if told else []
        return [*front, *conversation.items]

    @called_as("call.replay")
    def replay(
        self,
        model: str | Model | None = None,
        *,
        instructions: str | None = None,
        settings: ModelSettings | Mapping[str, Any] | None = None,
        tools: Sequence[Any] | None = None,
        input: str | list[dict[str, Any]] | None = None,  # noqa: A002 (what `Runner.run` calls it)
        client: AsyncOpenAI | None = None,
        stream: bool = False,
    ) -> Replay:
        """Send the same request again, with changes, and return what comes back beside what came then.

        One model call is made, on the platform that is connected now. No tool is called; sessions are left alone. It is
        recorded in a trace of its own, named "Replay".

        Args:
            model: Another model: its name, or a `Model`.
            instructions: Other instructions; "" for none.
            settings: Settings to change, such as `{"temperature": 0}`; None in a dictionary takes one back.
            tools: Other tools: tools, or names of those that the request has; [] for none.
            input: Another conversation: a user's message, or items.
            client: Whom to ask; the connected platform when None.
            stream: Whether the answer is streamed, which tells the time to the first token.

        Returns:
            The answer, its tokens, cost and time; `before` is this call, `diff()` how the answers differ.

        Raises:
            UserError: The request isn't recorded whole, or an argument makes no sense.
            ModelServerError: The model's server can't be reached, or answered with an error.
        """
        from agentkit.runtime.background import run_blocking

        return run_blocking(
            self.replay_async(
                model, instructions=instructions, settings=settings, tools=tools, input=input, client=client,
                stream=stream,
            )
        )  # fmt: skip

    @called_as("call.replay_async")
    async def replay_async(
        self,
        model: str | Model | None = None,
        *,
        instructions: str | None = None,
        settings: ModelSettings | Mapping[str, Any] | None = None,
        tools: Sequence[Any] | None = None,
        input: str | list[dict[str, Any]] | None = None,  # noqa: A002 (what `Runner.run` calls it)
        client: AsyncOpenAI | None = None,
        stream: bool = False,
    ) -> Replay:
        """Send the same request again, for async code. Arguments, result and errors as for `replay`."""
        from agentkit.records.replay import replayed

        return await replayed(
            self, model=model, instructions=instructions, settings=settings, tools=tools, input=input, client=client,
            stream=stream,
        )  # fmt: skip

    def _known(self, name: str) -> Any:
        data = self.data
        return data.get(name) if isinstance(data, Mapping) else None
