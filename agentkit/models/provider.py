"""Finds models by name on the platform that is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentkit.backend import Backend, current_backend
from agentkit.exceptions import UserError
from agentkit.models.chat_completions import OpenAIChatCompletionsModel
from agentkit.models.interface import Model, ModelProvider
from agentkit.models.responses import OpenAIResponsesModel

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIProvider"]


class OpenAIProvider(ModelProvider):
    """Models of OpenAI, or of any platform that speaks its protocol.

    Args:
        api_key: The key, with `base_url` or for OpenAI.
        base_url: The server's address; the connected platform when None and no key is given.
        openai_client: A client to use as it is; neither key nor address may be given with it.
        use_responses: True for the Responses API, False for Chat Completions; what the connected platform is asked
            by when None.

    Raises:
        UserError: A client together with a key or an address.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        openai_client: AsyncOpenAI | None = None,
        use_responses: bool | None = None,
    ) -> None:
        if openai_client is not None and (api_key is not None or base_url is not None):
            raise UserError(
                "OpenAIProvider got a client as well as a key or an address.", hint="Put them in the client."
            )
        self._client = openai_client
        self._own_backend: Backend | None = None
        if api_key is not None or base_url is not None:
            self._own_backend = Backend.for_server(base_url, api_key)
        self._use_responses = use_responses

    def get_model(self, model_name: str | None) -> Model:
        """Return the model of that name; the platform's default one for None.

        Raises:
            NoBackendError: Nothing is connected, and the environment names nothing.
        """
        if self._client is not None:
            if model_name is None:
                raise UserError("No model is named.", hint='Name one: Agent(model="…") or RunConfig(model="…").')
            return self._kind(None)(model_name, self._client)
        backend = self._own_backend or current_backend()
        return self._kind(backend)(model_name or backend.default_model, lambda: backend.client)

    async def prepare(self) -> None:
        """Find the platform's default model, which it may have to be asked for."""
        if self._client is None:
            await (self._own_backend or current_backend()).find_default_model()

    def _kind(self, backend: Backend | None) -> type[OpenAIResponsesModel] | type[OpenAIChatCompletionsModel]:
        use_responses = self._use_responses
        if use_responses is None:
            use_responses = backend is None or backend.api == "responses"
        return OpenAIResponsesModel if use_responses else OpenAIChatCompletionsModel
