"""Images, code and dry runs of cells, in a real kernel."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from agentkit.testing.kernel import Kernel

FIGURE = """
from matplotlib.figure import Figure
fig = Figure(figsize=(2, 1), dpi=100)
fig.subplots().plot([1, 3, 2])
fig.savefig({path!r}, dpi=50)
"""
SENT = "[part.get('image_url', part.get('text')) for part in model.requests[-1].input[-1]['content']]"
PNG = "data:image/png;base64,"
ANSWER = "Define:\n\n```python\nx = 1\n```\n\nrun\n\n```bash\nls\n```\n\nand\n\n```py\nprint(x)\n```\n"


def reply(notebook: Kernel, *texts: str) -> None:
    for text in texts:
        notebook.run(f"model.reply({text!r});").check()


def size(address: str) -> tuple[int, int]:
    """Return the pixels of a PNG, from its header."""
    data = base64.b64decode(address.removeprefix(PNG))
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_a_figure_goes_by_its_variable_and_by_its_file(notebook: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "my plot.png"
    notebook.run(FIGURE.format(path=str(path))).check()
    reply(notebook, "It rises, then falls.")
    cell = notebook.run(f'%%ask weather --image fig "{path}"\nWhat does it show?\n').check()
    assert cell.text == "It rises, then falls."
    notebook.run(f"sent = {SENT}").check()
    text, by_variable, by_file = eval(notebook.run("sent").text)  # the repr of strings
    assert text == "What does it show?"
    assert (size(by_variable), size(by_file)) == ((200, 100), (100, 50))
    assert base64.b64decode(by_file.removeprefix(PNG)) == path.read_bytes()


def test_the_embedded_platform_tells_an_images_size(notebook: Kernel) -> None:
    notebook.run("viewer = Agent(name='viewer')").check()
    notebook.run(FIGURE.format(path="/dev/null").replace("fig.savefig", "# fig.savefig")).check()
    assert notebook.run("%ask viewer --image fig What does it show?").check().text.endswith("(PNG, 200 × 100 px)")


@pytest.mark.parametrize("line", ["%ask weather --code Write it.", "%%ask weather --code\nWrite it.\n"])
def test_code_is_put_below_the_cell(notebook: Kernel, line: str) -> None:
    reply(notebook, ANSWER)
    cell = notebook.run(line).check()
    assert cell.payload == [{"source": "set_next_input", "text": "x = 1\n\nprint(x)", "replace": False}]
    assert "Define:" in cell.text


def test_an_answer_without_code_says_so(notebook: Kernel) -> None:
    reply(notebook, "I can't.")
    cell = notebook.run("%ask weather --code Write it.").check()
    assert cell.payload == []
    assert cell.stdout == "No cell was added: the answer has no block of Python code.\n"


def test_json_is_shown_once_and_is_the_value(notebook: Kernel) -> None:
    reply(notebook, '```json\n{"city": "Oslo"}\n```', '{"city": "Rome"}')
    cell = notebook.run("%ask weather --json Where?").check()
    assert cell.text == '{\n  "city": "Oslo"\n}'
    assert notebook.run("_").text == "{'city': 'Oslo'}"
    notebook.run("x = %ask weather --json Where?").check()
    assert notebook.run("x['city']").text == "'Rome'"


def test_a_value_that_is_shown_once_is_shown_again_later(notebook: Kernel) -> None:
    reply(notebook, '{"city": "Oslo"}')
    notebook.run("%ask weather --json Where?").check()
    assert notebook.run("dict(city='Rome')").text == "{'city': 'Rome'}"


def test_an_answer_that_is_no_json_is_an_error_below_it(notebook: Kernel) -> None:
    reply(notebook, "Oslo.")
    cell = notebook.run("%ask weather --json Where?")
    assert cell.status == "error"
    assert cell.text.splitlines()[0] == "Oslo."
    assert "The answer is no JSON: expecting value in line 1, column 1." in cell.text


def test_a_dry_run_tells_and_sends_nothing(notebook: Kernel) -> None:
    cell = notebook.run("%%ask weather --dry-run --max-tokens 20\nHow is Oslo?\n").check()
    assert cell.text.splitlines()[:2] == ["Nothing was sent.", "weather · scripted"]
    assert "  user: How is Oslo?" in cell.text
    assert "Nothing was sent" in cell.html
    assert notebook.run("len(model.requests)").text == "0"


def test_a_cell_may_stop_at_a_line_that_is_wrong(notebook: Kernel) -> None:
    cell = notebook.run("%%ask weather --image nowhere.png\nHow is Oslo?\n")
    assert cell.status == "error"
    assert cell.text.splitlines()[-1].startswith("UsageError: %%ask: --image: There is no file nowhere.png.")


def test_a_conversation_branches(notebook: Kernel) -> None:
    reply(notebook, "One.", "Two.", "Three.")
    notebook.run("%ask weather First?").check()
    notebook.run("%ask weather Second?").check()
    told = notebook.run("%session branch weather --at 2 --to other-way").check().stdout
    assert told.startswith("other-way begins with the first 2 of 4 messages of weather.")
    notebook.run("%ask weather --session other-way Third?").check()
    said = "[item['content'] for item in model.requests[-1].input if item.get('role') == 'user']"
    assert notebook.run(said).text == "['First?', 'Third?']"
    assert "other-way" in notebook.run("%session").check().text
