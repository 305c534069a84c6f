"""Models through LiteLLM: against our own platform on a port, which LiteLLM asks as any server of the protocol."""

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator

import openai
import pytest
from pydantic import BaseModel

from agentkit import (
    Agent,
    ModelServerError,
    ModelSettings,
    ModelStatusError,
    RunConfig,
    Runner,
    UserError,
    _secrets,
    function_tool,
)
from agentkit.extensions.models import litellm_model
from agentkit.extensions.models.litellm_model import LitellmModel
from agentkit.extensions.models.litellm_provider import LitellmProvider
from agentkit.models import MultiProvider
from agentkit.tooling import WebSearchTool

TOKEN = "sk-token-for-litellm-tests"

needs_litellm = pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="needs the extra litellm")
# LiteLLM's own: an HTTP client that it closes when the process ends, and deprecations of pydantic's
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "agentkit.cli", "serve", "--port", "0", "--token", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stdout is not None
        yield next(word for line in process.stdout for word in line.split() if word.startswith("http://"))
        watchdog.cancel()
        process.kill()
        watchdog.join()


@pytest.fixture
def model(url: str) -> LitellmModel:
    return LitellmModel("openai/rehearsal-1", base_url=url, api_key=TOKEN)


@function_tool
def get_weather(city: str) -> str:
    """Get the weather."""
    return f"Sunny in {city}."


class Weather(BaseModel):
    city: str
    sunny: bool


@needs_litellm
async def test_a_run_with_a_tool(model: LitellmModel) -> None:
    result = await Runner.run(Agent(name="a", model=model, tools=[get_weather]), "What is the weather in Oslo?")
    assert [item.type for item in result.new_items] == [
        "tool_call_item",
        "tool_call_output_item",
        "message_output_item",
    ]
    assert "Sunny in Oslo" in result.final_output
    assert result.usage.requests == 2
    assert result.usage.total_tokens > 0


@needs_litellm
async def test_a_streamed_run_has_the_same_items(model: LitellmModel) -> None:
    agent = Agent(name="a", model=model, tools=[get_weather])
    plain = await Runner.run(agent, "What is the weather in Oslo?")
    result = Runner.run_streamed(agent, "What is the weather in Oslo?")
    kinds = [event.json["type"] async for event in result.stream_events() if event.type == "raw_response_event"]
    assert "response.output_text.delta" in kinds
    assert kinds.count("response.completed") == 2
    assert result.final_output == plain.final_output
    assert result.usage.total_tokens == plain.usage.total_tokens


@needs_litellm
async def test_an_output_type_and_settings(model: LitellmModel) -> None:
    settings = ModelSettings(temperature=0.1, max_tokens=500, extra_headers={"X-Team": "blue"}, timeout=60)
    agent = Agent(name="a", model=model, output_type=Weather, model_settings=settings)
    result = await Runner.run(agent, "Oslo is sunny")
    assert isinstance(result.final_output, Weather)
    assert result.final_output.city == "Oslo"


@needs_litellm
async def test_a_refused_key_is_an_error_of_ours_and_the_clients(url: str) -> None:
    model = LitellmModel("openai/rehearsal-1", base_url=url, api_key="sk-wrong-key-for-litellm")
    with pytest.raises(ModelStatusError, match=f"{url} answered 401: .*Incorrect API key") as caught:
        await Runner.run(Agent(name="a", model=model), "Hi")
    assert isinstance(caught.value, openai.AuthenticationError)
    assert caught.value.status_code == 401


@needs_litellm
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_server_that_is_down_is_an_error_of_ours(streamed: bool) -> None:
    model = LitellmModel("openai/m", base_url="http://127.0.0.1:9/v1", api_key="k")  # nothing listens there
    with pytest.raises(ModelServerError, match=r"http://127.0.0.1:9/v1"):
        if streamed:
            async for _ in Runner.run_streamed(Agent(name="a", model=model), "Hi").stream_events():
                pass
        else:
            await Runner.run(Agent(name="a", model=model), "Hi")


@needs_litellm
async def test_a_name_that_litellm_does_not_know_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelStatusError, match="LLM Provider NOT provided"):
        await Runner.run(Agent(name="a", model=LitellmModel("nonsense")), "Hi")
    assert "litellm" not in capfd.readouterr().out.lower()


async def test_hosted_tools_are_refused_before_anything_is_asked() -> None:
    with pytest.raises(UserError, match="LitellmModel can't carry the tool 'web_search'"):
        await Runner.run(Agent(name="a", model=LitellmModel("m"), tools=[WebSearchTool()]), "Hi")


async def test_without_litellm_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)
    litellm_model._litellm.cache_clear()
    with pytest.raises(UserError, match=r"LiteLLM isn't installed. pip install .*\[litellm\]'"):
        await Runner.run(Agent(name="a", model=MultiProvider().get_model("litellm/openai/m")), "Hi")


def test_the_provider_needs_a_name() -> None:
    assert LitellmProvider().get_model("anthropic/claude").model == "anthropic/claude"  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="LiteLLM has no default model"):
        LitellmProvider().get_model(None)


@needs_litellm
async def test_a_provider_for_the_whole_run_and_the_prefix_lead_there(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", TOKEN)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    whole, by_prefix = RunConfig(model_provider=LitellmProvider()), RunConfig(model_provider=MultiProvider())
    for name, run_config in (("openai/rehearsal-1", whole), ("litellm/openai/rehearsal-1", by_prefix)):
        result = await Runner.run(
            Agent(name="a", model=name, tools=[get_weather]), "Weather in Rome?", run_config=run_config
        )
        assert "Sunny in Rome" in result.final_output


def test_its_key_is_kept_out_of_what_is_shown() -> None:
    LitellmModel("m", api_key="sk-litellm-secret-1")
    assert "sk-litellm-secret-1" in _secrets.known()
