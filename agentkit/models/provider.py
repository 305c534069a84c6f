"""Finds models by name on the platform that is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentkit.backend import Backend, current_backend
from agentkit.exceptions import UserError
from agentkit.models.chat_completions import OpenAIChatCompletionsModel
from agentkit.models.chat_quirks import ChatQuirks
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
        organization: Id of the organization to bill, where the key has several.
        project: Id of the project to bill, where the key has several.
        use_responses: True for the Responses API, False for Chat Completions; what the connected platform is asked
            by when None.
        chat_quirks: In what the server differs from OpenAI's Chat Completions; what is known of it when None.

    Raises:
        UserError: A client together with a key, an address, an organization or a project.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        openai_client: AsyncOpenAI | None = None,
        organization: str | None = None,
        project: str | None = None,
        use_responses: bool | None = None,
        chat_quirks: ChatQuirks | None = None,
    ) -> None:
        settings = (api_key, base_url, organization, project)
        has_settings = any(value is not None for value in settings)
        if openai_client is not None and has_settings:
            raise UserError(
                "OpenAIProvider got a client as well as a key or an address.", hint="Put them in the client."
            )
        self._own_backend: Backend | None = None
        if openai_client is not None:
            self._own_backend = Backend.for_client(openai_client)
        elif has_settings:
            self._own_backend = Backend.for_server(base_url, api_key, organization=organization, project=project)
        self._use_responses = use_responses
        self._chat_quirks = chat_quirks

    @property
    def backend(self) -> Backend:
        """The platform that is asked: the provider's own, or the connected one.

        Raises:
            NoBackendError: Nothing is connected, and the environment names nothing.
        """
        return self._own_backend or current_backend()

    def get_model(self, model_name: str | None) -> Model:
        """Return the model of that name; the platform's default one for None.

        Raises:
            NoBackendError: Nothing is connected, and the environment names nothing.
        """
        backend = self.backend
        name = model_name or backend.default_model
        responses = backend.api == "responses" if self._use_responses is None else self._use_responses
        if responses:
            return OpenAIResponsesModel(name, lambda: backend.client)
        return OpenAIChatCompletionsModel(name, lambda: backend.client, quirks=self._chat_quirks)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self._own_backend is None else self._own_backend!r})"

    async def prepare(self) -> None:
        """Find the platform's default model, which it may have to be asked for."""
        await self.backend.find_default_model()
