from __future__ import annotations

import json

from agentkit.testing.kernel import Kernel

HEAVY = [
    "anywidget",
    "ipywidgets",
    "markdown_it",
    "matplotlib.pyplot",
    "nh3",
    "openai",
    "pandas",
    "pydantic",
    "pygments.lexers.python",
]


def test_loading_is_light_and_says_who_answers(kernel: Kernel) -> None:
    kernel.run("import sys, json; before = set(sys.modules)").check()
    assert kernel.run("%load_ext agentkit").check().stdout == (
        "agentkit 0.1.0 · embedded platform (offline) · model rehearsal-1\n"
    )
    new: list[str] = json.loads(kernel.run("print(json.dumps(sorted(set(sys.modules) - before)))").check().stdout)
    assert "agentkit.notebook" in new
    assert len(new) < 65
    assert [name for name in HEAVY if name in new] == []


def test_it_can_be_unloaded_and_loaded_again(notebook: Kernel) -> None:
    notebook.run("%unload_ext agentkit").check()
    assert "Line magic function `%ask` not found" in notebook.run("%ask weather hi").stderr
    assert notebook.run("%load_ext agentkit").check().stdout.startswith("agentkit 0.1.0 · ")
    notebook.run("model.reply('Sunny.')").check()
    assert notebook.run("%ask weather hi").check().text == "Sunny."
