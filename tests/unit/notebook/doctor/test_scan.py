from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from agentkit.notebook.doctor import look_into
from agentkit.notebook.doctor.scan import notebooks_in, scan_notebook

KEY = "sk-" + "Zq7Lw0" * 8
"""Not a key, but built like one."""
MASKED = "sk-… (51 characters)"


def notebook(tmp_path: Path, *cells: dict[str, Any], name: str = "a.ipynb", **rest: Any) -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **rest}))
    return path


def code(source: Any, *outputs: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "execution_count": None, **rest}


STREAM = {"output_type": "stream", "name": "stdout", "text": ["one\n", f"two {KEY}\n"]}
ERROR = {"output_type": "error", "ename": "E", "evalue": f"bad key {KEY}", "traceback": [f"\x1b[31mE\x1b[0m: {KEY}"]}
RESULT = {"output_type": "execute_result", "data": {"text/html": f"<b>{KEY}</b>", "text/plain": KEY}, "metadata": {}}
TEXT = base64.b64encode(f"my key: {KEY}".encode()).decode()
SVG = base64.b64encode(f"<svg><text>{KEY}</text></svg>".encode()).decode()


@pytest.mark.parametrize(
    ("cell", "where"),
    [
        (code(f"import os\nkey = '{KEY}'"), "cell 1, source, line 2"),
        (code(["import os\n", f"key = '{KEY}'"], execution_count=7), "cell 1 In [7], source, line 2"),
        ({"cell_type": "markdown", "source": f"My key is {KEY}."}, "cell 1, source, line 1"),
        (code("f()", {"output_type": "stream", "text": "fine"}, STREAM), "cell 1, output 2"),
        (code("f()", ERROR), "cell 1, output 1"),
        (code("f()", RESULT), "cell 1, output 1"),
        (
            {"cell_type": "markdown", "source": "", "attachments": {"k.svg": {"image/svg+xml": SVG}}},
            "cell 1, attachment k.svg",
        ),
        (
            {"cell_type": "markdown", "source": "", "attachments": {"k.txt": {"text/plain": TEXT}}},
            "cell 1, attachment k.txt",
        ),
        (code("", metadata={"papermill": {"parameters": {"api_key": KEY}}}), "cell 1, metadata"),
    ],
)
def test_the_place_of_a_key_is_told(cell: dict[str, Any], where: str, tmp_path: Path) -> None:
    scanned = scan_notebook(notebook(tmp_path, cell))
    assert [(place.where, place.key.masked) for place in scanned.places] == [(where, MASKED)]


def test_the_notebooks_own_metadata_is_looked_through(tmp_path: Path) -> None:
    scanned = scan_notebook(notebook(tmp_path, code("1"), metadata={"widgets": {"state": {"x": {"value": KEY}}}}))
    assert [place.where for place in scanned.places] == ["notebook's metadata"]


def test_a_name_in_metadata_gives_its_value_away(tmp_path: Path) -> None:
    value = "kT93nvLwQ0xZ5rB7" + "mY1dHc8sGj2"
    scanned = scan_notebook(notebook(tmp_path, code("1"), metadata={"parameters": {"api_key": value, "title": value}}))
    assert [place.key.kind for place in scanned.places] == ["a secret given to api_key"]


def test_pictures_are_no_texts(tmp_path: Path) -> None:
    data = {"image/png": base64.b64encode(KEY.encode()).decode()}
    assert scan_notebook(notebook(tmp_path, code("1", {"output_type": "display_data", "data": data}))).places == []


def test_notebooks_of_the_older_format_are_read(tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    cell = {"cell_type": "code", "input": [f"k = '{KEY}'"], "prompt_number": 3, "outputs": []}
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": [cell]}]}))
    assert [place.where for place in scan_notebook(path).places] == ["cell 1 In [3], source, line 1"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is no notebook, or a damaged one: not JSON"),
        (b"<<<<<<< HEAD\n{}", "is no notebook, or a damaged one: not JSON"),
        (b"\xff\xfe\x00", "is no notebook, or a damaged one: not JSON"),
        (b"[" * 100_000, "is no notebook, or a damaged one: not JSON"),
        (b"[1, 2]", "is JSON, but no notebook: it has no cells"),
        (b'{"cells": 3}', "is JSON, but no notebook: it has no cells"),
    ],
)
def test_what_is_no_notebook_says_so(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    assert scan_notebook(path).problem == problem


@pytest.mark.parametrize("cell", [3, None, {"source": 5}, {"outputs": "x", "attachments": [], "source": [1, None]}])
def test_odd_cells_are_passed_over(cell: Any, tmp_path: Path) -> None:
    scanned = scan_notebook(notebook(tmp_path, cell, code(KEY)))
    assert [place.where for place in scanned.places] == ["cell 2, source, line 1"]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.ipynb"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    assert scan_notebook(path).problem == "is 300 MB large, and is not read beyond 200 MB"


def test_a_file_that_is_not_there_or_a_folder_in_its_place_says_so(tmp_path: Path) -> None:
    assert scan_notebook(tmp_path / "none.ipynb").problem == "is not there"
    assert scan_notebook(tmp_path).problem == "can't be read: Is a directory"


def test_folders_are_looked_through_but_for_copies_and_packages(tmp_path: Path) -> None:
    for name in ("b.ipynb", "sub/a.ipynb", ".ipynb_checkpoints/b-checkpoint.ipynb", ".venv/lib/x.ipynb", "c.txt"):
        notebook(tmp_path, name=name)
    assert [str(path.relative_to(tmp_path)) for path in notebooks_in([tmp_path])] == ["b.ipynb", "sub/a.ipynb"]


def test_the_report_says_where_what_and_how_to_mend_it_without_the_key(tmp_path: Path) -> None:
    bad = notebook(tmp_path, code(f"k = '{KEY}'", RESULT), name="bad.ipynb")
    notebook(tmp_path, code("1 + 1"), name="good.ipynb")
    report = look_into([tmp_path, tmp_path / "gone.ipynb"])
    assert not report.healthy
    assert report.plain().replace(str(tmp_path), "~") == (
        "Keys in notebooks: 2 found in 3 files: 2 to mend, 1 to know\n"
        "\n"
        "~/bad.ipynb\n"
        f"  ✗ cell 1, source, line 1  an OpenAI key, or one like it: {MASKED}\n"
        f"  ✗ cell 1, output 1        an OpenAI key, or one like it: {MASKED}\n"
        "                            → # revoke each key where it was made: whoever had the file may have it\n"
        '                            → jupyter nbconvert --clear-output --inplace "~/bad.ipynb"\n'
        "                            → # take it out of the cell: read it from the environment, or type it in by "
        "getpass.getpass()\n"
        '                            → git log --oneline -- "~/bad.ipynb"   # earlier versions have it still\n'
        "\n"
        "~/gone.ipynb\n"
        "  ! not read  gone.ipynb is not there.\n"
        "\n"
        "Clean\n"
        "  ✓ notebooks  1 notebook without keys"
    )
    bundle = report._repr_mimebundle_()
    assert KEY not in bundle["text/html"]
    assert str(bad.name) in bundle["text/html"]


def test_nothing_to_look_into_is_said(tmp_path: Path) -> None:
    report = look_into([tmp_path])
    assert [(finding.level, finding.text) for finding in report.findings] == [
        ("warn", "There is no notebook to look into.")
    ]


def test_the_projects_own_notebooks_are_clean() -> None:
    folder = Path(__file__).parents[4] / "notebooks"
    report = look_into([folder])
    assert report.healthy
    assert "without keys" in report.plain()
