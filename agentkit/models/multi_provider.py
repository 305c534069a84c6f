"""Finds models by names with a prefix that says whose they are, such as `litellm/anthropic/claude`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agentkit._repr import brief
from agentkit.exceptions import UnknownModelError, UserError
from agentkit.models.chat_quirks import ChatQuirks
from agentkit.models.interface import Model, ModelProvider
from agentkit.models.provider import OpenAIProvider

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["MultiProvider", "MultiProviderMap", "PrefixMode"]

PrefixMode = Literal["alias", "model_id"]
"""Whether `openai/` before a name is a prefix, or a part of the name."""

_PLUGINS = {"litellm": ("agentkit.extensions.models.litellm_provider", "LitellmProvider")}
"""Prefixes whose provider is loaded when a model is first asked for by one, from a layer above this."""


class MultiProviderMap:
    """Prefixes of model names, and the provider that each stands for."""

    def __init__(self) -> None:
        self._providers: dict[str, ModelProvider] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({brief(self._providers)})"

    def add_provider(self, prefix: str, provider: ModelProvider) -> None:
        """Let `provider` find the models whose names begin with `prefix` and a slash. It replaces an earlier one.

        Raises:
            UserError: The prefix is empty or has a slash in it.
        """
        if not prefix or "/" in prefix:
            raise UserError(f"{prefix!r} is no prefix.", hint='Use a word without a slash, such as "mine".')
        self._providers[prefix] = provider

    def remove_provider(self, prefix: str) -> None:
        """Forget a prefix.

        Raises:
            UserError: It isn't there.
        """
        if prefix not in self._providers:
            raise UserError(f"There is no prefix {prefix!r}. There are: {', '.join(self._providers) or 'none'}.")
        del self._providers[prefix]

    def get_provider(self, prefix: str) -> ModelProvider | None:
        """Return the provider of a prefix, or None."""
        return self._providers.get(prefix)

    def has_prefix(self, prefix: str) -> bool:
        """Return whether a prefix is there."""
        return prefix in self._providers

    def get_mapping(self) -> dict[str, ModelProvider]:
        """Return the providers by their prefixes, as a copy."""
        return dict(self._providers)

    def set_mapping(self, mapping: dict[str, ModelProvider]) -> None:
        """Replace all prefixes."""
        self._providers = {}
        for prefix, provider in mapping.items():
            self.add_provider(prefix, provider)


class MultiProvider(ModelProvider):
    """Models of several providers, told apart by a prefix of the name; what runs use unless told otherwise.

    | name | model |
    |---|---|
    | `gpt-6-astra`, `None` | of the connected platform |
    | `openai/gpt-6-astra` | the same |
    | `litellm/anthropic/claude-…` | through LiteLLM (the extra `litellm`) |
    | `mine/…` | of the provider that `provider_map` has for `mine` |
    | `/models/router`, `~/router`, `./router` | in that folder, on the embedded platform or a server that takes it |
    | `Qwen/Qwen3-0.6B` | in Hugging Face's cache on this machine, on the embedded platform |

    Servers other than OpenAI often have slashes in the names of their models (`openai/gpt-oss-20b`,
    `Qwen/Qwen3-8B`). While such a server is connected, by its address or a client for it, names with an unknown prefix
    and those with `openai/` are passed on as they are.

    Args:
        provider_map: Prefixes of your own. They come before `openai` and `litellm`.
        openai_api_key: The key of the OpenAI provider; all further ones as for `OpenAIProvider`.
        openai_base_url: Its server's address.
        openai_client: A client for it.
        openai_organization: Id of the organization to bill.
        openai_project: Id of the project to bill.
        openai_use_responses: Whether it is asked by the Responses API.
        openai_chat_quirks: In what its server differs from OpenAI's Chat Completions.
        openai_prefix_mode: Whether `openai/` before a name is a prefix ("alias") or a part of the name ("model_id");
            by the connected platform when None.
        unknown_prefix_mode: Whether an unknown prefix is an error ("error") or a part of the name ("model_id"); by the
            connected platform when None.
    """

    def __init__(
        self,
        *,
        provider_map: MultiProviderMap | None = None,
        openai_api_key: str | None = None,
        openai_base_url: str | None = None,
        openai_client: AsyncOpenAI | None = None,
        openai_organization: str | None = None,
        openai_project: str | None = None,
        openai_use_responses: bool | None = None,
        openai_chat_quirks: ChatQuirks | None = None,
        openai_prefix_mode: PrefixMode | None = None,
        unknown_prefix_mode: Literal["error", "model_id"] | None = None,
    ) -> None:
        self.provider_map = provider_map
        self.openai_provider = OpenAIProvider(
            api_key=openai_api_key,
            base_url=openai_base_url,
            openai_client=openai_client,
            organization=openai_organization,
            project=openai_project,
            use_responses=openai_use_responses,
            chat_quirks=openai_chat_quirks,
        )
        _check("openai_prefix_mode", openai_prefix_mode, ("alias", "model_id"))
        _check("unknown_prefix_mode", unknown_prefix_mode, ("error", "model_id"))
        self._openai_prefix_mode = openai_prefix_mode
        self._unknown_prefix_mode = unknown_prefix_mode
        self._plugins: dict[str, ModelProvider] = {}

    def get_model(self, model_name: str | None) -> Model:
        """Return the model of that name; the connected platform's default one for None.

        Raises:
            UnknownModelError: The prefix is unknown; the message lists those that there are.
            NoBackendError: Nothing is connected, and the environment names nothing.
        """
        if model_name is None or "/" not in model_name:
            return self.openai_provider.get_model(model_name)
        if _is_folder(model_name):
            return self._in_folder(model_name)
        prefix, _, name = model_name.partition("/")
        provider = self.provider_map.get_provider(prefix) if self.provider_map else None
        if provider is not None:
            return provider.get_model(name)
        if prefix in _PLUGINS:
            return self._plugin(prefix).get_model(name)
        if prefix == "openai":
            is_alias = (self._openai_prefix_mode or self._by_platform("alias")) == "alias"
            return self.openai_provider.get_model(name if is_alias else model_name)
        if (self._unknown_prefix_mode or self._by_platform("error")) == "model_id":
            return self.openai_provider.get_model(model_name)
        if self.openai_provider.backend.has_local_model(model_name):
            return self.openai_provider.get_model(model_name)
        known = ", ".join([*(self.provider_map.get_mapping() if self.provider_map else ()), "openai", *_PLUGINS])
        raise UnknownModelError(
            f"Model {model_name!r} has the unknown prefix {prefix!r}. There are: {known}.",
            hint="Add yours with MultiProviderMap().add_provider(…), or connect to the server that has the model.",
        )

    def _in_folder(self, model_name: str) -> Model:
        if self.openai_provider.backend.name == "openai":
            raise UnknownModelError(
                f"Model {model_name!r} is a folder on this machine, and OpenAI is connected, which can't run it.",
                hint='The embedded platform can: agentkit.connect("embedded").',
            )
        return self.openai_provider.get_model(model_name)

    async def prepare(self) -> None:
        """Find the platform's default model, which it may have to be asked for."""
        await self.openai_provider.prepare()

    def _by_platform(self, mode: str) -> str:
        """Return `mode` for OpenAI and the embedded platform, and "model_id" for other servers."""
        return "model_id" if self.openai_provider.backend.is_server else mode

    def _plugin(self, prefix: str) -> ModelProvider:
        if prefix not in self._plugins:
            module, name = _PLUGINS[prefix]
            self._plugins[prefix] = getattr(importlib.import_module(module), name)()
        return self._plugins[prefix]


def _is_folder(name: str) -> bool:
    """Return whether a model's name is that of a folder: absolute, or with `~`, `.` or `..` at its beginning."""
    return name.partition("/")[0] in ("", ".", "..") or name.startswith("~") or Path(name).is_absolute()


def _check(name: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise UserError(f"MultiProvider got {name}={value!r}.", hint=f"Use one of {', '.join(map(repr, known))}.")
