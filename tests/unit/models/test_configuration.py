"""Which models answer: keys, clients, APIs, prefixes, prompts, and conversations that the platform keeps."""

from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

import agentkit
from agentkit import (
    Agent,
    Model,
    ModelProvider,
    NoBackendError,
    OpenAIChatCompletionsModel,
    OpenAIProvider,
    OpenAIResponsesModel,
    RunConfig,
    RunContextWrapper,
    Runner,
    UnknownModelError,
    UserError,
    _secrets,
    backend,
    connect,
    current_backend,
)
from agentkit.models import (
    ChatQuirks,
    GenerateDynamicPromptData,
    MultiProvider,
    MultiProviderMap,
    resolve_prompt,
    set_default_openai_api,
    set_default_openai_client,
    set_default_openai_key,
)
from agentkit.testing import ScriptedModel

from .conftest import COMPLETION, RESPONSE, Wire, ask


@pytest.fixture(autouse=True)
def nothing_connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_DEFAULT_MODEL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    agentkit.disconnect()
    yield
    agentkit.disconnect()


def answer(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return RESPONSE | {"output": [{"type": "message", "id": "msg_1", "role": "assistant", "content": content}]}


# --- the key ---


def test_a_default_key_is_used_for_openai_and_kept_out_of_what_is_shown() -> None:
    set_default_openai_key("sk-default-key-1")
    assert (current_backend().name, current_backend().sync_client.api_key) == ("openai", "sk-default-key-1")
    assert "sk-default-key-1" in _secrets.known()
    assert connect("openai").sync_client.api_key == "sk-default-key-1"


def test_a_default_key_wins_over_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment")
    set_default_openai_key("sk-default-key-1")
    assert current_backend().sync_client.api_key == "sk-default-key-1"
    agentkit.disconnect()
    assert current_backend().sync_client.api_key == "sk-from-environment"


def test_a_default_key_goes_to_the_server_of_the_environment_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    set_default_openai_key("sk-default-key-1")
    assert connect("http://127.0.0.1:9/v1").sync_client.api_key == "none"
    agentkit.disconnect()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    set_default_openai_key("sk-default-key-1")
    assert (current_backend().base_url, current_backend().sync_client.api_key) == (
        "http://127.0.0.1:9/v1",
        "sk-default-key-1",
    )


def test_what_was_connected_keeps_its_key() -> None:
    connect("embedded")
    set_default_openai_key("sk-default-key-1")
    assert current_backend().name == "embedded"


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(UserError, match="set_default_openai_key got an empty key"):
        set_default_openai_key("")


# --- the client and the API ---


async def test_a_default_client_is_asked(wire: Wire) -> None:
    set_default_openai_client(wire.client())
    assert (current_backend().name, backend.describe()) == (
        "server.test",
        "http://server.test/v1 · the first model it lists",
    )
    wire.json(answer("hello"))
    result = await Runner.run(Agent(name="a", model="m1"), "Hi")
    assert (result.final_output, wire.body()["model"]) == ("hello", "m1")
    assert wire.requests[0].headers["authorization"] == "Bearer sk-test"


async def test_a_default_client_is_asked_for_its_first_model_where_none_is_named(wire: Wire) -> None:
    set_default_openai_client(wire.client())
    with pytest.raises(UserError, match="No model is named"):
        OpenAIProvider().get_model(None)
    wire.json({"object": "list", "data": [{"id": "first", "object": "model"}, {"id": "second", "object": "model"}]})
    wire.json(answer("hello"))
    assert (await Runner.run(Agent(name="a"), "Hi")).final_output == "hello"
    assert wire.body()["model"] == "first"


def test_openais_own_client_has_openais_default_model() -> None:
    set_default_openai_client(openai.AsyncOpenAI(api_key="sk-clients-own-key"))
    assert (current_backend().name, current_backend().default_model) == ("openai", backend.OPENAI_MODEL)
    assert "sk-clients-own-key" in _secrets.known()


def test_connecting_takes_the_clients_place(wire: Wire) -> None:
    set_default_openai_client(wire.client())
    assert connect("embedded") is current_backend()


def test_the_embedded_platforms_own_client_stays_embedded() -> None:
    set_default_openai_client(connect("embedded").client)
    assert (current_backend().name, current_backend().default_model) == ("embedded", "rehearsal-1")
    assert [model.id for model in current_backend().sync_client.models.list()] == ["rehearsal-1", "tiny-1"]


async def test_the_default_api_is_for_whom_no_other_was_named(wire: Wire) -> None:
    set_default_openai_client(wire.client())
    set_default_openai_api("chat_completions")
    wire.json(COMPLETION)
    assert (await Runner.run(Agent(name="a", model="m1"), "Hi")).final_output == "ok"
    assert wire.requests[0].url.path == "/v1/chat/completions"
    assert isinstance(OpenAIProvider(openai_client=wire.client()).get_model("m"), OpenAIChatCompletionsModel)
    assert isinstance(OpenAIProvider(use_responses=True).get_model("m"), OpenAIResponsesModel)
    connect("http://127.0.0.1:9/v1", api="responses")
    assert isinstance(OpenAIProvider().get_model("m"), OpenAIResponsesModel)
    agentkit.disconnect()
    connect("http://127.0.0.1:9/v1")
    assert isinstance(OpenAIProvider().get_model("m"), OpenAIResponsesModel)


def test_an_api_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="There is no api 'chat'"):
        set_default_openai_api("chat")  # type: ignore[arg-type]


async def test_organization_and_project_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = OpenAIProvider(api_key="sk-billed-key", organization="org-1", project="proj_1")
    model = provider.get_model("m1")
    assert isinstance(model, OpenAIResponsesModel)
    assert (model.client.organization, model.client.project, model.client.api_key) == (
        "org-1",
        "proj_1",
        "sk-billed-key",
    )


async def test_a_provider_passes_on_what_is_known_of_its_server(wire: Wire) -> None:
    provider = MultiProvider(
        openai_client=wire.client(),
        openai_use_responses=False,
        openai_chat_quirks=ChatQuirks(token_limit="max_completion_tokens"),
    )
    wire.json(COMPLETION)
    settings = agentkit.ModelSettings(max_tokens=5)
    agent = Agent(name="a", model="m1", model_settings=settings)
    await Runner.run(agent, "Hi", run_config=RunConfig(model_provider=provider))
    assert wire.body()["max_completion_tokens"] == 5


# --- prefixes ---


class Fixed(ModelProvider):
    """Gives the same model for every name, and remembers the names."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.names: list[str | None] = []

    def get_model(self, model_name: str | None) -> Model:
        self.names.append(model_name)
        return self.model


def named(model: Model) -> str:
    return model.model  # type: ignore[attr-defined, no-any-return]


def test_without_a_prefix_and_with_openais_the_platform_is_meant() -> None:
    connect("embedded")
    provider = MultiProvider()
    assert [named(provider.get_model(name)) for name in ("m1", "openai/m1", "openai/a/b", None)] == [
        "m1",
        "m1",
        "a/b",
        "rehearsal-1",
    ]


async def test_a_prefix_of_ones_own_leads_to_its_provider() -> None:
    mine = Fixed(ScriptedModel().reply("from mine"))
    providers = MultiProviderMap()
    providers.add_provider("mine", mine)
    config = RunConfig(model_provider=MultiProvider(provider_map=providers))
    result = await Runner.run(Agent(name="a", model="mine/vendor/model-1"), "Hi", run_config=config)
    assert (result.final_output, mine.names) == ("from mine", ["vendor/model-1"])


def test_ones_own_prefixes_come_before_the_known_ones() -> None:
    mine = Fixed(ScriptedModel())
    providers = MultiProviderMap()
    providers.set_mapping({"openai": mine, "litellm": mine})
    provider = MultiProvider(provider_map=providers)
    assert provider.get_model("openai/a") is provider.get_model("litellm/b") is mine.model
    assert mine.names == ["a", "b"]


def test_an_unknown_prefix_is_named_with_those_that_there_are() -> None:
    connect("embedded")
    providers = MultiProviderMap()
    providers.add_provider("mine", Fixed(ScriptedModel()))
    with pytest.raises(
        UnknownModelError,
        match="'anthropic/claude' has the unknown prefix 'anthropic'. There are: mine, openai, litellm.",
    ):
        MultiProvider(provider_map=providers).get_model("anthropic/claude")
    assert named(MultiProvider(unknown_prefix_mode="model_id").get_model("anthropic/claude")) == "anthropic/claude"
    assert named(MultiProvider(openai_prefix_mode="model_id").get_model("openai/m1")) == "openai/m1"


def test_other_servers_have_slashes_in_their_models_names(wire: Wire) -> None:
    connect("http://127.0.0.1:9/v1", model="m")
    names = ["Qwen/Qwen3-8B", "openai/gpt-oss-20b"]
    assert [named(MultiProvider().get_model(name)) for name in names] == names
    own = MultiProvider(openai_client=wire.client())
    assert [named(own.get_model(name)) for name in names] == names
    assert named(MultiProvider(openai_prefix_mode="alias").get_model("openai/m1")) == "m1"
    with pytest.raises(UnknownModelError, match="unknown prefix 'Qwen'"):
        MultiProvider(unknown_prefix_mode="error").get_model("Qwen/Qwen3-8B")


def test_litellm_has_a_prefix() -> None:
    provider = MultiProvider()
    model = provider.get_model("litellm/anthropic/claude")
    assert (type(model).__name__, named(model)) == ("LitellmModel", "anthropic/claude")


def test_without_a_platform_a_plain_name_is_told_the_ways_out() -> None:
    with pytest.raises(NoBackendError, match="Three ways out"):
        MultiProvider().get_model("gpt-6-astra")


def test_a_mode_that_is_none_is_refused() -> None:
    with pytest.raises(
        UserError, match="MultiProvider got unknown_prefix_mode='ignore'. Use one of 'error', 'model_id'"
    ):
        MultiProvider(unknown_prefix_mode="ignore")  # type: ignore[arg-type]


def test_a_map_of_providers_can_be_asked_and_changed() -> None:
    one, two = Fixed(ScriptedModel()), Fixed(ScriptedModel())
    providers = MultiProviderMap()
    providers.add_provider("a", one)
    providers.add_provider("a", two)
    assert (providers.get_provider("a"), providers.get_provider("b"), providers.has_prefix("a")) == (two, None, True)
    providers.get_mapping().clear()
    assert providers.get_mapping() == {"a": two}
    providers.remove_provider("a")
    with pytest.raises(UserError, match="There is no prefix 'a'. There are: none"):
        providers.remove_provider("a")
    for prefix in ("", "a/b"):
        with pytest.raises(UserError, match="is no prefix"):
            providers.add_provider(prefix, one)


# --- what the platform keeps ---


@pytest.mark.parametrize(
    ("kept", "sent"),
    [
        ({"previous_response_id": "resp_0"}, {"previous_response_id": "resp_0"}),
        ({"conversation_id": "conv_1"}, {"conversation": "conv_1"}),
        ({"prompt": {"id": "pmpt_1", "version": "2"}}, {"prompt": {"id": "pmpt_1", "version": "2"}}),
    ],
)
async def test_what_the_platform_keeps_is_named_in_the_request(wire: Wire, kept: Any, sent: dict[str, Any]) -> None:
    wire.json(RESPONSE)
    await ask(OpenAIResponsesModel("m1", wire.client()), **kept)
    assert wire.body() == {"model": "m1", "input": [{"role": "user", "content": "Hi"}]} | sent
    with pytest.raises(UserError, match=f"OpenAIChatCompletionsModel can't carry {next(iter(kept))}="):
        await ask(OpenAIChatCompletionsModel("m1", wire.client()), **kept)


async def test_a_response_and_a_conversation_exclude_each_other(wire: Wire) -> None:
    model = OpenAIResponsesModel("m1", wire.client())
    with pytest.raises(UserError, match="both previous_response_id='resp_0' and conversation_id='conv_1'"):
        await ask(model, previous_response_id="resp_0", conversation_id="conv_1")
    assert wire.requests == []


CONTEXT = RunContextWrapper[Any](context="blue")


async def test_a_prompt_may_be_chosen_by_a_function() -> None:
    def choose(data: GenerateDynamicPromptData) -> Any:
        return {"id": "pmpt_1", "variables": {"team": data.context.context, "agent": data.agent.name}}

    async def choose_later(data: GenerateDynamicPromptData) -> Any:
        return choose(data)

    chosen = {"id": "pmpt_1", "variables": {"team": "blue", "agent": "a"}}
    for prompt in (choose, choose_later, chosen):
        assert await resolve_prompt(prompt, CONTEXT, Agent(name="a")) == chosen  # type: ignore[arg-type]
    assert await resolve_prompt(None, CONTEXT, Agent(name="a")) is None


async def test_a_prompt_without_an_id_is_refused() -> None:
    with pytest.raises(UserError, match="Agent 'a' has the prompt {'version': '2'}, which has no id"):
        await resolve_prompt({"version": "2"}, CONTEXT, Agent(name="a"))  # type: ignore[typeddict-item]


def test_the_model_of_a_client_is_asked_in_whichever_loop_runs() -> None:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer("hello")))
    client = openai.AsyncOpenAI(
        api_key="k", base_url="http://server.test/v1", http_client=openai.DefaultAsyncHttpx2Client(transport=transport)
    )
    set_default_openai_client(client)
    assert [Runner.run_sync(Agent(name="a", model="m1"), "Hi").final_output for _ in range(2)] == ["hello", "hello"]
