"""One kernel for most tests: each finds it reset and the extension loaded anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agentkit.testing.kernel import Kernel

SETUP = '''
import asyncio
from agentkit import Agent, function_tool
from agentkit.testing import ScriptedModel, call

class Hanging(ScriptedModel):
    """Streams its reply, and then says no more."""
    async def stream_response(self, *args, **options):
        async for event in super().stream_response(*args, **options):
            if event.type == "response.output_text.done":
                print("hanging", flush=True)
                await asyncio.Event().wait()
            yield event

class Slow(ScriptedModel):
    """Streams about a thousand tokens a second."""
    async def stream_response(self, *args, **options):
        async for event in super().stream_response(*args, **options):
            await asyncio.sleep(0.001)
            yield event

model = ScriptedModel()
weather = Agent(name="weather", instructions="You help.", model=model)
'''


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here as one that drives a kernel."""
    for item in items:
        if "tests/kernel" in item.path.as_posix():
            item.add_marker(pytest.mark.kernel)


@pytest.fixture(scope="session")
def shared_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel that doesn't know that it is tested: by default it shows runs as it would to a reader."""
    env = {"PYTEST_VERSION": None, "AGENTKIT_RENDER": None, "AGENTKIT_REHEARSAL_TOKENS_PER_S": "0"}
    with Kernel(home=tmp_path_factory.mktemp("home"), env=env, timeout_s=30) as kernel:
        yield kernel


@pytest.fixture
def notebook(shared_kernel: Kernel) -> Kernel:
    """The shared kernel, reset, with the extension and some models in it."""
    shared_kernel.run("%reset -f").check()
    shared_kernel.run("%reload_ext agentkit\nimport agentkit; agentkit.connect('embedded');").check()
    shared_kernel.run(SETUP).check()
    return shared_kernel
