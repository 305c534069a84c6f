"""Models of other providers, through LiteLLM (the extra `litellm`)."""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from agentkit import _json, _secrets
from agentkit._install import install_command
from agentkit.exceptions import UserError
from agentkit.models import ChatQuirks, ModelSettings, OpenAIChatCompletionsModel
from agentkit.models.errors import as_model_error, broken_stream
from agentkit.models.wire import client_retries_off
from agentkit.models.wire_model import Pieces

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

__all__ = ["LitellmModel"]


@dataclass(frozen=True, slots=True)
class _Place:
    """Stands where the `openai` client does elsewhere: what errors and quirks want to know of the server."""

    base_url: httpx2.URL
    api_key: str


class LitellmModel(OpenAIChatCompletionsModel):
    """A model that LiteLLM knows how to ask, in the shapes of Chat Completions.

    Settings that the provider doesn't have make LiteLLM raise; `litellm.drop_params = True` lets it drop them.

    Args:
        model: Its name for LiteLLM, such as "anthropic/claude-sonnet-4-5" or "ollama/llama3".
        base_url: The server's address, where it isn't the provider's own.
        api_key: The key; when None, LiteLLM reads the provider's variable, such as `ANTHROPIC_API_KEY`.
        quirks: As for `OpenAIChatCompletionsModel`.
    """

    api: ClassVar[str] = "chat_completions"
    sender: ClassVar[str | None] = "LiteLLM"

    def __init__(
        self, model: str, base_url: str | None = None, api_key: str | None = None, *, quirks: ChatQuirks | None = None
    ) -> None:
        super().__init__(model, self._place, quirks=quirks)
        self.base_url = base_url
        self.api_key = api_key
        _secrets.register(api_key)

    def _place(self) -> AsyncOpenAI:
        import httpx2

        url = httpx2.URL(self.base_url or f"litellm://{self.model.partition('/')[0] if '/' in self.model else 'auto'}")
        return cast("AsyncOpenAI", _Place(url, self.api_key or ""))

    async def _post(self, client: AsyncOpenAI, body: bytes, settings: ModelSettings) -> dict[str, Any]:
        answer: dict[str, Any] = (await self._ask(client, body, settings)).model_dump(mode="json", warnings=False)
        return answer

    @asynccontextmanager
    async def _post_streamed(self, client: AsyncOpenAI, body: bytes, settings: ModelSettings) -> AsyncIterator[Pieces]:
        chunks = await self._ask(client, body, settings)
        try:
            yield self._pieces(chunks, client)
        finally:
            if hasattr(chunks, "aclose"):
                await chunks.aclose()

    async def _pieces(self, chunks: Any, client: AsyncOpenAI) -> AsyncIterator[list[tuple[bytes, bytes]]]:
        import httpx2
        import openai

        try:
            async for chunk in chunks:
                yield [(b"", _json.dumps(chunk.model_dump(mode="json", warnings=False)))]
        except openai.APIError as error:
            raise as_model_error(error, client) from error
        except Exception as error:  # foreign code: each provider's own reader
            raise broken_stream(error, request=httpx2.Request("POST", client.base_url), client=client) from error

    async def _ask(self, client: AsyncOpenAI, body: bytes, settings: ModelSettings) -> Any:
        """Return what LiteLLM answers: a completion, or an iterator of chunks."""
        import openai

        litellm = _litellm()
        arguments: dict[str, Any] = _json.loads(body)
        if self.base_url is not None:
            arguments["base_url"] = self.base_url
        if self.api_key is not None:
            arguments["api_key"] = self.api_key
        if settings.extra_headers:
            arguments["extra_headers"] = dict(settings.extra_headers)
        if settings.extra_query:
            arguments["extra_query"] = dict(settings.extra_query)
        if client_retries_off.get():
            arguments["max_retries"] = 0
        try:
            return await litellm.acompletion(**arguments)
        except openai.APIError as error:
            raise as_model_error(error, client) from error


@functools.cache
def _litellm() -> Any:
    """Return the package, quieter than it is by itself.

    It asks the network for its list of prices when it is imported, and prints advice for each error.

    Raises:
        UserError: It isn't installed.
    """
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        import litellm
    except ImportError as error:
        raise UserError("LiteLLM isn't installed.", hint=install_command("litellm")) from error
    litellm.suppress_debug_info = True
    return litellm
