"""Agents with models of this machine, by each kind of name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from agentkit import Agent, ModelSettings, Runner, connect, disconnect, function_tool
from agentkit.backend import model_doubt, prepare
from agentkit.exceptions import UnknownModelError
from agentkit.models.multi_provider import MultiProvider, MultiProviderMap


class Route(BaseModel):
    """A small answer."""

    category: Literal["billing", "technical"]
    urgent: bool


@function_tool
def clock() -> str:
    """Tell the time."""
    return "noon"


@pytest.fixture
def embedded() -> Iterator[None]:
    connect("embedded")
    yield
    disconnect()


@pytest.fixture
def cached(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a model in Hugging Face's cache."""
    repository = tmp_path / "hub" / "models--somebody--plain"
    shutil.copytree(models / "plain", repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return "somebody/plain"


async def test_agents_use_models_by_any_of_their_names(
    embedded: None, models: Path, cached: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(models)
    for name in ("tiny-1", str(models / "plain"), "./plain", "../models0/plain", cached):
        name = name.replace("models0", models.name)
        agent = Agent(name="router", instructions="Route it.", model=name, output_type=Route)
        result = await Runner.run(agent, "My invoice is wrong.")
        assert isinstance(result.final_output, Route)
        assert result.raw_responses[0].usage.output_tokens > 5
    forced = Agent(
        name="caller",
        model="tiny-1",
        tools=[clock],
        model_settings=ModelSettings(tool_choice="required", parallel_tool_calls=False, max_tokens=60),
        tool_use_behavior="stop_on_first_tool",
    )
    streamed = Runner.run_streamed(forced, "What time is it?")
    async for _ in streamed.stream_events():
        pass
    assert streamed.final_output == "noon"


def model_named(name: str) -> object:
    return getattr(MultiProvider().get_model(name), "model", None)


def test_a_folder_goes_to_the_platform_as_it_is(embedded: None) -> None:
    for name in ("/models/router", "~/router", "./router", "../router", "~somebody/router"):
        assert model_named(name) == name


def test_a_cached_model_needs_no_prefix_and_another_has_an_unknown_one(embedded: None, cached: str) -> None:
    assert model_named(cached) == cached
    with pytest.raises(UnknownModelError, match="unknown prefix 'somebody'"):
        model_named("somebody/else")
    mine = MultiProviderMap()
    mine.add_provider("somebody", MultiProvider(unknown_prefix_mode="model_id"))
    assert getattr(MultiProvider(provider_map=mine).get_model(cached), "model", None) == "plain"


def test_openai_runs_no_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    connect("openai", api_key="sk-test-of-nothing-0123456789")
    with pytest.raises(UnknownModelError, match="is a folder on this machine") as caught:
        MultiProvider().get_model("/models/router")
    assert 'agentkit.connect("embedded")' in str(caught.value)
    disconnect()


def test_a_server_takes_what_it_takes() -> None:
    connect("http://127.0.0.1:9/v1", model="m")
    assert model_named("/models/router") == "/models/router"
    disconnect()


def test_a_default_model_of_this_machine_is_not_doubted(models: Path, cached: str) -> None:
    for name in ("tiny-1", str(models / "plain"), cached):
        assert model_doubt(prepare("embedded", model=name)) == ""
    for name in ("ft:tiny-1:agentkit::none", os.fspath(models / "none"), "somebody/else"):
        assert "has no model" in model_doubt(prepare("embedded", model=name))
