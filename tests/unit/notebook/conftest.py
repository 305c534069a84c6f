"""A bare IPython shell, without kernel, history file or terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output
from traitlets.config import Config

from agentkit import Agent, backend
from agentkit.notebook.latest import latest
from agentkit.testing import ScriptedModel

Run = Callable[[str], "Cell"]
Mistake = Callable[[str], str]


@dataclass
class Cell:
    """What a cell did."""

    value: Any
    error: BaseException | None
    captured: CapturedIO

    @property
    def stdout(self) -> str:
        return self.captured.stdout

    @property
    def outputs(self) -> list[dict[str, str]]:
        """The data of the outputs that were displayed."""
        return [output.data for output in self.captured.outputs if output.data]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """An IPython shell with nothing loaded."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    made = InteractiveShell.instance(config=config)
    yield made
    made.restore_sys_module_state()
    InteractiveShell.clear_instance()
    latest.run = latest.error = latest.shown = None
    latest.waiting.clear()
    backend.disconnect()


@pytest.fixture
def loaded(shell: InteractiveShell) -> Iterator[InteractiveShell]:
    """The shell with the extension in it."""
    from agentkit.notebook import load_ipython_extension, unload_ipython_extension

    with capture_output():
        load_ipython_extension(shell)
    yield shell
    unload_ipython_extension(shell)


@pytest.fixture
def run(loaded: InteractiveShell) -> Run:
    """A function that runs a cell as a person would."""

    def run_(code: str) -> Cell:
        with capture_output() as captured:
            result = loaded.run_cell(code, store_history=True)
        return Cell(result.result, result.error_before_exec or result.error_in_exec, captured)

    return run_


@pytest.fixture
def mistake(run: Run) -> Callable[[str], str]:
    """A function that runs a cell which is typed wrongly, and returns what it says, a line without its last words."""

    def mistake_(code: str) -> str:
        error = run(code).error
        assert isinstance(error, UsageError), error
        said, help_ = str(error).rsplit(" See %", 1)
        assert "\n" not in said
        assert help_.endswith(" --help.")
        return said

    return mistake_


@pytest.fixture
def model(loaded: InteractiveShell) -> ScriptedModel:
    """A model, as `model` in the notebook."""
    made = loaded.user_ns["model"] = ScriptedModel()
    return made


@pytest.fixture
def weather(loaded: InteractiveShell, model: ScriptedModel) -> Agent[Any]:
    """An agent, as `weather` in the notebook."""
    made = loaded.user_ns["weather"] = Agent(name="weather", instructions="You help.", model=model)
    return made
