"""The documents agree with the repository."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8"))
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (document.parent / target).exists()] == []


def test_the_architecture_names_every_part_of_the_package() -> None:
    document = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    parts = {path.name for path in (ROOT / "agentkit").iterdir() if path.suffix == ".py"}
    parts |= {f"{path.parent.name}/" for path in (ROOT / "agentkit").glob("*/__init__.py")}
    assert {part for part in parts if f"`{part}`" not in document and f"/{part}`" not in document} == set()


@pytest.mark.parametrize("name", ["quickstart.png", "chat.png", "fine-tuning.png"])
def test_the_pictures_in_the_readme_are_small(name: str) -> None:
    assert (ROOT / "docs" / "images" / name).stat().st_size < 200_000


def test_the_changelog_has_the_version_of_the_package() -> None:
    version = subprocess.run(
        [sys.executable, "-c", "import agentkit; print(agentkit.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f'\nversion = "{version}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_is_stored_whole_and_without_traces_of_its_making(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"] == []
    varies = {"tags": ["nbval-ignore-output"]}  # what a training gives; a cell after it asserts by tolerance
    assert [cell["metadata"] for cell in notebook["cells"] if cell["metadata"] not in ({}, varies)] == []
