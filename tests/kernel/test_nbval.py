"""A notebook that was run and saved by a reader passes the strictest comparison when nobody reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat

from agentkit.testing.kernel import Kernel

CELLS = [
    "%load_ext agentkit",
    '%%tool\ndef get_weather(city: str) -> str:\n    """Get the weather."""\n    return f"It is sunny in {city}."',
    '%%agent spanish --handoff-description "Answers in Spanish"\nYou only speak Spanish.',
    "%%agent weather --tools get_weather\nYou are a helpful weather assistant.",
    "%%ask weather\nWhat's the weather in Tokyo?",
    "result = %ask weather What's the weather in Tokyo and in Oslo?",
    "result",
    "%ask weather Tell me a story;",
    "%agents",
    "try:\n    get_ipython().run_line_magic('ask', 'weather --max-turns 1 What is the weather in Rome?')\n"
    "except Exception as error:\n    print(type(error).__name__)",
]


def test_a_notebook_saved_live_is_the_same_when_run_again(notebook: Kernel, tmp_path: Path) -> None:
    notebook.restart()
    cells = []
    for number, code in enumerate(CELLS, start=1):
        outputs = notebook.run(code, allow_stdin=True).check().outputs
        cell = nbformat.v4.new_code_cell(code, execution_count=number, id=f"cell-{number}")
        cell.outputs = [_saved(output) for output in outputs]
        cells.append(cell)
    path = tmp_path / "saved.ipynb"
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec}), path)

    command = [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", "-q", str(path)]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{len(CELLS)} passed" in checked.stdout, checked.stdout


def _saved(output: dict[str, object]) -> nbformat.NotebookNode:
    kept = {key: value for key, value in output.items() if key not in ("transient", "execution_count")}
    if output["output_type"] == "execute_result":
        kept["execution_count"] = output["execution_count"]
    return nbformat.from_dict(kept)
